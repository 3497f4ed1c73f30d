"""The reconciler alone, without a broker: facts a second on a region's mix, and what a fact costs a long history.

`make bench BENCH=core` writes `build/bench/core.json`; BENCH_FACTS sets how many facts the mix has.
"""

import gc
import os
import statistics
import time
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

from contracts.fact import Fact
from streams.command.knowledge import reconciler
from streams.reconcile.state import PatientState
from streams.simulate.load import history, region_mix
from streams.topology.memory import GC_THRESHOLDS
from tests.benchmarks._results import machine, percentiles, write

SEED = 20261122
MIX_FACTS = int(os.environ.get("BENCH_FACTS", "40000"))
BATCH_FACTS = 5_000
"""What the stream folds at once in catch-up: half a second's worth (`streams/topology/batching.py`)."""

SMALL_BATCH_FACTS = 500
ROUNDS = 3
LENGTHS = (10, 100, 1_000, 10_000)
SAMPLES = 400
ADDED_FACTS = 5
"""Facts added to one history before the next is built: few, so that a short one stays short."""

RECONCILER = reconciler()


class Region:
    """The patients of a region, and the bytes that keeping them costs."""

    def __init__(self) -> None:
        self.patients: dict[str, PatientState] = {}
        self.rewritten_bytes = 0
        self.list_bytes = 0
        self.lists = 0

    def take(self, facts: Iterable[Fact]) -> None:
        """Take a batch in as the stream does: each touched patient's changed rows and list are encoded once."""
        arrived: dict[str, list[Fact]] = {}
        for fact in facts:
            arrived.setdefault(fact.patient, []).append(fact)
        for name, theirs in arrived.items():
            patient = self.patients.get(name)
            if patient is None:
                patient = self.patients[name] = PatientState(name, RECONCILER)
            rewritten, listed = update(patient, theirs)
            self.rewritten_bytes += rewritten
            self.list_bytes += listed
            self.lists += 1

    def state_bytes(self) -> list[int]:
        """The size of each patient's rows."""
        return [state_bytes(patient) for patient in self.patients.values()]


def update(patient: PatientState, facts: Sequence[Fact]) -> tuple[int, int]:
    """Take facts in, encode the rows that changed, make the list: the bytes of both."""
    rewritten = sum(len(patient.encode(row)) for row in patient.add(facts).rows)
    when = max(fact.received_at for fact in facts)
    return rewritten, len(patient.patient.view_at(when).encoded)


def state_bytes(patient: PatientState) -> int:
    """The size of a patient's rows."""
    return sum(map(len, patient.rows().values()))


def measure_mix(facts: Sequence[Fact], batch_facts: int) -> dict[str, float]:
    """The mix through an empty region, in batches of `batch_facts`."""
    batches = [facts[at : at + batch_facts] for at in range(0, len(facts), batch_facts)]
    region = Region()
    gc.collect()
    wall, cpu = time.perf_counter(), time.process_time()
    for batch in batches:
        region.take(batch)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    sizes = region.state_bytes()
    return {
        "facts_per_second": len(facts) / wall,
        "facts_per_cpu_second": len(facts) / cpu,
        "facts_per_list": len(facts) / region.lists,
        "patients": len(sizes),
        "state_bytes": statistics.mean(sizes),
        "rewritten_bytes_per_fact": region.rewritten_bytes / len(facts),
        "list_bytes": region.list_bytes / region.lists,
    }


def medians(runs: Sequence[dict[str, float]]) -> dict[str, Any]:
    """The median of each figure, and the rounds of the two that vary."""
    found: dict[str, Any] = {name: round(statistics.median(run[name] for run in runs), 1) for name in runs[0]}
    for name in ("facts_per_second", "facts_per_cpu_second"):
        found[f"{name}_of_rounds"] = [round(run[name], 1) for run in runs]
    return found


