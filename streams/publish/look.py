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
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final, Literal

import msgspec

from connectors.nll.client import NllClient
from connectors.nll.outcomes import Accepted, Outcome, Unavailable
from connectors.nll.requests import Task, contained_patient_id
from contracts.publication import Link
from contracts.systems import NLL_PRESCRIPTION, PERSONNUMMER
from contracts.values import Identifier
from mappings.fhir.elements import identifiers, objects
from mappings.fhir.exact_json import JsonObject
from mappings.fhir.medication_request import ContainedPatient, KnownPatient, Subject
from mappings.fhir.vocabulary import RECORD
from streams.publish.actual import Registered, registered
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
    """The prescriptions of one patient, by id, and the version of the list before they were read."""

    registered: tuple[Registered, ...]
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
    """Reads one patient's prescriptions, and remembers what is known to be there."""

    def __init__(self, client: NllClient, desired: Desired, known: tuple[Link, ...], certainty: Certainty) -> None:
        self._client = client
        self._records = [*(one.record for one in desired.wanted), *(one.record for one in desired.retire)]
        asked = set(self._records)
        self._hoped = hoped_for(desired)
        self._known = {link.id: _number(link.version) for link in known if link.ours and link.record in asked}
        self._reads = READS[certainty]

    def wrote(self, name: str | None, version: str | None) -> None:
        """The endpoint told that it holds this version: what is read from now on must not be older."""
        if name is not None:
            self._known[name] = max(_number(version), self._known.get(name, 0))

    async def __call__(self, subject: Subject, task: Task) -> Seen | Outcome:
        """Return what is there, or why nothing can be said."""
        newest: dict[str, Registered] = {}
        version: int | None = None
        for turn in range(READS["unknown"]):
            if turn >= self._reads and self._sees_hoped(newest.values()):
                break
            seen = await self._once(subject, task)
            if not isinstance(seen, Seen):
                return seen
            version = max(version or 0, seen.list_version) if seen.list_version is not None else version
            for one in seen.registered:
                if one.id not in newest or _number(one.version) > _number(newest[one.id].version):
                    newest[one.id] = one
        self._reads = 1
        if any(name not in newest or _number(newest[name].version) < least for name, least in self._known.items()):
            self._reads = READS["unknown"]
            return STALE_READ
        return Seen(registered=tuple(newest[name] for name in sorted(newest)), list_version=version)

    async def _once(self, subject: Subject, task: Task) -> Seen | Outcome:
        version: int | None = None
        found: list[JsonObject] | Outcome
        match subject:
            case KnownPatient():
                told = await self._client.list_version(task)
                if not isinstance(told, int):
                    return told
                version = told
                found = await self._client.prescriptions(task)
            case ContainedPatient(person=person):
                found = await self._of_records(person, task)
        return Seen(registered=registered(found), list_version=version) if isinstance(found, list) else found

    def _sees_hoped(self, seen: Iterable[Registered]) -> bool:
        return self._hoped <= {name for one in seen for name in (one.id, *one.nll_ids)}

    async def _of_records(self, person: Identifier, task: Task) -> list[JsonObject] | Outcome:
        """A contained patient has no list to search: each record, and each predecessor, is looked for by itself."""
        names = [Identifier(system=RECORD, value=record) for record in self._records]
        names += [Identifier(system=NLL_PRESCRIPTION, value=name) for name in sorted(self._hoped)]
        resources: list[JsonObject] = []
        for name in names:
            found = await self._client.by_identifier(name, task)
            if not isinstance(found, list):
                return found
            resources += [one for one in found if _is_about(one, person)]
        return resources


def _is_about(resource: JsonObject, person: Identifier) -> bool:
    return any(person.value in identifiers(one, person.system) for one in objects(resource.get("contained")))


def _number(version: str | None) -> int:
    """A version as a number, since NLL counts them; one that is none compares as the oldest."""
    return int(version) if version is not None and version.isascii() and version.isdigit() else 0
