"""Ids that survive: derived from records, so that any id ever published keeps resolving without being stored."""

from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from uuid import uuid5

from contracts.fact import NAMESPACE
from contracts.facts.prescribing import Order, Prescription
from contracts.values import Identifier
from streams.reconcile.records import HEAD_TYPES, LATEST, Record


@lru_cache(maxsize=100_000)
def record_id(key: Identifier) -> str:
    """Return the id of a record: the same for every version, system and run."""
    return str(uuid5(NAMESPACE, f"record|{key.system}|{key.value}"))


def leading(records: Iterable[Record]) -> Record:
    """Return the record that names a group.

    It is the first recorded among orders and prescriptions, else among rows and reports, else among all; equal times by
    system and source id.
    """
    found = list(records)
    prescribing = [r for r in found if isinstance(r.newest.content, Order | Prescription)]
    heads = prescribing or [r for r in found if isinstance(r.newest.content, HEAD_TYPES)]
    return min(heads or found, key=first_recorded)


def first_recorded(record: Record) -> tuple[datetime, Identifier]:
    """Return when a record was first recorded; equal times by system and source id."""
    return min((f.recorded_at for f in record.versions if f.recorded_at), default=LATEST), record.key
