"""One partition: rebuilt from the facts, compared with the live state and lists, and written where that is asked for."""

import time
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime

import msgspec

from streams.topology.core import Core
from streams.topology.position import Position
from streams.topology.rebuilding.comparing import Difference, compare, hash_of_list
from streams.topology.rebuilding.folding import Folded, UnreadableFactsError, fold, groups, patient_of
from streams.topology.rebuilding.grouping import Grouping
from streams.topology.rebuilding.reading import fact_records, newest_lists
from streams.topology.reconciling.core import CLOCK_ROW, tick_record
from streams.topology.restore import read_back
from streams.topology.settings import EngineSettings

ROUNDS = 5
"""How often patients are looked at again whose list moved on while it was being looked at."""

TELL_RECORDS = 50


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """What one partition is rebuilt with. `fresh_core` makes the partition's empty core."""

    settings: EngineSettings
    list_topic: str
    number: int
    fresh_core: Callable[[], Core]
    is_mine: Callable[[str], bool]


class Step(msgspec.Struct, frozen=True):
    """How far a partition is: records read of all, facts folded of all that were read."""

    number: int
    read: int
    records: int
    folded: int
    facts: int


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What the comparison of one partition found. `list_hashes`: patient to the SHA-256 of the rebuilt list."""

    number: int
    records: int
    facts: int
    seconds: float
    list_hashes: dict[str, bytes]
    live_list_hashes: dict[str, bytes]
    differences: list[Difference]
    patients: int


Tell = Callable[[Step], None]


class Live(msgspec.Struct, frozen=True):
    """The live side at one moment: rows by patient, the clock row, the position, and the newest lists."""

    rows: Mapping[str, Mapping[bytes, bytes]]
    clock: bytes | None
    position: Position
    lists: Mapping[str, bytes]

    @property
    def patients(self) -> set[str]:
        """Every patient of whom there is a row or a list."""
        return set(self.rows) | set(self.lists)


def look(place: Place) -> Live:
    """Read the live side: first the state, then the lists, which may therefore be newer."""
    restored = read_back(place.settings, [place.number])[place.number]
    rows = dict(restored.rows)
    clock = rows.pop(CLOCK_ROW, None)
    lists = newest_lists(place.settings, place.list_topic, place.number)
    return Live(rows_by_patient(rows), clock, restored.position, lists)


def rows_by_patient(rows: Mapping[bytes, bytes]) -> dict[str, dict[bytes, bytes]]:
    """Return state rows by the patient whom they belong to."""
    found: dict[str, dict[bytes, bytes]] = {}
    for key, value in rows.items():
        found.setdefault(patient_of(key), {})[key] = value
    return found


class Rebuild:
    """The facts of one partition as far as they were read, and what they become."""

    def __init__(self, place: Place, tell: Tell) -> None:
        self._place = place
        self._tell = tell
        self._grouping = Grouping(place.is_mine)
        self._checked = False
        self._end = 0
        self.records = 0
        self.last_record = b""

    @property
    def facts(self) -> int:
        """How many facts were read."""
        return self._grouping.facts

    @property
    def patients(self) -> Collection[str]:
        """Of whom there are facts."""
        return self._grouping.events.keys()

    @property
    def clock(self) -> bytes:
        """The clock row that belongs to what was read."""
        return tick_record(self.at)

    @property
    def at(self) -> datetime:
        """The moment that the lists are made for."""
        return self._grouping.clock

    def read_to(self, end: int) -> None:
        """Read the fact topic on, up to, not including, offset `end`. Raises as `fact_records`."""
        for record in fact_records(self._place.settings, self._place.number, self.records, end):
            self._grouping.add(record)
            self.last_record = record
            self.records += 1
            if self.records % TELL_RECORDS == 0 or self.records == end:
                self._tell(Step(self._place.number, self.records, end, 0, self.facts))
        self._end = end

    def fold(self, patients: Collection[str]) -> Iterable[tuple[str, Folded]]:
        """Yield what the facts of each of `patients` become."""
        try:
            yield from self._fold(patients)
        except UnreadableFactsError:
            if self._checked:
                raise
            self._checked = True
            self._grouping = Grouping(self._place.is_mine, checked=True)
            self.records = 0
            self.read_to(self._end)
            yield from self._fold(patients)

    def _fold(self, patients: Collection[str]) -> Iterable[tuple[str, Folded]]:
        events, clock = self._grouping.events, self._grouping.clock
        wanted = sorted(patient for patient in patients if patient in events)
        facts = sum(len(events[patient]) for patient in wanted)
        done = 0
        for group in groups(events, wanted):
            yield from fold(self._place.fresh_core(), self._place.list_topic, clock, events, group).items()
            done += sum(len(events[patient]) for patient in group)
            self._tell(Step(self._place.number, self.records, self._end, done, facts))


def verify(place: Place, tell: Tell) -> Verdict:
    """Rebuild a partition up to the live position, write nothing, and tell everything that differs.

    The stream may go on meanwhile: a patient whose list was written after the state was read is looked at again. Raises
    `EngineError`, `KafkaException`, `TimeoutError`.
    """
    started = time.monotonic()
    rebuild = Rebuild(place, tell)
    live = look(place)
    rebuild.read_to(live.position.next_offset)
    hashes: dict[str, bytes] = {}
    differences = clock_difference(rebuild, live)
    found = _compare(rebuild, live, live.patients | set(rebuild.patients), hashes)
    for _ in range(ROUNDS):
        moved = [patient for patient, theirs in found.items() if theirs and all(_is_of_list(one) for one in theirs)]
        if not moved:
            break
        newer = look(place)
        if newer.position == live.position and newer.lists == live.lists:
            break
        live = newer
        rebuild.read_to(live.position.next_offset)
        found |= _compare(rebuild, live, moved, hashes)
    return Verdict(
        number=place.number,
        records=rebuild.records,
        facts=rebuild.facts,
        seconds=time.monotonic() - started,
        list_hashes=hashes,
        live_list_hashes={patient: hash_of_list(one) for patient, one in live.lists.items()},
        differences=differences + [one for theirs in found.values() for one in theirs],
        patients=len(rebuild.patients),
    )


def clock_difference(rebuild: Rebuild, live: Live) -> list[Difference]:
    """The live clock must be that of the facts; an empty state has none."""
    expected = rebuild.clock if rebuild.records else None
    return [] if live.clock == expected else [Difference("", "clock")]


def _compare(
    rebuild: Rebuild, live: Live, patients: Collection[str], hashes: dict[str, bytes]
) -> dict[str, list[Difference]]:
    clock = rebuild.at
    found: dict[str, list[Difference]] = {}
    for patient, folded in rebuild.fold(patients):
        if folded.medication_list:
            hashes[patient] = hash_of_list(folded.medication_list)
        found[patient] = compare(patient, folded, live.rows.get(patient, {}), live.lists.get(patient), clock)
    for patient in set(patients) - found.keys():
        found[patient] = compare(patient, None, live.rows.get(patient, {}), live.lists.get(patient), clock)
    return found


def _is_of_list(one: Difference) -> bool:
    return one.kind in {"list-missing", "list-extra", "list-differs"}
