"""A backlog of packed facts, and how fast the engine and a bare loop with the same core get through it."""

import json
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
from confluent_kafka import Producer

from connectors.kafka.clients import producer_config
from connectors.settings import Settings
from contracts.envelope import encode_fact
from streams.simulate.load import region_mix
from streams.topology.intake.interpreting import EncodedFact
from streams.topology.intake.limits import IntakeLimits
from streams.topology.intake.packing import pack
from tests.benchmarks._engine_process import PARTITIONS, Took
from tests.benchmarks._merging import FACTS_PER_RECORD, record
from tests.kafka.topics import create_topics
from tests.system.process import DEADLINE_SECONDS, Process

BATCH_MESSAGES = IntakeLimits().batch_messages
SEED = 20261122
LONGEST_SECONDS = 300.0
ASK_EVERY_SECONDS = 0.1
BARE_BATCHES = (400, 1600, 4000)
"""Records that the bare loop takes at once; the better of them is what the engine is held against."""


class Backlog(msgspec.Struct, frozen=True):
    """Records of one core's kind: partition and value, in order."""

    core: str
    facts: int
    records: Sequence[tuple[int, bytes]]


class Run(msgspec.Struct, frozen=True):
    """One way through a backlog."""

    facts_per_second: float
    cpu_us_per_fact: float


def merging_backlog(facts: int) -> Backlog:
    """Made-up facts without medicine, about 440 bytes each."""
    per_partition = facts // FACTS_PER_RECORD // PARTITIONS
    records = [
        (partition, record(number * FACTS_PER_RECORD, partition, FACTS_PER_RECORD, 0))
        for number in range(per_partition)
        for partition in range(PARTITIONS)
    ]
    return Backlog("merging", len(records) * FACTS_PER_RECORD, records)


def reconciling_backlog(facts: int) -> Backlog:
    """A region's mix, packed as the intake packs it when messages wait: a batch of messages at a time."""
    mix = [
        EncodedFact(fact.id, (fact.patient,), fact.received_at, encode_fact(fact))
        for fact in islice(region_mix(SEED), facts)
    ]
    records = [
        (partition, value)
        for at in range(0, len(mix), BATCH_MESSAGES)
        for partition, values in pack(mix[at : at + BATCH_MESSAGES], PARTITIONS, IntakeLimits()).items()
        for value in values
    ]
    return Backlog("reconciling", facts, records)


def stage(kafka: str) -> str:
    """Fresh topics; their prefix."""
    prefix = f"b{uuid.uuid4().hex[:8]}."
    create_topics(kafka, {f"{prefix}{name}": PARTITIONS for name in ("fact", "out", "aside")})
    create_topics(kafka, {f"{prefix}state": PARTITIONS}, {"cleanup.policy": "compact"})
    return prefix


def fill(kafka: str, backlog: Backlog) -> str:
    """Fresh topics with the backlog in them; their prefix."""
    prefix = stage(kafka)
    produce(kafka, f"{prefix}fact", backlog)
    return prefix


def produce(kafka: str, topic: str, backlog: Backlog, *, keyed: bool = False) -> None:
    """Write the backlog, compressed as the intake does; `keyed` by partition, for engines that keep their state by key."""
    produce_all(
        producer_config(Settings(kafka=kafka)),
        ((topic, partition, value, b"%d" % partition if keyed else None) for partition, value in backlog.records),
    )


def produce_all(config: Mapping[str, Any], records: Iterable[tuple[str, int, bytes, bytes | None]]) -> None:
    """Write records (topic, partition, value, key) and wait until all are acknowledged."""
    producer = Producer({**config, "log_level": 0, "delivery.report.only.error": True})
    for number, (topic, partition, value, key) in enumerate(records):
        while True:
            try:
                producer.produce(topic, value=value, partition=partition, key=key)
                break
            except BufferError:
                producer.poll(0.1)
        if number % 1000 == 0:
            producer.poll(0)
    if producer.flush(DEADLINE_SECONDS):
        raise TimeoutError("the backlog could not be written")


