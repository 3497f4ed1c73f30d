"""One process's memory: `python -m tests.benchmarks._memory_process PATIENTS FACTS PARTITIONS PASSES`; prints `Footprint`, ends.

Loads reconciling cores from rows, as after a restart: so many patients of a region's mix with at most FACTS facts each, over
PARTITIONS cores of one process. Some hundreds of patients are simulated, the others are these under other names. With PASSES,
facts then come again and again for all of them.
"""

import gc
import json
import os
import re
import sys
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

import msgspec

from connectors.pseudonym import partition_of, pseudonymiser
from contracts import topics
from contracts.envelope import encode_batch, encode_fact
from contracts.fact import Fact
from streams.command.knowledge import reconciler
from streams.reconcile.state import PatientState, row_of
from streams.simulate.load import renamed_patients
from streams.simulate.persons import person_identifier
from streams.topology.memory import GC_THRESHOLDS, give_back
from streams.topology.reconciling.archive import MARK, StoredRows
from streams.topology.reconciling.core import CLOCK_ROW, ListMark, ReconcilingCore, tick_record
from streams.topology.restore import FETCH_RECORDS
from tests.benchmarks._catching_up import SEED
from tests.system.medlist import PSEUDONYM_KEY

SIMULATED_PATIENTS = 256
NOW = datetime(2026, 11, 1, tzinfo=UTC)
BATCH_PATIENTS = 50

RECONCILER = reconciler()
PSEUDONYM = pseudonymiser(PSEUDONYM_KEY.encode())


