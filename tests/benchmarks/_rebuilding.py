"""How fast lists are rebuilt from the facts and compared with the live ones, by the command itself.

The backlog is one of its own (BENCH_REBUILD_FACTS), so long that the start of the processes does not count for much; what they
cost is measured beside it, on a deployment with hardly any facts. On the way: what a fact costs on the broker's disk, and what a
reconciler needs to read all of it back.
"""

import json
import os
import re
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from connectors.kafka.clients import producer_config
from connectors.pseudonym import pseudonymiser
from contracts.envelope import encode_fact
from contracts.topics import CHANGE, FACT, LIST, STATE
from streams.simulate.load import renamed_mix
from streams.topology.intake.interpreting import EncodedFact
from streams.topology.intake.limits import IntakeLimits
from streams.topology.intake.packing import pack
from tests.benchmarks._catching_up import BATCH_MESSAGES, SEED, produce_all, wait_until_caught_up
from tests.system.medlist import PARTITIONS, PSEUDONYM_KEY, Medlist

FACTS = int(os.environ.get("BENCH_REBUILD_FACTS", "200000"))
FEW_FACTS = 500
SIMULATED_PATIENTS = 256
LONGEST_SECONDS = 900.0
KEPT_TOPICS = (FACT, STATE, LIST, CHANGE)
MEASURED_OUTSIDE = ("whole_seconds", "cpu_seconds", "restart_seconds", "restart_peak_bytes")


def packed_mix(facts: int) -> Iterator[tuple[int, bytes]]:
    """Partition and value of the records that the intake makes of a region's mix when messages wait."""
    mix = islice(renamed_mix(SEED, SIMULATED_PATIENTS, pseudonymiser(PSEUDONYM_KEY.encode())), facts)
    while batch := list(islice(mix, BATCH_MESSAGES)):
        encoded = [EncodedFact(fact.id, (fact.patient,), fact.received_at, encode_fact(fact)) for fact in batch]
        for partition, values in pack(encoded, PARTITIONS, IntakeLimits()).items():
            yield from ((partition, value) for value in values)


def measure_rebuild(kafka: str, directory: Path, broker_data: Path) -> dict[str, Any]:
    """What `medlist rebuild --verify --json` says of a deployment that has taken the backlog in; its stream goes on running.

    `whole_seconds`: from outside, Python's start and imports included; `cpu_seconds` of all its processes. `restart_seconds`,
    `restart_peak_bytes`: a reconciler's start with all that state. `fixed_...`: the same of a deployment with `FEW_FACTS` facts.
    `topic_bytes_per_fact`: on the broker's disk, compressed as our clients do, before any compaction.
    """
    fixed, _ = rebuilt(kafka, directory, FEW_FACTS, broker_data)
    found, sizes = rebuilt(kafka, directory, FACTS, broker_data)
    return found | {
        **{f"fixed_{name}": fixed[name] for name in ("seconds", *MEASURED_OUTSIDE)},
        "topic_bytes_per_fact": {name: round(size / found["facts"], 1) for name, size in sizes.items()},
    }


def rebuilt(kafka: str, directory: Path, facts: int, broker_data: Path) -> tuple[dict[str, Any], dict[str, int]]:
    """The command's own figures for so many facts, and the bytes of each topic."""
    medlist = Medlist(kafka, directory)
    medlist.create_topics()
    topic = medlist.settings.topic(FACT)
    records = ((topic, partition, value, None) for partition, value in packed_mix(facts))
    produce_all(producer_config(medlist.settings), records)
    with medlist.role("reconciler") as reconciler:
        wait_until_caught_up(reconciler, LONGEST_SECONDS)
        began, cpu = time.monotonic(), children_cpu_seconds()
        told = subprocess.run(
            [sys.executable, "-m", "streams.command", "rebuild", "--verify", "--json"],
            env=os.environ | medlist.variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            timeout=LONGEST_SECONDS,
            check=False,
        )
        outside = {
            "whole_seconds": round(time.monotonic() - began, 2),
            "cpu_seconds": round(children_cpu_seconds() - cpu, 2),
        }
        reconciler.end()
    outside |= restart(medlist)
    sizes = bytes_of_topics(broker_data, medlist)
    medlist.delete_topics()
    if not told.stdout:
        raise RuntimeError(f"the rebuild ended with {told.returncode} and said nothing")
    return json.loads(told.stdout.splitlines()[-1]) | outside, sizes


def children_cpu_seconds() -> float:
    """User and system time of all processes that were waited for, and of those that these waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def restart(medlist: Medlist) -> dict[str, float]:
    """From the start of a reconciler, the only one, until it has its state back and goes on; what was resident at most."""
    began = time.monotonic()
    with medlist.role("reconciler") as reconciler:
        reconciler.wait_for("/ready", LONGEST_SECONDS)
        seconds = round(time.monotonic() - began, 2)
        status = Path(f"/proc/{reconciler.popen.pid}/status").read_text(encoding="utf-8")
        reconciler.end()
    (kilobytes,) = re.findall(r"VmHWM:\s+(\d+) kB", status)
    return {"restart_seconds": seconds, "restart_peak_bytes": int(kilobytes) * 1024}


def bytes_of_topics(broker_data: Path, medlist: Medlist) -> dict[str, int]:
    """The bytes of each kept topic's records in the broker's folder."""
    return {name: topic_bytes(broker_data, medlist.settings.topic(name)) for name in KEPT_TOPICS}


def topic_bytes(broker_data: Path, topic: str) -> int:
    """The bytes of a topic's records in the broker's folder."""
    return sum(
        file.stat().st_size for number in range(PARTITIONS) for file in broker_data.glob(f"{topic}-{number}/*.log")
    )
