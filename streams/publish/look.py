"""Looking at what the endpoint holds for a patient, and judging whether what was seen is fresh enough to act upon.

A read may be older than our own last write (a replica that lags). Acting upon it would create twice, or leave an older state
standing. So:
- what we know to be there, by id and version, must be in what was read; else the read is stale and nothing is concluded;
- after an attempt whose outcome is not known, and for a patient that this process has not settled before (an earlier one
  may have ended in the middle), it is read several times, and of every prescription the newest version counts;
- so is it when a prescription is not seen that another says it takes over from;
- the version of the patient's list is read before the list: a change after that makes our writes stale, not wrong.
"""

from collections import OrderedDict
from collections.abc import Mapping
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
from streams.publish.succession import hoped_for

Certainty = Literal["settled", "unseen", "unknown"]
"""Of the last attempt for a patient: it ended well; this process made none; it failed, and may have written."""

READS: Final[Mapping[Certainty, int]] = MappingProxyType({"settled": 1, "unseen": 2, "unknown": 3})
"""How often to read, by what is known of the last attempt for the patient."""

PEOPLE_MOST: Final = 50_000
STALE_READ: Final = Unavailable(reason="stale-read")


class NotKnownThere(msgspec.Struct, frozen=True):
    """The endpoint has nobody with this number."""


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """The prescriptions of one patient and our locks on them, by id, and the list's version before they were read."""

    registered: tuple[Registered, ...]
    locks: tuple[KnownLock, ...] = ()
    list_version: int | None


class People:
    """Who patients are at the endpoint; remembers the last many that were found."""

    def __init__(self, client: NllClient) -> None:
        self._client = client
        self._found: OrderedDict[Identifier, str] = OrderedDict()

    async def subject(self, person: Identifier, task: Task) -> tuple[Subject, Task] | NotKnownThere | Outcome:
        """Return how the person is named in resources, and the task that is about that person."""
        if person.system != PERSONNUMMER:
            return ContainedPatient(person), msgspec.structs.replace(task, patient_id=contained_patient_id(person))
        name = self._found.get(person)
        if name is None:
            outcome = await self._client.find_patient(person, task)
            if not isinstance(outcome, Accepted):
                return outcome
            if outcome.id is None:
                return NotKnownThere()
            name = self._found[person] = outcome.id
            if len(self._found) > PEOPLE_MOST:
                self._found.popitem(last=False)
        return KnownPatient(name), msgspec.structs.replace(task, patient_id=name)

    def forget(self, person: Identifier) -> None:
        """Look the person up again next time: something about it was refused."""
        self._found.pop(person, None)


class Look:
    """Reads one patient's prescriptions and our locks on them, and remembers what is known to be there."""

    def __init__(self, client: NllClient, desired: Desired, known: tuple[Link, ...], certainty: Certainty) -> None:
        self._client = client
        self._records = [*(one.record for one in desired.wanted), *(one.record for one in desired.retire)]
        self._listed = [*self._records, *(one.record for one in desired.held)]
        asked = set(self._records)
        self._hoped = hoped_for(desired)
        self._known = {
            (link.kind, link.id): _number(link.version)
            for link in known
            if link.ours and (link.record in asked or link.kind == "lock")
        }
        self._locking = any(one.how == "lock" for one in desired.retire) or any(one.kind == "lock" for one in known)
        self._reads = READS[certainty]

    def wrote(self, kind: LinkKind, name: str | None, version: str | None) -> None:
        """The endpoint told that it holds this version: what is read from now on must not be older."""
        if name is not None:
            self._known[kind, name] = max(_number(version), self._known.get((kind, name), 0))

    async def __call__(self, subject: Subject, task: Task) -> Seen | Outcome:
        """Return what is there, or why nothing can be said."""
        newest = _Newest()
        for turn in range(READS["unknown"]):
            if turn >= self._reads and self._hoped <= newest.nll_ids():
                break
            seen = await self._once(subject, task)
            if not isinstance(seen, Seen):
                return seen
            newest.take(seen)
        self._reads = 1
        if newest.lacks(self._known):
            self._reads = READS["unknown"]
            return STALE_READ
        return newest.seen()

    async def _once(self, subject: Subject, task: Task) -> Seen | Outcome:
        if isinstance(subject, ContainedPatient):
            return await self._by_names(subject.person, task)
        told = await self._client.list_info(task)
        if not isinstance(told, ListInfo):
            return told
        found = await self._client.prescriptions(task)
        if not isinstance(found, list):
            return found
        locks = await self._client.locks(task) if told.locked or self._locking else []
        if not isinstance(locks, list):
            return locks
        return Seen(registered=registered(found), locks=known_locks(locks), list_version=told.version)

    async def _by_names(self, person: Identifier, task: Task) -> Seen | Outcome:
        """A contained patient has no list to search: each record, and each predecessor, is looked for by itself."""
        names = [("MedicationRequest", Identifier(system=RECORD, value=record)) for record in self._records]
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
            if one.id not in self._registered or _number(one.version) > _number(self._registered[one.id].version):
                self._registered[one.id] = one
        for lock in seen.locks:
            if lock.id not in self._locks or _number(lock.version) > _number(self._locks[lock.id].version):
                self._locks[lock.id] = lock

    def nll_ids(self) -> set[str]:
        return {name for one in self._registered.values() for name in (one.id, *one.nll_ids)}

    def lacks(self, known: Mapping[tuple[LinkKind, str], int]) -> bool:
        """Whether something that is known to be there was not seen, or only in an older version."""
        versions: dict[tuple[LinkKind, str], int] = {
            ("prescription", one.id): _number(one.version) for one in self._registered.values()
        }
        versions |= {("lock", one.id): _number(one.version) for one in self._locks.values()}
        return any(versions.get(name, -1) < least for name, least in known.items())

    def seen(self) -> Seen:
        return Seen(
            registered=tuple(self._registered[name] for name in sorted(self._registered)),
            locks=tuple(self._locks[name] for name in sorted(self._locks)),
            list_version=self._version,
        )


def _is_about(resource: JsonObject, person: Identifier) -> bool:
    return any(person.value in identifiers(one, person.system) for one in objects(resource.get("contained")))


def _number(version: str | None) -> int:
    """A version as a number, since NLL counts them; one that is none compares as the oldest."""
    return int(version) if version is not None and version.isascii() and version.isdigit() else 0