class Footprint(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes and seconds of one process."""

    patients: int
    facts: int
    row_bytes: int
    """Values of all state rows."""
    key_bytes: int
    empty_bytes: int
    """Resident, with everything imported and the models simulated."""
    resident_bytes: int
    """The same when the patients are loaded and what they were loaded from is gone."""
    peak_bytes: int
    """Resident at most meanwhile."""
    load_seconds: float
    """Of taking rows in and loading alone: reading them from the broker comes on top."""
    passes: tuple[int, ...]
    """Resident after each pass."""
    pass_facts: int


class Model(msgspec.Struct, frozen=True):
    """The rows of a simulated patient, to be had under any other name."""

    name: bytes
    person: bytes
    rows: list[tuple[str, bytes]]
    """The mark is the last."""

    def row_as(self, place: int, name: str, person: str) -> tuple[bytes, bytes]:
        """Key and value of one of the rows in the state topic."""
        row, value = self.rows[place]
        own = value.replace(self.name, name.encode()).replace(self.person, person.encode())
        return f"{name}|{row}".encode(), own


def people() -> Iterator[list[Fact]]:
    """The facts of each patient, without end."""
    for batch in renamed_patients(SEED, SIMULATED_PATIENTS, PSEUDONYM):
        yield from batch


def model(facts: list[Fact]) -> Model:
    """What is stored of a patient: a row per fact, and the mark of the list."""
    name = facts[0].patient
    state = PatientState(name, RECONCILER)
    state.add(facts)
    view = state.patient.view_at(NOW)
    mark = ListMark(
        digest=view.digest,
        made_at=NOW,
        rules=RECONCILER.rules.identity,
        next_change_at=view.medication_list.next_change_at,
    )
    person = facts[0].content.person.value
    rows = {row_of(fact): encode_fact(fact) for fact in facts}
    return Model(name.encode(), person.encode(), [*rows.items(), (MARK, msgspec.msgpack.encode(mark))])


def written(count: int, models: list[Model]) -> Iterator[tuple[str, bytes, bytes]]:
    """Patient, key and value of the rows of `count` patients, a row of each in turn: as they come in, and the worst for packing."""
    for place in range(max(len(one.rows) for one in models)):
        for number in range(count):
            one = models[number % len(models)]
            if place < len(one.rows):
                person = person_identifier(number)
                name = PSEUDONYM(person)
                yield name, *one.row_as(place, name, person.value)


class Cores:
    """The cores of one process, a partition each, and what was loaded into them."""

    def __init__(self, partitions: int) -> None:
        named = {name: name for name in (topics.LIST, topics.CHANGE, topics.QUARANTINE, topics.FORWARD)}
        self._partitions = partitions
        self._cores = [ReconcilingCore(RECONCILER, named, lambda _patient: True) for _ in range(partitions)]
        self.facts = self.row_bytes = self.key_bytes = 0
        self.load_seconds = 0.0

    def load(self, count: int, models: list[Model]) -> None:
        """Load `count` patients as a worker does: rows are taken in as they come, then each core gets its own."""
        stored = [StoredRows() for _ in self._cores]
        for one in stored:
            one.put(CLOCK_ROW, tick_record(NOW))
        rows = written(count, models)
        while fetched := list(islice(rows, FETCH_RECORDS)):
            began = time.perf_counter()
            for name, key, row in fetched:
                stored[partition_of(name, self._partitions)].put(key, row)
            self.load_seconds += time.perf_counter() - began
            self.row_bytes += sum(len(row) for _, _, row in fetched)
            self.key_bytes += sum(len(key) for _, key, _ in fetched)
        self.facts = sum(len(models[number % len(models)].rows) - 1 for number in range(count))
        began = time.perf_counter()
        for core in self._cores:
            core.load(stored.pop(0))
        give_back()
        self.load_seconds += time.perf_counter() - began

    def take(self, facts: Iterable[Fact]) -> None:
        """Apply facts to the cores that they belong to."""
        by_core: dict[int, list[Fact]] = {}
        for fact in facts:
            by_core.setdefault(partition_of(fact.patient, self._partitions), []).append(fact)
        for number, theirs in by_core.items():
            self._cores[number].apply([encode_batch(theirs)])


def soak(cores: Cores, count: int, facts_most: int, passes: int) -> tuple[list[int], int]:
    """Facts of all patients again and again; resident bytes after each pass, and how many facts a pass has.

    Each fact says that it was received a second earlier than it said before: the row is written again, the list made again,
    and the state is as large as before. So what grows is not state.
    """
    resident: list[int] = []
    taken = 0
    for number in range(1, passes + 1):
        earlier = timedelta(seconds=number)
        taken = 0
        everybody = islice(people(), count)
        while batch := list(islice(everybody, BATCH_PATIENTS)):
            again = [
                msgspec.structs.replace(fact, received_at=fact.received_at - earlier)
                for facts in batch
                for fact in facts[:facts_most]
            ]
            taken += len(again)
            cores.take(again)
        resident.append(resident_bytes())
    return resident, taken


def resident_bytes() -> int:
    """Memory in use, once what can be thrown away is thrown away."""
    gc.collect()
    fields = Path("/proc/self/statm").read_text(encoding="utf-8").split()
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE")


def forget_peak() -> None:
    """Begin to measure the peak anew: what was needed for the models does not count. Source: Linux, proc(5), ``clear_refs``."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def peak_bytes() -> int:
    """Most that was resident since."""
    (kilobytes,) = re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="utf-8"))
    return int(kilobytes) * 1024


def main() -> int:
    """Load, measure, print."""
    count, facts_most, partitions, passes = map(int, sys.argv[1:])
    gc.set_threshold(*GC_THRESHOLDS)
    models = [model(facts[:facts_most]) for facts in islice(people(), SIMULATED_PATIENTS)]
    give_back()
    empty = resident_bytes()
    forget_peak()
    cores = Cores(partitions)
    cores.load(count, models)
    loaded = resident_bytes()
    peak = peak_bytes()
    after, pass_facts = soak(cores, count, facts_most, passes)
    found = Footprint(
        patients=count,
        facts=cores.facts,
        row_bytes=cores.row_bytes,
        key_bytes=cores.key_bytes,
        empty_bytes=empty,
        resident_bytes=loaded,
        peak_bytes=peak,
        load_seconds=round(cores.load_seconds, 2),
        passes=tuple(after),
        pass_facts=pass_facts,
    )
    print(json.dumps(msgspec.to_builtins(found)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
