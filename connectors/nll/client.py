"""The client of one endpoint: each method is one interaction, and its answer is an ``Outcome``.

No method retries, with two exceptions that can do nothing twice: once more with a new token when the old one was refused;
and the HTTP library repeats a PUT (never a POST) on a kept-alive connection that broke, which names the version it changes.
"""

from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime
from typing import Final
from uuid import uuid4

import aiohttp
import msgspec
from yarl import URL

from connectors.nll.outcomes import Accepted, Outcome, Unavailable, Unknown, outcome_of
from connectors.nll.requests import FHIR_JSON, Identity, Task, Write, read_headers, write_headers
from connectors.nll.tokens import Tokens, TokenUnavailableError
from contracts.values import Identifier
from mappings.fhir.elements import child, objects, text_at
from mappings.fhir.exact_json import JsonObject, write_json
from mappings.fhir.vocabulary import LOCK_CODE

PAGES_MOST: Final = 50
"""A patient's list longer than this many pages is not read: something is wrong with the endpoint."""

ANSWER_MOST_BYTES: Final = 20_000_000
_UNAUTHORIZED: Final = 401
_LIST_VERSION: Final = "nllMedicationlistVersion"
_PRIVACY_LOCK: Final = "nllPrivacyLock"


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """Where the endpoint is and how long to wait for it. ``base_url`` without a slash at the end."""

    base_url: str
    identity: Identity
    timeout_seconds: float = 20.0
    connect_seconds: float = 5.0


class ListInfo(msgspec.Struct, frozen=True):
    """The version of a patient's list, and whether any data lock (spärr) is in force, shown to us or not."""

    version: int
    locked: bool


