"""The engine alone, with a core that knows nothing of medicine: catch-up against bare loops, and live latency.

`make bench BENCH=engine` writes `build/bench/engine.json`. The broker runs on the same machine. BENCH_FACTS sets the length
of the backlog.
"""

import os
import tempfile
import time
from pathlib import Path

from confluent_kafka import OFFSET_END, Consumer, Producer, TopicPartition

from connectors.telemetry import configure
from tests.benchmarks._catching_up import command, compare, merging_backlog, stage
from tests.benchmarks._engine_process import PARTITIONS
from tests.benchmarks._merging import record
from tests.benchmarks._results import machine, percentiles, write
from tests.kafka.broker import LocalKafka
from tests.system.process import DEADLINE_SECONDS, Process

FACTS = int(os.environ.get("BENCH_FACTS", "160000"))
ROUNDS = 3
LIVE_FACTS = 1000
LIVE_PER_SECOND = 200
POLL_SECONDS = 0.02


def measure_latency(kafka: str, directory: Path) -> dict[str, float]:
    """Milliseconds from writing a single fact to reading its committed list, at a steady rate."""
    prefix = stage(kafka)
    producer = Producer({"bootstrap.servers": kafka, "enable.idempotence": True, "linger.ms": 0})
    consumer = Consumer(
        {"bootstrap.servers": kafka, "group.id": prefix, "isolation.level": "read_committed", "fetch.wait.max.ms": 10}
    )
    consumer.assign([TopicPartition(f"{prefix}out", p, OFFSET_END) for p in range(PARTITIONS)])
    consumer.poll(0.5)
    seen: list[float] = []
    with Process(command("engine", "merging", kafka, prefix), directory / "engine.log") as process:
        process.wait_for("/caught-up")
        begun = time.monotonic()
        for number in range(LIVE_FACTS):
            while time.monotonic() < begun + number / LIVE_PER_SECOND:
                seen.extend(latencies(consumer, POLL_SECONDS / 20))
            value = record(number, number % PARTITIONS, 1, time.time_ns())
            producer.produce(f"{prefix}fact", value=value, partition=number % PARTITIONS)
            producer.poll(0)
        deadline = time.monotonic() + DEADLINE_SECONDS
        while len(seen) < LIVE_FACTS and time.monotonic() < deadline:
            seen.extend(latencies(consumer, POLL_SECONDS))
        process.end()
    consumer.close()
    return {"facts": len(seen), **percentiles(seen[LIVE_PER_SECOND:])}  # the first second warms up


def latencies(consumer: Consumer, wait_seconds: float) -> list[float]:
    """Milliseconds of each list that has come."""
    values = [message.value() for message in consumer.consume(100, wait_seconds) if message.error() is None]
    now = time.time_ns()
    return [(now - int(value or 0)) / 1e6 for value in values]


def main() -> None:
    """Measure in alternating rounds, so that all see the same machine; print and write the medians."""
    configure("warning")
    before = machine()
    with tempfile.TemporaryDirectory() as name, LocalKafka(Path(name) / "broker", for_speed=True) as broker:
        found = compare(broker.bootstrap, merging_backlog(FACTS), ROUNDS, print)
        latency = measure_latency(broker.bootstrap, Path(name))
    path = write("engine", {"engine_over_bare": found["ratio"], **found, "live_latency_ms": latency}, before)
    print(
        f"engine {found['engine']['facts_per_second']:,.0f} facts/s, {found['ratio']} of the best bare loop; live {latency}"
    )
    print(path)


if __name__ == "__main__":
    main()
