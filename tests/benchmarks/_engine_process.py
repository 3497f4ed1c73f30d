"""The processes that are measured: `python -m tests.benchmarks._engine_process KIND CORE KAFKA PREFIX`.

KIND `engine` runs the worker until it is stopped, `engine:NAME` under a name that it keeps over restarts; `bare:N` consumes all that is there, N records at a time, in a loop that
does nothing else, one transaction per partition and batch, prints how long it took, and ends. CORE is `merging` (the newest
version wins, nothing of medicine) or `reconciling` (the real one).
"""

import json
import sys
import time
from collections.abc import Callable

import msgspec
from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from connectors.pseudonym import partition_of
from connectors.settings import Settings
from connectors.telemetry import configure
from contracts import topics
from streams.command.knowledge import reconciler
from streams.topology.client import reader_config
from streams.topology.core import Core
from streams.topology.position import Position
from streams.topology.reconciling.core import ReconcilingCore, tick_record
from streams.topology.settings import EngineSettings
from streams.topology.writer import Changes, TransactionalWriter
from streams.worker import run_reconciler
from tests.benchmarks._merging import MergingCore

PARTITIONS = 4
END_SECONDS = 30.0


class Took(msgspec.Struct, frozen=True):
    """Wall time from the assignment to the last commit, CPU time, and how many records."""

    seconds: float
    cpu_seconds: float
    records: int


def engine_settings(kafka: str, prefix: str, name: str | None = None) -> EngineSettings:
    """Where the run's topics are. Nothing tells the time: the records are all that happens."""
    return EngineSettings(
        connection=Settings(kafka=kafka, instance_id=name),
        group=f"{prefix}group",
        fact_topic=f"{prefix}fact",
        state_topic=f"{prefix}state",
        wake_ups=False,
    )


def core_factory(core: str, prefix: str) -> Callable[[int], Core]:
    """What makes the core of a partition."""
    out = f"{prefix}out"
    if core == "merging":
        return lambda _number: MergingCore(out)
    named = dict.fromkeys((topics.CHANGE, topics.QUARANTINE, topics.FORWARD), f"{prefix}aside") | {topics.LIST: out}
    bound = reconciler()

    def make(number: int) -> Core:
        return ReconcilingCore(bound, named, lambda patient: partition_of(patient, PARTITIONS) == number)

    return make


def bare_loop(settings: EngineSettings, make: Callable[[int], Core], batch_records: int) -> Took:
    """Consume, apply, write, with nothing around it: no assignment, no checks, no pipelining, no event loop."""
    cores = [make(partition) for partition in range(PARTITIONS)]
    writers = [TransactionalWriter(settings, partition) for partition in range(PARTITIONS)]
    for writer in writers:
        writer.fence()
    consumer = Consumer(reader_config(settings, "bare"))
    places = [TopicPartition(settings.fact_topic, p, OFFSET_BEGINNING) for p in range(PARTITIONS)]
    left = sum(consumer.get_watermark_offsets(place, timeout=END_SECONDS)[1] for place in places)
    records = left
    consumer.assign(places)
    started, cpu = time.monotonic(), time.process_time()
    positions = [0] * PARTITIONS
    while left:
        batches: dict[int, list[bytes]] = {}
        for message in consumer.consume(batch_records, 0.1):
            if message.error() is None:
                batches.setdefault(message.partition() or 0, []).append(message.value() or b"")
        for partition, values in batches.items():
            decision = cores[partition].apply(values)
            positions[partition] += len(values)
            writers[partition].write(Changes(decision.rows, decision.sends, Position(positions[partition])))
            left -= len(values)
    took = Took(time.monotonic() - started, time.process_time() - cpu, records)
    consumer.close()
    return took


def main() -> int:
    """Run one kind."""
    kind, core, kafka, prefix = sys.argv[1:]
    kind, _, detail = kind.partition(":")
    settings, make = engine_settings(kafka, prefix, (kind == "engine" and detail) or None), core_factory(core, prefix)
    configure()
    if kind == "bare":
        took = bare_loop(settings, make, int(detail))
        print(json.dumps(msgspec.to_builtins(took)), flush=True)
        return 0
    return run_reconciler(settings, make, tick_record)


if __name__ == "__main__":
    sys.exit(main())
