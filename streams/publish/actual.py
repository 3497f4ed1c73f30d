"""What the endpoint holds for a patient, as read: the planner's other half."""

from collections.abc import Iterable
from datetime import date
from typing import Final

import msgspec

from contracts.systems import NLL_PRESCRIPTION
from mappings.fhir.data_lock import is_data_lock, is_in_force
from mappings.fhir.elements import child, identifiers, text_at
from mappings.fhir.exact_json import JsonObject
from mappings.fhir.medication_request import Subject
from mappings.fhir.vocabulary import RECORD
from streams.publish.writes import CLOSED, Writes

DISPENSABLE: Final = frozenset({"active", "on-hold"})
"""Statuses under which something is left to dispense; ``completed`` (slutexpedierad) is neither this nor closed."""


class Registered(msgspec.Struct, frozen=True, kw_only=True):
    """One prescription at the endpoint. ``records`` are the record ids it bears: those that we created bear one."""

    id: str
    version: str
    status: str
    records: tuple[str, ...]
    nll_ids: tuple[str, ...]
    resource: JsonObject

    @property
    def closed(self) -> bool:
        """Whether it has been ended or cancelled."""
        return self.status in CLOSED

    @property
    def dispensable(self) -> bool:
        """Whether something is left to dispense on it."""
        return self.status in DISPENSABLE


class KnownLock(msgspec.Struct, frozen=True, kw_only=True):
    """One data lock (spärr) of ours at the endpoint."""

    id: str
    version: str
    records: tuple[str, ...]
    in_force: bool
    resource: JsonObject


class Actual(msgspec.Struct, frozen=True, kw_only=True):
    """What a patient has at the endpoint; of the locks only those that bear our records.

    ``read_on`` is the day in Sweden on which it was read; ``list_version`` the list's version before it was read,
    ``writes`` what is known of our own writes.
    """

    subject: Subject
    read_on: date
    registered: tuple[Registered, ...] = ()
    locks: tuple[KnownLock, ...] = ()
    list_version: int | None = None
    writes: Writes = Writes()

    def of_record(self, record: str) -> tuple[Registered, ...]:
        """Return the prescriptions that we created for a record."""
        return tuple(one for one in self.registered if record in one.records)


def registered(resources: Iterable[JsonObject]) -> tuple[Registered, ...]:
    """Return the prescriptions among these resources, by id. One without id, version or status cannot be built upon."""
    found = []
    for resource in resources:
        name, status = text_at(resource, "id"), text_at(resource, "status")
        version = text_at(child(resource, "meta"), "versionId")
        if name is None or status is None or version is None:
            continue
        found.append(
            Registered(
                id=name,
                version=version,
                status=status,
                records=tuple(identifiers(resource, RECORD)),
                nll_ids=tuple(identifiers(resource, NLL_PRESCRIPTION)),
                resource=resource,
            )
        )
    return tuple(sorted(found, key=lambda one: one.id))


def known_locks(resources: Iterable[JsonObject]) -> tuple[KnownLock, ...]:
    """Return our locks among these resources, by id."""
    found = []
    for resource in resources:
        name, version = text_at(resource, "id"), text_at(child(resource, "meta"), "versionId")
        records = tuple(identifiers(resource, RECORD))
        if not is_data_lock(resource) or name is None or version is None or not records:
            continue
        found.append(
            KnownLock(id=name, version=version, records=records, in_force=is_in_force(resource), resource=resource)
        )
    return tuple(sorted(found, key=lambda one: one.id))
