"""The request headers of NLL: which are demanded for what, and what they say (``nll-reference`` 1.7).

All that is missing or wrong is told at once, in one OperationOutcome.
"""

import base64
import binascii
from collections.abc import Mapping
from typing import Final, Literal

import msgspec

from connectors.nll_sandbox.outcomes import Issue, Refusal
from connectors.nll_sandbox.resources import child, codes, objects, text_at
from connectors.nll_sandbox.settings import SandboxSettings
from mappings.fhir.exact_json import JsonObject, read_json

Demand = Literal["open", "lookup", "read", "persons", "write"]
"""What a request is, as far as headers go: open to all; looking up a person or an article; reading one patient's
resources, or several persons'; writing."""

ALWAYS: Final = ("accept", "x-request-id", "x-context-id", "x-org-info", "x-user-agent")
REQUIRED: Final[Mapping[Demand, tuple[str, ...]]] = {
    "open": (),
    "lookup": ALWAYS,
    "read": (*ALWAYS, "x-purpose", "x-access", "x-patientref"),
    "persons": (*ALWAYS, "x-purpose", "x-access"),
    "write": (*ALWAYS, "x-purpose", "x-access", "prefer", "x-provenance"),
}
"""Headers that must be there. A write names its patient in the resource; ``x-patientref`` is checked against it when
the patient has a resource of its own."""

RETURNS: Final = {
    "return=minimal": "minimal",
    "return=representation": "representation",
    "return=operationoutcome": "outcome",
}
_REASON_LENGTH: Final = 256
_ACCEPTABLE: Final = frozenset({"application/fhir+json", "application/json", "application/*", "*/*"})
_NOT_ACCEPTABLE: Final = 406


class RequestContext(msgspec.Struct, frozen=True, kw_only=True):
    """What the headers of one request say."""

    request_id: str = ""
    context_id: str = ""
    purpose: str = ""
    access: str = ""
    patient: str | None = None
    returns: str = "representation"
    provenance: JsonObject | None = None
    list_version: int | None = None
    if_match: int | None = None


def read_headers(headers: Mapping[str, str], demand: Demand, settings: SandboxSettings) -> RequestContext | Refusal:
    """What the headers say, or a 400 that names every header that is missing or cannot be used."""
    issues = [_missing(name) for name in REQUIRED[demand] if not headers.get(name, "").strip()]
    if issues:
        return Refusal(400, tuple(issues))
    if not _ACCEPTABLE & {one.split(";")[0].strip().lower() for one in headers.get("accept", "").split(",")}:
        issues.append(_wrong("accept", "names none of application/fhir+json, application/json and */*"))
        return Refusal(_NOT_ACCEPTABLE, tuple(issues))
    provenance = _provenance(headers.get("x-provenance"), issues)
    context = RequestContext(
        request_id=headers.get("x-request-id", ""),
        context_id=headers.get("x-context-id", ""),
        purpose=_one_of("x-purpose", headers, settings.purposes, issues),
        access=_one_of("x-access", headers, settings.access_types, issues),
        patient=headers.get("x-patientref", "").removeprefix("Patient/") or None,
        returns=_returns(headers.get("prefer"), issues),
        provenance=provenance,
        list_version=_number(settings.list_version_header, headers.get(settings.list_version_header), issues),
        if_match=_etag(headers.get("if-match"), issues),
    )
    return Refusal(400, tuple(issues)) if issues else context


def etag(version: int) -> str:
    """The weak entity tag of a version (FHIR R4, http.html#versioning)."""
    return f'W/"{version}"'


def _missing(name: str) -> Issue:
    return Issue(code="header-missing", kind="required", place=f"http.{name}", text=f"The header {name} is demanded.")


def _wrong(name: str, text: str) -> Issue:
    return Issue(code="header-invalid", kind="value", place=f"http.{name}", text=f"The header {name} {text}.")


def _one_of(name: str, headers: Mapping[str, str], known: frozenset[str], issues: list[Issue]) -> str:
    value = headers.get(name, "")
    if value and value not in known:
        issues.append(_wrong(name, f"is none of {', '.join(sorted(known))}"))
    return value


def _returns(value: str | None, issues: list[Issue]) -> str:
    wishes = [wish.strip().lower() for wish in (value or "").replace(";", ",").split(",") if wish.strip()]
    known = [RETURNS[wish] for wish in wishes if wish in RETURNS]
    if any(wish.startswith("return=") and wish not in RETURNS for wish in wishes):
        issues.append(_wrong("prefer", "asks for a return that FHIR does not know"))
    return known[0] if known else "representation"


def _number(name: str, value: str | None, issues: list[Issue]) -> int | None:
    if value is None:
        return None
    if not (value.isascii() and value.isdigit()):
        issues.append(_wrong(name, "is no whole number"))
        return None
    return int(value)


def _etag(value: str | None, issues: list[Issue]) -> int | None:
    if value is None:
        return None
    inner = value.strip().removeprefix("W/").strip('"')
    if not (inner.isascii() and inner.isdigit()):
        issues.append(_wrong("if-match", 'has not the form W/"<versionId>"'))
        return None
    return int(inner)


def _provenance(value: str | None, issues: list[Issue]) -> JsonObject | None:
    if value is None:
        return None
    try:
        found = read_json(base64.b64decode(value, validate=True))
    except (binascii.Error, ValueError, msgspec.DecodeError):
        issues.append(_wrong("x-provenance", "is not base64 of a JSON document"))
        return None
    problems = list(_provenance_problems(child(found)))
    issues.extend(problems)
    return None if problems else child(found)


def _provenance_problems(provenance: JsonObject) -> list[Issue]:
    told: list[str] = []
    if provenance.get("resourceType") != "Provenance":
        told.append("holds no Provenance")
    if not codes(provenance.get("activity")):
        told.append("names no activity code")
    agents = objects(provenance.get("agent"))
    if not any({"author", "enterer"} & set(codes(agent.get("type"))) for agent in agents):
        told.append("names no agent of type author or enterer")
    if not all(agent.get("who") for agent in agents):
        told.append("has an agent without who")
    if any(len(text_at(reason, "text") or "") > _REASON_LENGTH for reason in objects(provenance.get("reason"))):
        told.append(f"has a reason longer than {_REASON_LENGTH} characters")
    return [_wrong("x-provenance", text) for text in told]
