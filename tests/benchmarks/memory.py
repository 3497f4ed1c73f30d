"""What a patient costs in memory and in state, at several sizes, and whether memory stays flat; no broker.

`make bench BENCH=memory` writes `build/bench/memory.json`. Each size is a process of its own that loads reconciling cores from
rows, as after a restart. BENCH_MEMORY_FACTS is how many facts a patient has at most at the largest size (20: the whole mix of 200,000
patients does not fit into this machine); the smaller sizes have the whole mix.
"""

import json
import os
import statistics
import subprocess
import sys
from itertools import islice
from typing import Any

import msgspec
from cramjam import zstd

from contracts.envelope import encode_fact
from streams.reconcile.patient import Patient
from streams.topology.reconciling.core import REMEMBERED_PATIENTS
from tests.benchmarks._memory_process import NOW, RECONCILER, Footprint, people
from tests.benchmarks._results import machine, write
from tests.system.medlist import PARTITIONS

ALL_FACTS = 1_000_000
FEWER_FACTS = int(os.environ.get("BENCH_MEMORY_FACTS", "20"))
SIZES = ((1_000, ALL_FACTS, 1), (10_000, ALL_FACTS, 0), (200_000, FEWER_FACTS, 0))
"""Patients, facts of a patient at most, passes."""

SOAK_PATIENTS = REMEMBERED_PATIENTS + 200
"""In one partition: more than it keeps decoded, so that each pass decodes some anew and forgets others."""
SOAK_PASSES = 5
SAMPLE_PATIENTS = 200
LONGEST_SECONDS = 600.0


def footprint(patients: int, facts_most: int, partitions: int, passes: int) -> Footprint:
    """A process of its own, measured by itself."""
    command = [sys.executable, "-m", "tests.benchmarks._memory_process"]
    arguments = [str(number) for number in (patients, facts_most, partitions, passes)]
    done = subprocess.run(
        [*command, *arguments], check=True, stdout=subprocess.PIPE, text=True, timeout=LONGEST_SECONDS
    )
    return msgspec.convert(json.loads(done.stdout), Footprint, strict=False)


def per_patient(found: Footprint) -> dict[str, Any]:
    """The figures of one size."""
    resident = found.resident_bytes - found.empty_bytes
    told: dict[str, Any] = {
        "facts_per_patient": round(found.facts / found.patients, 1),
        "resident_bytes_per_patient": round(resident / found.patients),
        "resident_bytes_per_fact": round(resident / found.facts),
        "peak_bytes_per_fact": round((found.peak_bytes - found.empty_bytes) / found.facts),
        "state_bytes_per_patient": round((found.row_bytes + found.key_bytes) / found.patients),
        "empty_process_bytes": found.empty_bytes,
        "resident_gib": round(found.resident_bytes / 2**30, 2),
        "peak_gib": round(found.peak_bytes / 2**30, 2),
        "load_seconds": found.load_seconds,
    }
    if found.passes:
        decoded = found.passes[-1] - found.resident_bytes
        told["more_bytes_per_patient_kept_decoded"] = round(decoded / found.patients)
        told["more_bytes_per_fact_kept_decoded"] = round(decoded / found.facts)
    return told


def flatness(found: Footprint) -> dict[str, Any]:
    """Resident memory over passes. The first pass fills what is kept decoded; `growth` is from the second to the last."""
    return {
        "patients": found.patients,
        "facts_a_pass": found.pass_facts,
        "resident_mib_at_start": round(found.resident_bytes / 2**20, 1),
        "resident_mib_after_each_pass": [round(each / 2**20, 1) for each in found.passes],
        "growth_percent": round(100 * (found.passes[-1] / found.passes[1] - 1), 1),
    }


def sample() -> dict[str, Any]:
    """Mean bytes of a fact and of a list of the mix: as they are, and compressed one by one, as a record of its own would be."""
    facts: list[bytes] = []
    lists: list[bytes] = []
    for theirs in islice(people(), SAMPLE_PATIENTS):
        facts += map(encode_fact, theirs)
        patient: Patient = RECONCILER.patient(theirs[0].patient)
        patient.add(theirs)
        lists.append(patient.view_at(NOW).encoded)
    return {
        f"{name}_bytes{suffix}": round(statistics.mean(len(measure(one)) for one in ones))
        for name, ones in (("fact", facts), ("list", lists))
        for suffix, measure in (("", bytes), ("_compressed_alone", zstd.compress))
    }


def main() -> None:
    """Measure, print, write."""
    before = machine()
    sizes: dict[str, Any] = {}
    for patients, facts_most, passes in SIZES:
        sizes[str(patients)] = per_patient(footprint(patients, facts_most, PARTITIONS, passes))
        print(f"  {patients:8,} patients: {sizes[str(patients)]}", flush=True)
    flat = flatness(footprint(SOAK_PATIENTS, FEWER_FACTS, 1, SOAK_PASSES))
    print(f"  soak: {flat}", flush=True)
    bytes_of = sample()
    print(f"  {bytes_of}")
    print(write("memory", {"by_patients": sizes, "soak": flat, "sample": bytes_of}, before))


if __name__ == "__main__":
    main()
