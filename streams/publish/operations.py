"""The writes of a plan, and the id that each keeps over retries."""

import hashlib
from decimal import Decimal
from typing import Final, Literal
from uuid import uuid5

import msgspec

from contracts.fact import NAMESPACE
from contracts.publication import OperationKind
from contracts.values import Identifier
from mappings.fhir.exact_json import JsonObject, canonical_json

RANKS: Final = {"End": 0, "Cancel": 0, "Update": 1, "Create": 2}
"""What is over is closed before anything new is opened."""


class Operation(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A write about one record. ``author`` is who decided it, as the source told."""

    record: str
    author: tuple[Identifier, ...] = ()


class Create(Operation, frozen=True, kw_only=True):
    """Register a prescription; ``replaces`` is the id of the one that it takes over from, which ends by it."""

    resource: JsonObject
    replaces: str | None = None


class Update(Operation, frozen=True, kw_only=True):
    """Store the full resource anew, on top of ``version``. ``changed`` names the fields that differed."""

    id: str
    version: str
    resource: JsonObject
    changed: tuple[str, ...]


class End(Operation, frozen=True, kw_only=True):
    """End the treatment now (avsluta): with ``$end``, or by an update whose body is ``resource``, the stored one as ended.

    What has not begun is always ended by update: ``$end`` would set a last dosing day before the first.
    """

    id: str
    version: str
    resource: JsonObject
    by: Literal["operation", "update"]


class Cancel(Operation, frozen=True, kw_only=True):
    """Declare that it was never valid (makulera)."""

    id: str
    version: str
    resource: JsonObject


AnyOperation = Create | Update | End | Cancel


def rank(operation: AnyOperation) -> tuple[int, str, str]:
    """Return the place of an operation in its plan."""
    target = "" if isinstance(operation, Create) else operation.id
    return RANKS[type(operation).__name__], operation.record, target


def kind_of(operation: AnyOperation) -> OperationKind:
    """Return what an operation is called in a publication."""
    match operation:
        case Create(replaces=None):
            return "create"
        case Create():
            return "replace"
        case Update():
            return "update"
        case End():
            return "end"
        case Cancel():
            return "cancel"


def request_id(patient: str, operation: AnyOperation) -> str:
    """Return the ``x-request-id``: equal for the same write, however often and for whichever list it is tried.

    The body and the version it builds on are part of it, the list is not: a list that comes while the answer to the same
    write is still unknown must not make another request of it; and the same change made again later builds on a later
    version, and is another request.
    """
    body = canonical_json(msgspec.to_builtins(operation, builtin_types=(Decimal,)))
    digest = hashlib.sha256(body).hexdigest()
    return str(uuid5(NAMESPACE, f"publish|{patient}|{digest}"))