class NllClient:
    """One endpoint, over a session that its owner opens and closes."""

    def __init__(self, session: aiohttp.ClientSession, endpoint: Endpoint, tokens: Tokens) -> None:
        self._session = session
        self._endpoint = endpoint
        self._tokens = tokens
        self._timeout = aiohttp.ClientTimeout(total=endpoint.timeout_seconds, sock_connect=endpoint.connect_seconds)

    async def find_patient(self, person: Identifier, task: Task) -> Outcome:
        """Look a person up; the number travels in the body, never in an address. ``id`` is ``None`` when not known."""
        form = {"identifier": f"{person.system}|{person.value}"}
        outcome = await self._search("Patient", form, task)
        if not isinstance(outcome, Accepted):
            return outcome
        found = _entries(outcome.resource)
        return Accepted(resource=found[0] if len(found) == 1 else None, id=_only_id(found))

    async def prescriptions(self, task: Task) -> list[JsonObject] | Outcome:
        """Return every MedicationRequest of the task's patient, all pages, or why they could not be read."""
        return await self._all_pages("MedicationRequest", {"patient": task.patient_id or ""}, task)

    async def dispenses(self, task: Task) -> list[JsonObject] | Outcome:
        """Return every MedicationDispense of the task's patient that is shown to us."""
        return await self._all_pages("MedicationDispense", {"patient": task.patient_id or ""}, task)

    async def monitoring(self, numbers: Collection[str], since: date, task: Task) -> list[JsonObject] | Outcome:
        """Return the prescriptions that changed since a day, of those of these personnummer who are dose patients.

        1 to 50 numbers, at most 60 days back (``$monitoring``).
        """
        parameters = [{"name": "personnummer", "valueString": number} for number in numbers]
        parameters.append({"name": "fromDate", "valueDate": since.isoformat()})
        headers = read_headers(self._endpoint.identity, task, _fresh_id()) | {"content-type": FHIR_JSON}
        body = write_json({"resourceType": "Parameters", "parameter": parameters})
        outcome = await self._send("POST", self._url("MedicationRequest/$monitoring"), headers, body)
        return _entries(outcome.resource) if isinstance(outcome, Accepted) else outcome

    async def locks(self, task: Task) -> list[JsonObject] | Outcome:
        """Return every data lock (spärr) of the task's patient, in force or lifted, that is shown to us."""
        return await self._all_pages("Basic", {"patient": task.patient_id or "", "code": LOCK_CODE}, task)

    async def by_identifier(
        self, identifier: Identifier, task: Task, kind: str = "MedicationRequest"
    ) -> list[JsonObject] | Outcome:
        """Return the resources of a kind that bear an identifier; asked with POST, which no log of addresses keeps."""
        form = {"identifier": f"{identifier.system}|{identifier.value}"}
        outcome = await self._search(kind, form, task)
        return _entries(outcome.resource) if isinstance(outcome, Accepted) else outcome

    async def list_info(self, task: Task) -> ListInfo | Outcome:
        """Return what NLLMedicationListInfo tells of the patient's list; version 0 when there is no list yet."""
        query = {"patient": task.patient_id or "", "code": "medlistinfo"}
        outcome = await self._read("Basic", query, task)
        if not isinstance(outcome, Accepted):
            return outcome
        told = {
            inner.get("url"): inner
            for info in _entries(outcome.resource)
            for outer in objects(info.get("extension"))
            for inner in objects(outer.get("extension"))
        }
        version = child(told.get(_LIST_VERSION)).get("valueInteger", 0)
        return ListInfo(int(version), locked=child(told.get(_PRIVACY_LOCK)).get("valueBoolean") is True)

    async def read(self, kind: str, name: str, task: Task) -> Outcome:
        """Read one resource in its latest version."""
        return await self._read(f"{kind}/{name}", {}, task)

    async def create(self, kind: str, resource: JsonObject, task: Task, write: Write) -> Outcome:
        """Create a resource; the server gives the id."""
        return await self._write("POST", kind, resource, task, write)

    async def update(self, resource: JsonObject, task: Task, write: Write) -> Outcome:
        """Store a new version of a resource, given whole, if ``write.version`` is still its latest."""
        return await self._write("PUT", f"{resource['resourceType']}/{resource['id']}", resource, task, write)

    async def end(self, name: str, parameters: JsonObject, task: Task, write: Write) -> Outcome:
        """End a prescription at once (``$end``, avsluta)."""
        return await self._write("POST", f"MedicationRequest/{name}/$end", parameters, task, write)

    async def transaction(self, bundle: JsonObject, task: Task, write: Write) -> Outcome:
        """Carry out all entries of a transaction bundle or none."""
        return await self._write("POST", "", bundle, task, write)

    async def verify(self, bundle: JsonObject, task: Task, write: Write) -> Outcome:
        """Ask what would become of a transaction bundle (``$verify``); nothing is stored."""
        return await self._write("POST", "$verify", bundle, task, write)

    async def _all_pages(self, kind: str, query: Mapping[str, str], task: Task) -> list[JsonObject] | Outcome:
        found: list[JsonObject] = []
        outcome = await self._read(kind, query, task)
        for _ in range(PAGES_MOST):
            if not isinstance(outcome, Accepted):
                return outcome
            found += _entries(outcome.resource)
            following = _next_page(outcome.resource)
            if following is None:
                return found
            url = URL(following)
            if url.origin() != URL(self._endpoint.base_url).origin():
                return Unavailable(reason="page-elsewhere")
            outcome = await self._send("GET", url, read_headers(self._endpoint.identity, task, _fresh_id()), b"")
        return Unavailable(reason="too-many-pages")

    async def _search(self, kind: str, form: Mapping[str, str], task: Task) -> Outcome:
        headers = read_headers(self._endpoint.identity, task, _fresh_id())
        headers["content-type"] = "application/x-www-form-urlencoded"
        body = URL.build(query=dict(form)).raw_query_string.encode("ascii")
        return await self._send("POST", self._url(f"{kind}/_search"), headers, body)

    async def _read(self, path: str, query: Mapping[str, str], task: Task) -> Outcome:
        headers = read_headers(self._endpoint.identity, task, _fresh_id())
        return await self._send("GET", self._url(path).with_query(dict(query)), headers, b"")

    async def _write(self, method: str, path: str, resource: JsonObject, task: Task, write: Write) -> Outcome:
        headers = write_headers(self._endpoint.identity, task, write)
        return await self._send(method, self._url(path), headers, write_json(resource))

    def _url(self, path: str) -> URL:
        return URL(f"{self._endpoint.base_url}/{path}")

    async def _send(self, method: str, url: URL, headers: dict[str, str], body: bytes) -> Outcome:
        for last in (False, True):
            try:
                token = await self._tokens.get()
            except TokenUnavailableError as error:
                return Unavailable(reason=error.reason)
            status, outcome = await self._once(method, url, headers | {"authorization": f"Bearer {token}"}, body)
            if status != _UNAUTHORIZED or last:
                return outcome
            self._tokens.refused(token)
        raise AssertionError("unreachable")

    async def _once(self, method: str, url: URL, headers: dict[str, str], body: bytes) -> tuple[int, Outcome]:
        try:
            async with self._session.request(
                method, url, headers=headers, data=body or None, timeout=self._timeout, allow_redirects=False
            ) as answer:
                raw = await answer.content.read(ANSWER_MOST_BYTES + 1)
                while raw and (more := await answer.content.read(ANSWER_MOST_BYTES + 1 - len(raw))):
                    raw += more
                if len(raw) > ANSWER_MOST_BYTES:
                    return answer.status, Unavailable(reason="answer-too-large")
                told = {name.lower(): value for name, value in answer.headers.items()}
                return answer.status, outcome_of(answer.status, told, raw, datetime.now(UTC))
        except aiohttp.ClientConnectorError:
            return 0, Unavailable(reason="unreachable")
        except (aiohttp.ClientError, TimeoutError):
            return 0, Unknown("no-answer")


def _entries(bundle: JsonObject | None) -> list[JsonObject]:
    return [child(one, "resource") for one in objects(child(bundle).get("entry")) if child(one, "resource")]


def _only_id(found: list[JsonObject]) -> str | None:
    return text_at(found[0], "id") if len(found) == 1 else None


def _next_page(bundle: JsonObject | None) -> str | None:
    links = objects(child(bundle).get("link"))
    return next((text_at(one, "url") for one in links if one.get("relation") == "next"), None)


def _fresh_id() -> str:
    """Reads change nothing: each gets an id of its own."""
    return str(uuid4())
