"""What the server answers: a status, headers and a FHIR body; refusals as OperationOutcome naming every problem."""

from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

from connectors.nll_sandbox.vocabulary import SANDBOX_CODES
from mappings.fhir.exact_json import JsonObject

Severity = Literal["error", "warning", "information"]


class Issue(msgspec.Struct, frozen=True, kw_only=True):
    """One thing the server has to say about a request.

    ``code`` is an AFF code or one of the sandbox's own, ``kind`` a FHIR issue-type, ``place`` a FHIRPath or
    ``http.<header>``; ``text`` never quotes a value.
    """

    code: str
    text: str
    place: str = ""
    kind: str = "business-rule"
    severity: Severity = "error"
    system: str = SANDBOX_CODES


class Refusal(msgspec.Struct, frozen=True):
    """A request that was not carried out: nothing was stored."""

    status: int
    issues: tuple[Issue, ...]
    headers: Mapping[str, str] = {}


class Answer(msgspec.Struct, frozen=True):
    """A request that was carried out; ``body`` is a FHIR resource or nothing."""

    status: int
    body: JsonObject | None = None
    headers: Mapping[str, str] = {}


def refuse(status: int, code: str, text: str, *, place: str = "", kind: str = "business-rule") -> Refusal:
    """A refusal with a single reason."""
    return Refusal(status, (Issue(code=code, text=text, place=place, kind=kind),))


def operation_outcome(issues: Iterable[Issue]) -> JsonObject:
    """The OperationOutcome that names these issues, each with its code in ``details.coding``."""
    return {"resourceType": "OperationOutcome", "issue": [_issue(one) for one in issues]}


def answer_of(refusal: Refusal) -> Answer:
    """The answer that tells a refusal."""
    return Answer(refusal.status, operation_outcome(refusal.issues), refusal.headers)


def _issue(one: Issue) -> JsonObject:
    told: JsonObject = {
        "severity": one.severity,
        "code": one.kind,
        "details": {"coding": [{"system": one.system, "code": one.code}], "text": one.text},
        "diagnostics": one.text,
    }
    if one.place:
        told["expression"] = [one.place]
    return told
