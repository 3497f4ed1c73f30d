"""One process's memory: `python -m tests.benchmarks._memory_process PATIENTS FACTS PARTITIONS PASSES`; prints `Footprint`, ends.

Loads reconciling cores from rows, as after a restart: so many patients of a region's mix with at most FACTS facts each, over
PARTITIONS cores of one process. Some hundreds of patients are simulated, the others are these under other names. With PASSES,
facts then come again and again for all of them.
"""

import gc
import json
import os
import resource
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
from streams.topology.memory import give_back
from streams.topology.reconciling.core import CLOCK_ROW, ListMark, ReconcilingCore, tick_record
from streams.worker import GC_THRESHOLDS
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
    """Resident at most, while what was read back and what is made of it are both there."""
    load_seconds: float
    """In `load` alone: reading the rows from the broker comes on top."""
    passes: tuple[int, ...]
    """Resident after each pass."""
    pass_facts: int


class Model(msgspec.Struct, frozen=True):
    """The rows of a simulated patient, to be had under any other name."""

    name: bytes
    person: bytes
    rows: dict[str, bytes]
    mark: bytes

    def rows_as(self, name: str, person: str) -> Iterator[tuple[bytes, bytes]]:
        """Keys and values of the state topic."""
        yield f"{name}|m".encode(), self.mark
        new_name, new_person = name.encode(), person.encode()
        for row, value in self.rows.items():
            yield f"{name}|{row}".encode(), value.replace(self.name, new_name).replace(self.person, new_person)


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
    return Model(name.encode(), person.encode(), rows, msgspec.msgpack.encode(mark))


class Cores:
    """The cores of one process, a partition each, and what was loaded into them."""

    def __init__(self, partitions: int) -> None:
        named = {name: name for name in (topics.LIST, topics.CHANGE, topics.QUARANTINE, topics.FORWARD)}
        self._partitions = partitions
        self._cores = [ReconcilingCore(RECONCILER, named, lambda _patient: True) for _ in range(partitions)]
        self.facts = self.row_bytes = self.key_bytes = 0
        self.load_seconds = 0.0

    def load(self, count: int, models: list[Model]) -> None:
        """Load `count` patients as a worker does: the rows of all its partitions are read back, then each core gets its own."""
        rows = [{CLOCK_ROW: tick_record(NOW)} for _ in self._cores]
        for number in range(count):
            person = person_identifier(number)
            name = PSEUDONYM(person)
            one = models[number % len(models)]
            rows[partition_of(name, self._partitions)].update(one.rows_as(name, person.value))
            self.facts += len(one.rows)
        self.row_bytes = sum(sum(map(len, each.values())) for each in rows)
        self.key_bytes = sum(sum(map(len, each)) for each in rows)
        began = time.perf_counter()
        for core in self._cores:
            core.load(rows.pop(0))
        give_back()
        self.load_seconds = time.perf_counter() - began

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


def main() -> int:
    """Load, measure, print."""
    count, facts_most, partitions, passes = map(int, sys.argv[1:])
    gc.set_threshold(*GC_THRESHOLDS)
    models = [model(facts[:facts_most]) for facts in islice(people(), SIMULATED_PATIENTS)]
    empty = resident_bytes()
    cores = Cores(partitions)
    cores.load(count, models)
    loaded = resident_bytes()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
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
