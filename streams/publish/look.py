"""Looking at what the endpoint holds for a patient, and judging whether what was seen is fresh enough to act upon.

A read may be older than our own last write (a replica that lags). Acting upon it would create twice, or leave an older state
standing. So:
- what we know to be there, by id and version, must be in what was read; else the read is stale and nothing is concluded;
- after an attempt whose outcome is not known, and for a patient that this process has not settled before (an earlier one
  may have ended in the middle), it is read several times, and of every prescription the newest version counts;
- then, too, what the list speaks of and what was not seen is looked for again and again, over as many attempts as that takes:
  each reading may be a copy that lags behind, and what an unknown outcome has created is found nowhere else;
- it is read several times when a prescription is not seen that another says it takes over from;
- what was seen once must be seen again;
- the version of the patient's list is read before the list: a change after that makes our writes stale, not wrong;
- the list itself is not read under a version under which it is known (``streams.publish.kept``).
"""

from collections import OrderedDict
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final, Literal

import msgspec

from connectors.nll.client import ListInfo, NllClient
from connectors.nll.outcomes import Accepted, Outcome, Unavailable
from connectors.nll.requests import Task, contained_patient_id
from contracts.publication import Link, LinkKind
from contracts.systems import NLL_PRESCRIPTION, PERSONNUMMER
from contracts.values import Identifier
from mappings.fhir.elements import identifiers, objects
from mappings.fhir.exact_json import JsonObject
from mappings.fhir.medication_request import ContainedPatient, KnownPatient, Subject
from mappings.fhir.vocabulary import RECORD
from streams.publish.actual import KnownLock, Registered, known_locks, registered
from streams.publish.desired import Desired
from streams.publish.kept import KeptReading
from streams.publish.succession import hoped_for
from streams.publish.writes import version_number

Certainty = Literal["settled", "unseen", "unknown"]
"""Of the last attempt for a patient: it ended well; this process made none; it failed, and may have written."""

READS: Final[Mapping[Certainty, int]] = MappingProxyType({"settled": 1, "unseen": 2, "unknown": 3})
"""How often to read, by what is known of the last attempt for the patient."""

READS_MOST: Final = 8
"""How often at most, while something that may be there was not seen. Where one reading in seven lags, as the tests have it at
their worst, eight of them miss it once in four million times."""

PEOPLE_MOST: Final = 50_000
STALE_READ: Final = Unavailable(reason="stale-read")


