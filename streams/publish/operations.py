"""The writes of a plan, and the id that each keeps over retries."""

import hashlib
from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Final, Literal
from uuid import uuid5

import msgspec

from contracts.fact import NAMESPACE
from contracts.publication import OperationKind
from contracts.values import Identifier
from mappings.fhir.exact_json import JsonObject, canonical_json

RANKS: Final = {"Lock": 0, "End": 1, "Cancel": 1, "Update": 2, "Create": 3, "Unlock": 4}
"""What is blocked is hidden first; what is over is closed before anything new is opened; shown is what is right."""


class Operation(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A write about one record. ``author`` is who decided it, as the source told; ``because`` as in ``Done``."""

    record: str
    author: tuple[Identifier, ...] = ()
    because: tuple[str, ...] = ()


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


class Lock(Operation, frozen=True, kw_only=True):
    """Hide a prescription of ours from other caregivers (spärra): a new lock, or the stored one ``id`` in force again."""

    prescription: str
    resource: JsonObject
    id: str | None = None
    version: str | None = None


class Unlock(Operation, frozen=True, kw_only=True):
    """Show it again (häva spärren): the stored lock, as lifted."""

    id: str
    version: str
    resource: JsonObject


AnyOperation = Create | Update | End | Cancel | Lock | Unlock


_KINDS: Final[Mapping[type[AnyOperation], OperationKind]] = MappingProxyType(
    {Update: "update", End: "end", Cancel: "cancel", Lock: "lock", Unlock: "unlock"}
)


def rank(operation: AnyOperation) -> tuple[int, str, str]:
    """Return the place of an operation in its plan."""
    target = "" if isinstance(operation, Create) else operation.id or ""
    return RANKS[type(operation).__name__], operation.record, target


def is_new(operation: AnyOperation) -> bool:
    """Return whether it makes a resource that is not there yet."""
    return isinstance(operation, Create) or (isinstance(operation, Lock) and operation.id is None)


def kind_of(operation: AnyOperation) -> OperationKind:
    """Return what an operation is called in a publication."""
    if isinstance(operation, Create):
        return "create" if operation.replaces is None else "replace"
    return _KINDS[type(operation)]


def request_id(patient: str, operation: AnyOperation) -> str:
    """Return the ``x-request-id``: equal for the same write, however often and for whichever list it is tried.

    The body and the version it builds on are part of it, the list is not: a list that comes while the answer to the same
    write is still unknown must not make another request of it; and the same change made again later builds on a later
    version, and is another request.
    """
    body = canonical_json(msgspec.to_builtins(operation, builtin_types=(Decimal,)))
    digest = hashlib.sha256(body).hexdigest()
    return str(uuid5(NAMESPACE, f"publish|{patient}|{digest}"))