def measure_length(length: int) -> dict[str, float]:
    """What one more fact costs a patient with `length` facts: wall and CPU microseconds, bytes of state, bytes rewritten."""
    wall_us: list[float] = []
    cpu_us: list[float] = []
    rewritten: list[int] = []
    size = 0
    while len(wall_us) < SAMPLES:
        patient, added = grown(length, SEED + len(wall_us), SAMPLES if length >= SAMPLES else ADDED_FACTS)
        size = size or state_bytes(patient)
        for fact in added:
            wall, cpu = time.perf_counter(), time.process_time()
            bytes_of_rows, _ = update(patient, (fact,))
            wall_us.append((time.perf_counter() - wall) * 1e6)
            cpu_us.append((time.process_time() - cpu) * 1e6)
            rewritten.append(bytes_of_rows)
    spread = percentiles(wall_us)
    return {
        "us_per_fact": spread["p50"],
        "us_per_fact_p99": spread["p99"],
        "cpu_us_per_fact": round(statistics.median(cpu_us), 2),
        "state_bytes": size,
        "rewritten_bytes_per_fact": round(statistics.mean(rewritten), 1),
    }


def grown(length: int, seed: int, more: int) -> tuple[PatientState, list[Fact]]:
    """A patient with a history whose list has been made, and the facts that come next."""
    facts = history(length + more, seed)
    patient = PatientState(facts[0].patient, RECONCILER)
    update(patient, facts[:length])
    update(patient, facts[length - 1 : length])
    gc.collect()
    return patient, facts[length:]


def main() -> None:
    """Measure, print, write."""
    gc.set_threshold(*GC_THRESHOLDS)  # as in the worker
    before = machine()
    facts = list(islice(region_mix(SEED), MIX_FACTS))
    batched = medians([measure_mix(facts, BATCH_FACTS) for _ in range(ROUNDS)])
    small = medians([measure_mix(facts, SMALL_BATCH_FACTS) for _ in range(ROUNDS)])
    single = medians([measure_mix(facts, 1) for _ in range(ROUNDS)])
    lengths = {str(length): measure_length(length) for length in LENGTHS}
    us_per_fact = {length: found["us_per_fact"] for length, found in lengths.items()}
    ratio = round(us_per_fact[str(LENGTHS[-1])] / us_per_fact[str(LENGTHS[0])], 2)
    path = write(
        "core",
        {
            "facts_per_second": batched["facts_per_second"],
            "us_per_fact": us_per_fact,
            "us_per_fact_ratio_longest_to_shortest": ratio,
            "state_bytes": batched["state_bytes"],
            "rewritten_bytes_per_fact": batched["rewritten_bytes_per_fact"],
            "facts": len(facts),
            "rounds": ROUNDS,
            "mix_in_batches": {"batch_facts": BATCH_FACTS, **batched},
            "mix_in_small_batches": {"batch_facts": SMALL_BATCH_FACTS, **small},
            "mix_one_by_one": {"batch_facts": 1, **single},
            "by_history_length": lengths,
        },
        before,
    )
    print(f"region's mix, {len(facts)} facts, {batched['patients']:.0f} patients (medians of {ROUNDS} rounds)")
    for name, found in ((f"in batches of {BATCH_FACTS}", batched), ("one by one", single)):
        print(
            f"  {name:18} {found['facts_per_second']:9,.0f} facts/s, {found['facts_per_cpu_second']:9,.0f} per CPU second,"
            f" {found['facts_per_list']:4.1f} facts per list, {found['rewritten_bytes_per_fact']:6,.0f} bytes rewritten per fact"
        )
    print(f"  state per patient {batched['state_bytes']:,.0f} bytes, a list {batched['list_bytes']:,.0f} bytes")
    print("one more fact to a history of")
    for length, found in lengths.items():
        print(
            f"  {int(length):6,} facts {found['us_per_fact']:9.1f} us (p99 {found['us_per_fact_p99']:.0f}, CPU"
            f" {found['cpu_us_per_fact']:.1f}), state {found['state_bytes']:,} bytes"
        )
    print(f"  ratio {LENGTHS[-1]:,} to {LENGTHS[0]}: {ratio}; {path}")


if __name__ == "__main__":
    main()