class Before(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a patient before anything is read: what is there, how the last attempt ended, what was read last."""

    known: tuple[Link, ...] = ()
    certainty: Certainty = "unknown"
    kept: KeptReading | None = None


class NotKnownThere(msgspec.Struct, frozen=True):
    """The endpoint has nobody with this number."""


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """The prescriptions of one patient and our locks on them, by id, and the list's version before they were read."""

    registered: tuple[Registered, ...]
    locks: tuple[KnownLock, ...] = ()
    list_version: int | None


class People:
    """Who patients are at the endpoint; remembers the last many that were found, by their pseudonyms."""

    def __init__(self, client: NllClient) -> None:
        self._client = client
        self._found: OrderedDict[str, str] = OrderedDict()

    async def subject(
        self, patient: str, person: Identifier, task: Task
    ) -> tuple[Subject, Task] | NotKnownThere | Outcome:
        """Return how the person whose pseudonym is ``patient`` is named in resources, and the task that is about that person."""
        if person.system != PERSONNUMMER:
            return ContainedPatient(person), msgspec.structs.replace(task, patient_id=contained_patient_id(person))
        name = self._found.get(patient)
        if name is None:
            outcome = await self._client.find_patient(person, task)
            if not isinstance(outcome, Accepted):
                return outcome
            if outcome.id is None:
                return NotKnownThere()
            name = self._found[patient] = outcome.id
            if len(self._found) > PEOPLE_MOST:
                self._found.popitem(last=False)
        return KnownPatient(name), msgspec.structs.replace(task, patient_id=name)

    def forget(self, patient: str) -> None:
        """Look the person up again next time: something about it was refused, or the patient is gone."""
        self._found.pop(patient, None)


class Glimpses:
    """What was read of one patient while it is not certain what stands there: kept from one attempt to the next.

    ``readings`` counts those since the last write whose outcome is not known.
    """

    def __init__(self) -> None:
        self.newest = _Newest()
        self.readings = 0


class Look:
    """Reads one patient's prescriptions and our locks on them, and remembers what is known to be there."""

    def __init__(
        self,
        client: NllClient,
        desired: Desired,
        before: Before,
        glimpses: Glimpses | None = None,
    ) -> None:
        self._client = client
        self._records = {*(one.record for one in desired.wanted), *(one.record for one in desired.retire)}
        self._listed = sorted(self._records | {one.record for one in desired.held})
        self._hoped = hoped_for(desired)
        self._known = {
            (link.kind, link.id): version_number(link.version)
            for link in before.known
            if link.ours and (link.record in self._records or link.kind == "lock")
        }
        self._locking = any(one.how == "lock" for one in desired.retire) or any(
            one.kind == "lock" for one in before.known
        )
        self._locks_asked = {one.record for one in desired.retire if one.how == "lock"}
        self._reads = READS[before.certainty]
        self._unsure = before.certainty != "settled"
        self._glimpses = glimpses or Glimpses()
        self._kept = before.kept if before.certainty == "settled" else None
        self.kept_at: datetime | None = None
        """When an earlier attempt read what was last seen, where that was not read again."""

    def unsure(self) -> None:
        """A write was sent and nobody knows what came of it: what has been read so far was before it."""
        self._glimpses.readings = 0

    def wrote(self, kind: LinkKind, name: str | None, version: str | None) -> None:
        """The endpoint told that it holds this version: what is read from now on must not be older."""
        if name is not None:
            self._known[kind, name] = max(version_number(version), self._known.get((kind, name), 0))

    async def __call__(self, subject: Subject, task: Task) -> Seen | Outcome:
        """Return what is there, or why nothing can be said."""
        kept = self._glimpses if self._unsure else Glimpses()
        newest = kept.newest
        most = READS_MOST if self._unsure else READS["unknown"]
        while True:
            seen = await self._once(subject, task)
            if not isinstance(seen, Seen):
                return seen
            newest.take(seen)
            kept.readings += 1
            enough = kept.readings >= self._reads and self._hoped <= newest.nll_ids() and not self._misses(newest)
            if enough or kept.readings >= most:
                break
        self._reads = 1
        if newest.lacks(self._known):
            self._reads = READS["unknown"]
            return STALE_READ
        self._unsure = False
        return self._remembered(newest.seen())

    def _misses(self, newest: "_Newest") -> bool:
        """Whether something that may be there has not been seen."""
        if not self._unsure:
            return False
        return not (self._records <= newest.records("prescription") and self._locks_asked <= newest.records("lock"))

    def _remembered(self, seen: Seen) -> Seen:
        for one in seen.registered:
            if not self._records.isdisjoint(one.records):
                self.wrote("prescription", one.id, one.version)
        for lock in seen.locks:
            self.wrote("lock", lock.id, lock.version)
        self._locking = self._locking or bool(seen.locks)
        return seen

    async def _once(self, subject: Subject, task: Task) -> Seen | Outcome:
        if isinstance(subject, ContainedPatient):
            return await self._by_names(subject.person, task)
        told = await self._client.list_info(task)
        if not isinstance(told, ListInfo):
            return told
        kept, self._kept = self._kept, None
        if kept is not None and kept.list_version == told.version and not (told.locked or self._locking):
            self.kept_at = kept.read_at
            return Seen(registered=kept.registered(), list_version=told.version)
        found = await self._client.prescriptions(task)
        self.kept_at = None
        if not isinstance(found, list):
            return found
        locks = await self._client.locks(task) if told.locked or self._locking else []
        if not isinstance(locks, list):
            return locks
        return Seen(registered=registered(found), locks=known_locks(locks), list_version=told.version)

    async def _by_names(self, person: Identifier, task: Task) -> Seen | Outcome:
        """A contained patient has no list to search: each record, and each predecessor, is looked for by itself."""
        names = [("MedicationRequest", Identifier(system=RECORD, value=record)) for record in sorted(self._records)]
        names += [
            ("MedicationRequest", Identifier(system=NLL_PRESCRIPTION, value=name)) for name in sorted(self._hoped)
        ]
        names += [("Basic", Identifier(system=RECORD, value=record)) for record in self._listed]
        resources: list[JsonObject] = []
        for kind, name in names:
            found = await self._client.by_identifier(name, task, kind)
            if not isinstance(found, list):
                return found
            resources += [one for one in found if _is_about(one, person)]
        prescriptions = [one for one in resources if one.get("resourceType") == "MedicationRequest"]
        return Seen(registered=registered(prescriptions), locks=known_locks(resources), list_version=None)


class _Newest:
    """Of several readings, the newest version of everything."""

    def __init__(self) -> None:
        self._registered: dict[str, Registered] = {}
        self._locks: dict[str, KnownLock] = {}
        self._version: int | None = None

    def take(self, seen: Seen) -> None:
        if seen.list_version is not None:
            self._version = max(self._version or 0, seen.list_version)
        for one in seen.registered:
            if one.id not in self._registered or version_number(one.version) > version_number(
                self._registered[one.id].version
            ):
                self._registered[one.id] = one
        for lock in seen.locks:
            if lock.id not in self._locks or version_number(lock.version) > version_number(
                self._locks[lock.id].version
            ):
                self._locks[lock.id] = lock

    def records(self, kind: LinkKind) -> set[str]:
        """The records of ours that prescriptions, or locks, were seen for."""
        seen = self._registered if kind == "prescription" else self._locks
        return {record for one in seen.values() for record in one.records}

    def nll_ids(self) -> set[str]:
        return {name for one in self._registered.values() for name in (one.id, *one.nll_ids)}

    def lacks(self, known: Mapping[tuple[LinkKind, str], int]) -> bool:
        """Whether something that is known to be there was not seen, or only in an older version."""
        versions: dict[tuple[LinkKind, str], int] = {
            ("prescription", one.id): version_number(one.version) for one in self._registered.values()
        }
        versions |= {("lock", one.id): version_number(one.version) for one in self._locks.values()}
        return any(versions.get(name, -1) < least for name, least in known.items())

    def seen(self) -> Seen:
        return Seen(
            registered=tuple(self._registered[name] for name in sorted(self._registered)),
            locks=tuple(self._locks[name] for name in sorted(self._locks)),
            list_version=self._version,
        )


def _is_about(resource: JsonObject, person: Identifier) -> bool:
    return any(person.value in identifiers(one, person.system) for one in objects(resource.get("contained")))
