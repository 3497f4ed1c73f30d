"""Reading and searching: what is there, as a resource or as a Bundle; an empty Bundle when nothing matches."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

from connectors.nll_sandbox.completions import today
from connectors.nll_sandbox.kinds import KINDS, is_active_lock
from connectors.nll_sandbox.outcomes import Answer, Issue, Refusal, refuse
from connectors.nll_sandbox.registers import articles_of
from connectors.nll_sandbox.resources import codes, day, identifiers, objects, referred, text_at
from connectors.nll_sandbox.server import Sandbox
from connectors.nll_sandbox.store import LATEST, Store, Stored
from connectors.nll_sandbox.vocabulary import (
    CONTROLLED_DRUGS,
    LIST_INFO,
    LIST_INFO_CODE,
    LIST_VERSION,
    PRIVACY_LOCK,
)
from mappings.fhir.exact_json import JsonObject

Query = Mapping[str, str]
CONTROLLED_LOOKBACK: Final = timedelta(days=730)
"""A prescriber always learns whether controlled drugs were prescribed in the last 24 months."""


def list_info(sandbox: Sandbox, patient: str, now: datetime, as_of: int = LATEST) -> JsonObject:
    """The MedicationListInfo of a patient: the list version and two flags (``nll-reference`` 1.6, 1.10).

    The flags tell that something is there, to every caller, also when it is hidden from that caller.
    """
    store = sandbox.store
    version = store.list_version(patient, as_of)
    locked = any(is_active_lock(one.resource) for one in store.of_patient("Basic", patient, as_of))
    since = now - CONTROLLED_LOOKBACK
    prescriptions = (one.resource for one in store.of_patient("MedicationRequest", patient, as_of))
    controlled = any(_issued_since(one, since) and _is_controlled(sandbox, one) for one in prescriptions)
    return {
        "resourceType": "Basic",
        "id": f"{LIST_INFO_CODE}-{patient}",
        "meta": {"versionId": str(version)},
        "extension": [
            {
                "url": LIST_INFO,
                "extension": [
                    {"url": LIST_VERSION, "valueInteger": version},
                    {"url": CONTROLLED_DRUGS, "valueBoolean": controlled},
                    {"url": PRIVACY_LOCK, "valueBoolean": locked},
                ],
            }
        ],
        "code": {"coding": [{"code": LIST_INFO_CODE}]},
        "subject": {"reference": f"Patient/{patient}"},
    }


def _issued_since(prescription: JsonObject, since: datetime) -> bool:
    issued = day(prescription.get("authoredOn"))
    return issued is not None and issued >= today(since)


def _is_controlled(sandbox: Sandbox, prescription: JsonObject) -> bool:
    return any(article.is_controlled for article in articles_of(sandbox.registers, prescription))


def search(store: Store, kind: str, query: Query, as_of: int) -> list[Stored] | Refusal:
    """The resources that satisfy every parameter; a 400 that names each parameter that cannot be used."""
    unknown = sorted(set(query) - KINDS[kind].parameters)
    if unknown:
        text = "The search parameter is not known for this resource."
        issues = (
            Issue(code="parameter-unknown", kind="not-supported", text=text, place=f"http.{one}") for one in unknown
        )
        return Refusal(400, tuple(issues))
    candidates = _candidates(store, kind, query, as_of)
    if candidates is None:
        return refuse(400, "search-too-wide", "Search by patient, identifier or _id.", kind="required")
    found = list(candidates)
    return [one for one in found if matches(one.resource, query)] if set(query) & set(_TESTS) else found


def _patient(query: Query) -> str | None:
    value = query.get("patient") or query.get("subject")
    return value.removeprefix("Patient/") if value else None


def _candidates(store: Store, kind: str, query: Query, as_of: int) -> Iterable[Stored] | None:
    if patient := _patient(query):
        return store.of_patient(kind, patient, as_of)
    if token := query.get("identifier"):
        return store.by_identifier(kind, token, as_of)
    if name := query.get("_id"):
        one = store.read(kind, name, as_of)
        return () if one is None else (one,)
    return store.all_of(kind, as_of) if kind == "Medication" or "target" in query else None


def matches(resource: JsonObject, query: Query) -> bool:
    """Whether a resource satisfies every parameter that looks into it."""
    return all(name not in _TESTS or _TESTS[name](resource, value) for name, value in query.items())


def _refers(resource: JsonObject, element: str, value: str) -> bool:
    kind, _, name = value.rpartition("/")
    for reference in objects(resource.get(element)):
        wanted = kind or (text_at(reference, "reference") or "").split("/")[0]
        if referred(reference, wanted) == name:
            return True
    return False


_TESTS: Final[Mapping[str, Callable[[JsonObject, str], bool]]] = {
    "identifier": lambda resource, value: tuple(value.split("|", 1)) in identifiers(resource),
    "_id": lambda resource, value: resource.get("id") == value,
    "status": lambda resource, value: resource.get("status") in value.split(","),
    "code": lambda resource, value: _code(value) in codes(resource.get("code")),
    "category": lambda resource, value: any(_code(value) in codes(one) for one in objects(resource.get("category"))),
    "prescription": lambda resource, value: _refers(resource, "authorizingPrescription", value),
    "target": lambda resource, value: _refers(resource, "target", value),
}


def _code(value: str) -> str:
    return value.rsplit("|", 1)[-1]


def bundle(kind: str, resources: list[JsonObject], base: str, page: tuple[int, int], query: Query) -> Answer:
    """One page of a search result; ``page`` is (offset, count)."""
    offset, count = page
    shown = resources[offset : offset + count]
    links = [{"relation": "self", "url": _link(base, kind, query, offset)}]
    if offset + count < len(resources):
        links.append({"relation": "next", "url": _link(base, kind, query, offset + count)})
    return Answer(
        200,
        {
            "resourceType": "Bundle",
            "type": "searchset",
            "total": len(resources),
            "link": links,
            "entry": [
                {
                    "fullUrl": f"{base}/{one['resourceType']}/{one['id']}",
                    "resource": one,
                    "search": {"mode": "match"},
                }
                for one in shown
            ],
        },
    )


def _link(base: str, kind: str, query: Query, offset: int) -> str:
    """A page's address; personal identifiers are never put into an address that proxies may log."""
    shown = [f"{name}={value}" for name, value in query.items() if name not in {"identifier", "_offset"}]
    return f"{base}/{kind}?" + "&".join([*shown, f"_offset={offset}"])
