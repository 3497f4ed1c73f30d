"""What became of a request, as a value: the caller decides what to do, nothing is retried in secret.

``Unknown`` and ``Unavailable`` after a write both mean: read before writing again.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

import msgspec

from mappings.fhir.elements import child, objects, text_at
from mappings.fhir.exact_json import JsonObject, read_json

STALE_LIST: Final = "U.011"
"""AFF code: the list version that the client told is not the current one (``nll-reference`` 1.9)."""

_STALE_STATUSES: Final = frozenset({409, 412})
_UNAVAILABLE_STATUSES: Final = frozenset({401, 425, 429})
_SERVER_ERROR: Final = 500
_REQUEST_TIMEOUT: Final = 408
_SUCCESS: Final = range(200, 300)


class Refused(msgspec.Struct, frozen=True, order=True):
    """One reason of a refusal: its code, and the place in the request. Never the server's words, which may quote values."""

    code: str
    place: str = ""


class Accepted(msgspec.Struct, frozen=True, kw_only=True):
    """Carried out. ``resource`` is the body, where there is one; ``version`` the one of the resource."""

    resource: JsonObject | None = None
    id: str | None = None
    version: str | None = None
    list_version: int | None = None


class Stale(msgspec.Struct, frozen=True):
    """Not carried out: what the client had read is no longer current (409, 412, or a refusal with U.011)."""

    reasons: tuple[Refused, ...] = ()


class Rejected(msgspec.Struct, frozen=True):
    """Not carried out, and never will be in this form."""

    status: int
    reasons: tuple[Refused, ...]


class Unavailable(msgspec.Struct, frozen=True, kw_only=True):
    """The endpoint could not or would not do it now. ``retry_after_seconds`` is what it asked for."""

    reason: str
    retry_after_seconds: float | None = None


class Unknown(msgspec.Struct, frozen=True):
    """Sent, but no answer came: it may have been carried out, or may yet be."""

    reason: str


Outcome = Accepted | Stale | Rejected | Unavailable | Unknown


def outcome_of(status: int, headers: Mapping[str, str], body: bytes, now: datetime) -> Outcome:
    """Return what an answer means. ``headers`` are looked up in lower case; ``now`` resolves a Retry-After date."""
    if status in _SUCCESS:
        return _accepted(headers, body)
    if status == _REQUEST_TIMEOUT:
        return Unknown("http-408")
    if status >= _SERVER_ERROR or status in _UNAVAILABLE_STATUSES:
        wait = retry_after_seconds(headers.get("retry-after"), now)
        return Unavailable(reason=f"http-{status}", retry_after_seconds=wait)
    reasons = reasons_of(body)
    if status in _STALE_STATUSES or STALE_LIST in {one.code for one in reasons}:
        return Stale(reasons)
    return Rejected(status, reasons or (Refused(f"http-{status}"),))


def reasons_of(body: bytes) -> tuple[Refused, ...]:
    """Return the reasons that an OperationOutcome names, sorted; none when the body is something else."""
    try:
        resource = read_json(body)
    except msgspec.DecodeError:
        return ()
    errors = [one for one in objects(child(resource).get("issue")) if one.get("severity") in {"error", "fatal"}]
    return tuple(sorted({_reason(one) for one in errors}))


def retry_after_seconds(value: str | None, now: datetime) -> float | None:
    """Return the wait that a Retry-After header asks for (RFC 9110, 10.2.3): seconds, or a date; never less than 0."""
    if value is None:
        return None
    if value.strip().isascii() and value.strip().isdigit():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return max((moment - now).total_seconds(), 0.0)


def _accepted(headers: Mapping[str, str], body: bytes) -> Outcome:
    try:
        found = read_json(body) if body.strip() else None
    except msgspec.DecodeError:
        return Unknown("body-unreadable")
    resource = found if isinstance(found, dict) else None
    listed = headers.get("x-medicationlist-version", "")
    return Accepted(
        resource=resource,
        id=_located(headers.get("location")) or text_at(resource, "id"),
        version=_tagged(headers.get("etag")) or text_at(child(resource, "meta"), "versionId"),
        list_version=int(listed) if listed.isascii() and listed.isdigit() else None,
    )


def _reason(issue: JsonObject) -> Refused:
    coding = objects(child(issue, "details").get("coding"))
    code = next((found for one in coding if (found := text_at(one, "code")) is not None), None)
    expression = issue.get("expression")
    place = expression[0] if isinstance(expression, list) and expression and isinstance(expression[0], str) else ""
    return Refused(code or text_at(issue, "code") or "no-code", place)


def _located(location: str | None) -> str | None:
    """The logical id in ``[base]/Kind/id`` or ``[base]/Kind/id/_history/version``."""
    if location is None:
        return None
    return location.split("/_history/")[0].rstrip("/").rpartition("/")[2] or None


def _tagged(etag: str | None) -> str | None:
    return None if etag is None else etag.strip().removeprefix("W/").strip('"') or None
