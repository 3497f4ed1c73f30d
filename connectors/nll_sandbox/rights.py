"""What each role may do, and for which purposes: ``rights.csv`` and ``purposes.csv`` (contents assumed)."""

from pathlib import Path
from typing import Final, Literal

from connectors.nll_sandbox.headers import RequestContext
from connectors.nll_sandbox.kinds import variant
from connectors.nll_sandbox.outcomes import Refusal, refuse
from connectors.nll_sandbox.registers import rows
from connectors.nll_sandbox.settings import Caller
from mappings.fhir.exact_json import JsonObject

Action = Literal["read", "create", "update"]

_HERE: Final = Path(__file__).parent
_RIGHTS: Final = {
    (row["role"], row["what"], action) for row in rows(_HERE / "rights.csv") for action in row["actions"].split()
}
_PURPOSES: Final = {row["role"]: frozenset(row["purposes"].split()) for row in rows(_HERE / "purposes.csv")}


def may(caller: Caller, action: Action, kind: str, resource: JsonObject | None = None) -> Refusal | None:
    """None when the role may do this to this kind of resource, else a 403."""
    named = variant(kind, resource) if resource is not None else ""
    if {(caller.role, kind, action), (caller.role, f"{kind}:{named}", action)} & _RIGHTS:
        return None
    return refuse(403, "role-forbids", "The role of the token does not allow this.", kind="forbidden")


def purpose_fits(caller: Caller, context: RequestContext) -> Refusal | None:
    """None when the role may act for the stated purpose, else a 403."""
    if not context.purpose or context.purpose in _PURPOSES.get(caller.role, frozenset()):
        return None
    text = "The role of the token does not act for this purpose."
    return refuse(403, "purpose-forbids", text, place="http.x-purpose", kind="forbidden")
