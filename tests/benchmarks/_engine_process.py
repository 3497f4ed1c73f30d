"""The processes that are measured: `python -m tests.benchmarks._engine_process KIND KAFKA PREFIX RECORDS`.

`engine` runs the worker until it is stopped; `bare` consumes so many records per partition in a loop that does nothing
else, one transaction per partition and batch, prints how long it took, and ends.
"""

import json
import sys
import time

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from connectors.settings import Settings
from connectors.telemetry import configure
from streams.topology.client import reader_config
from streams.topology.position import Position
from streams.topology.settings import EngineSettings
from streams.topology.writer import Changes, TransactionalWriter
from streams.worker import run_reconciler
from tests.benchmarks._merging import MergingCore

PARTITIONS = 4
BATCH = 50


def engine_settings(kafka: str, prefix: str) -> EngineSettings:
    """Where the run's topics are."""
    return EngineSettings(
        connection=Settings(kafka=kafka),
        group=f"{prefix}group",
        fact_topic=f"{prefix}fact",
        state_topic=f"{prefix}state",
    )


def bare_loop(settings: EngineSettings, out_topic: str, records: int) -> dict[str, float]:
    """Consume, apply, write, with nothing around it: no assignment, no checks, no pipelining, no event loop."""
    cores = [MergingCore(out_topic) for _ in range(PARTITIONS)]
    writers = [TransactionalWriter(settings, partition) for partition in range(PARTITIONS)]
    for writer in writers:
        writer.fence()
    consumer = Consumer(reader_config(settings, "bare"))
    consumer.assign([TopicPartition(settings.fact_topic, p, OFFSET_BEGINNING) for p in range(PARTITIONS)])
    started, cpu = 0.0, time.process_time()
    positions = [0] * PARTITIONS
    while min(positions) < records:
        batches: dict[int, list[bytes]] = {}
        for message in consumer.consume(BATCH, 0.1):
            if message.error() is None:
                batches.setdefault(message.partition() or 0, []).append(message.value() or b"")
        started = started or time.monotonic()
        for partition, values in batches.items():
            decision = cores[partition].apply(values)
            positions[partition] += len(values)
            writers[partition].write(Changes(decision.rows, decision.sends, Position(positions[partition])))
    took = {"seconds": time.monotonic() - started, "cpu_seconds": time.process_time() - cpu}
    consumer.close()
    return took


def main() -> int:
    """Run one kind."""
    kind, kafka, prefix, records = sys.argv[1:]
    settings, out_topic = engine_settings(kafka, prefix), f"{prefix}out"
    configure()
    if kind == "bare":
        print(json.dumps(bare_loop(settings, out_topic, int(records))), flush=True)
        return 0
    return run_reconciler(settings, lambda: MergingCore(out_topic), lambda _at: b"[]")


if __name__ == "__main__":
    sys.exit(main())