def command(kind: str, core: str, kafka: str, prefix: str) -> list[str]:
    """The process that is measured."""
    return [sys.executable, "-m", "tests.benchmarks._engine_process", kind, core, kafka, prefix]


def run_bare(kafka: str, backlog: Backlog, batch_records: int) -> Run:
    """The bare loop through the backlog."""
    prefix = fill(kafka, backlog)
    done = subprocess.run(
        command(f"bare:{batch_records}", backlog.core, kafka, prefix),
        check=True,
        capture_output=True,
        text=True,
        timeout=LONGEST_SECONDS,
    )
    took = msgspec.convert(json.loads(done.stdout), Took)
    return Run(backlog.facts / took.seconds, took.cpu_seconds / backlog.facts * 1e6)


def run_engine(kafka: str, backlog: Backlog) -> Run:
    """The engine through the backlog, from the end of its restore to the last durable position."""
    prefix = fill(kafka, backlog)
    with (
        tempfile.TemporaryDirectory() as directory,
        Process(command("engine", backlog.core, kafka, prefix), Path(directory) / "engine.log") as process,
    ):
        started = datetime.fromisoformat(process.line_of("partitions.assigned")["at"])
        cpu = process.cpu_seconds()
        wait_until_caught_up(process)
        seconds, used = (datetime.now(started.tzinfo) - started).total_seconds(), process.cpu_seconds() - cpu
        process.end()
    return Run(backlog.facts / seconds, used / backlog.facts * 1e6)


def wait_until_caught_up(process: Process, within_seconds: float = LONGEST_SECONDS) -> None:
    """Return when nothing is left to do; asked seldom, since every answer costs the process that is measured."""
    deadline = time.monotonic() + within_seconds
    while process.ask("/caught-up")[0] != 200:
        process.require_alive()
        if time.monotonic() > deadline:
            raise TimeoutError(f"not caught up within {within_seconds} s:\n{process.tail()}")
        time.sleep(ASK_EVERY_SECONDS)


def compare(kafka: str, backlog: Backlog, rounds: int, tell: Callable[[str], None]) -> dict[str, Any]:
    """Engine and bare loops through the same backlog: see `alternating`."""
    ways: dict[str, Callable[[], Run]] = {
        f"bare_{size}_records": partial(run_bare, kafka, backlog, size) for size in BARE_BATCHES
    }
    ways["engine"] = partial(run_engine, kafka, backlog)
    found = alternating(ways, rounds, lambda text: tell(f"{backlog.core} core, {text}"))
    return {"ratio": over_best(found, "engine"), "facts": backlog.facts, "records": len(backlog.records), **found}


def alternating(
    ways: Mapping[str, Callable[[], Run]], rounds: int, tell: Callable[[str], None]
) -> dict[str, dict[str, Any]]:
    """Run each way once per round, so that all see the same machine: medians, and the rounds behind them."""
    runs: dict[str, list[Run]] = {name: [] for name in ways}
    for number in range(rounds):
        for name, way in ways.items():
            run = way()
            runs[name].append(run)
            tell(f"round {number + 1}: {name} {run.facts_per_second:,.0f} facts/s, {run.cpu_us_per_fact:.0f} us CPU")
    return {name: summary(theirs) for name, theirs in runs.items()}


def over_best(found: Mapping[str, Mapping[str, Any]], ours: str) -> float:
    """The median rate of `ours` over that of the best other way; above 1 it is faster than all of them."""
    best = max(float(each["facts_per_second"]) for name, each in found.items() if name != ours)
    return round(float(found[ours]["facts_per_second"]) / best, 2)


def summary(runs: Sequence[Run]) -> dict[str, Any]:
    """Medians, and the rounds behind them."""
    rates = [round(run.facts_per_second, 1) for run in runs]
    cpu = [round(run.cpu_us_per_fact, 1) for run in runs]
    return {
        "facts_per_second": statistics.median(rates),
        "cpu_us_per_fact": statistics.median(cpu),
        "facts_per_second_of_rounds": rates,
        "cpu_us_per_fact_of_rounds": cpu,
    }
