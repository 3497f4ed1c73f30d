"""The book of one patient: every message that any system sends, and which course each is really about."""

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import uuid5

from contracts.fact import NAMESPACE, Fact, Origin, make_fact
from contracts.facts.base import Content
from contracts.facts.correction import Retraction
from contracts.values import Identifier
from streams.simulate.clock import DAY, HOUR, MINUTE
from streams.simulate.courses import Course
from streams.simulate.persons import person_identifier, person_number, pseudonym

_NUMBERED: Final = frozenset({"hospital", "dose-pharmacy"})
"""Sources that number the versions of their records."""


@dataclass(slots=True, kw_only=True)
class Record:
    """One record of a source. ``course`` ``None``: it is about no treatment; ``taken_back``: retracted."""

    source: str
    source_id: str
    course: Course | None
    versions: int = 0
    taken_back: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One fact, and the record that it is a version of."""

    fact: Fact
    record: Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """When something is true, and when its source recorded it."""

    occurred_at: datetime | None
    recorded_at: datetime


def at(moment: datetime) -> Times:
    """Return the times of something that is recorded when it happens."""
    return Times(occurred_at=moment, recorded_at=moment)


def late(occurred_at: datetime, recorded_at: datetime) -> Times:
    """Return the times of something that is recorded at another time than it happens."""
    return Times(occurred_at=occurred_at, recorded_at=recorded_at)


@dataclass(slots=True)
class Book:
    """Collects the entries of one patient, and delivers each message as well or badly as its course is fated to."""

    seed: int
    index: int
    rng: random.Random
    entries: list[Entry] = field(default_factory=list)
    deliveries: list[Fact] = field(default_factory=list)
    _numbers: int = 0
    person: Identifier = field(init=False)
    patient: str = field(init=False)

    def __post_init__(self) -> None:
        self.person = person_identifier(self.index)
        self.patient = pseudonym(person_number(self.index))

    def chance(self, share: float) -> bool:
        """Return true in ``share`` of all cases."""
        return self.rng.random() < share

    def number(self) -> str:
        """Return the next number, unique in this world."""
        self._numbers += 1
        return f"{self.index:06d}-{self._numbers}"

    def national_id(self) -> str:
        """Return a new id as the national list gives them (a UUID), derived from seed, patient and number."""
        return str(uuid5(NAMESPACE, f"simulated|{self.seed}|{self.number()}"))

    def record(self, source: str, prefix: str, course: Course | None) -> Record:
        """Open a new record of a source."""
        return Record(source=source, source_id=f"{prefix}-{self.number()}", course=course)

    def write(self, record: Record, content: Content, times: Times) -> Fact:
        """Write one version of a record and deliver it."""
        record.versions += 1
        origin = Origin(
            source=record.source,
            source_id=record.source_id,
            patient=self.patient,
            version=record.versions if record.source in _NUMBERED else None,
            occurred_at=times.occurred_at,
            recorded_at=times.recorded_at,
        )
        kinds = record.course.kinds if record.course is not None else frozenset[str]()
        fact = make_fact(origin, content, times.recorded_at + self._delay("wrong-order" in kinds))
        self.entries.append(Entry(fact=fact, record=record))
        self.deliveries.append(fact)
        if "duplicate" in kinds and self.chance(0.2):
            again = fact.received_at + timedelta(minutes=self.rng.randint(1, 5000))
            self.deliveries.append(make_fact(origin, content, again))
        return fact

    def take_back(self, record: Record, recorded_at: datetime) -> None:
        """Retract a record: it should never have been written. One in five retractions arrives before its original."""
        record.taken_back = True
        content = Retraction(person=self.person, target=Identifier(system=record.source, value=record.source_id))
        self.write(self.record(record.source, "X", None), content, at(recorded_at))
        original = self.entries[-2].fact
        if self.chance(0.2) and original in self.deliveries:
            self.deliveries.remove(original)
            origin = Origin(**{name: getattr(original, name) for name in Origin.__struct_fields__})
            self.deliveries.append(make_fact(origin, original.content, recorded_at + DAY))

    def _delay(self, slow: bool) -> timedelta:  # noqa: FBT001
        delay = timedelta(seconds=self.rng.randint(1, 300))
        if slow and self.chance(0.2):
            delay += self.rng.randint(1, 144) * HOUR + self.rng.randint(0, 59) * MINUTE
        return delay
