"""The engine against a bare transactional loop with the same core: catch-up on packed records, and live latency.

`make bench BENCH=engine` writes `build/bench/engine.json`. The broker runs on the same machine.
"""

import contextlib
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from confluent_kafka import OFFSET_END, Consumer, Producer, TopicPartition

from tests.benchmarks._engine_process import PARTITIONS
from tests.benchmarks._merging import FACTS_PER_RECORD, record
from tests.benchmarks._results import percentiles, write
from tests.kafka.broker import LocalKafka
from tests.kafka.topics import create_topics

RECORDS_PER_PARTITION = int(os.environ.get("BENCH_RECORDS", "400"))
ROUNDS = 3
LIVE_FACTS = 1000
LIVE_PER_SECOND = 200
DEADLINE_SECONDS = 120.0
POLL_SECONDS = 0.02


def stage(kafka: str) -> str:
    """Fresh topics; their prefix."""
    prefix = f"b{uuid.uuid4().hex[:8]}."
    create_topics(kafka, {f"{prefix}fact": PARTITIONS, f"{prefix}out": PARTITIONS})
    create_topics(kafka, {f"{prefix}state": PARTITIONS}, {"cleanup.policy": "compact"})
    return prefix


def fill(kafka: str, prefix: str) -> int:
    """Write the backlog; how many facts."""
    producer = Producer({"bootstrap.servers": kafka, "enable.idempotence": True, "compression.type": "none"})
    for number in range(RECORDS_PER_PARTITION):
        for partition in range(PARTITIONS):
            value = record(number * FACTS_PER_RECORD, partition, FACTS_PER_RECORD, 0)
            producer.produce(f"{prefix}fact", value=value, partition=partition)
            producer.poll(0)
    producer.flush(DEADLINE_SECONDS)
    return RECORDS_PER_PARTITION * PARTITIONS * FACTS_PER_RECORD


def command(kind: str, kafka: str, prefix: str) -> list[str]:
    """The process that is measured."""
    return [sys.executable, "-m", "tests.benchmarks._engine_process", kind, kafka, prefix, str(RECORDS_PER_PARTITION)]


def measure_bare(kafka: str) -> dict[str, float]:
    """Facts per second and CPU per fact of the bare loop."""
    prefix = stage(kafka)
    facts = fill(kafka, prefix)
    done = subprocess.run(
        command("bare", kafka, prefix), check=True, capture_output=True, text=True, timeout=DEADLINE_SECONDS
    )
    took = json.loads(done.stdout)
    return {"facts_per_second": facts / took["seconds"], "cpu_us_per_fact": took["cpu_seconds"] / facts * 1e6}


@contextlib.contextmanager
def engine(kafka: str, prefix: str) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """A running worker and its log."""
    with tempfile.TemporaryDirectory() as directory:
        log = Path(directory) / "log"
        with log.open("wb") as stream:
            process = subprocess.Popen(command("engine", kafka, prefix), stderr=stream)
        try:
            yield process, log
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(DEADLINE_SECONDS)


def line_of(log: Path, event: str) -> dict[str, Any]:
    """The first log line of the event, waited for."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < deadline:
        for line in log.read_text().splitlines():
            if f'"{event}"' in line:
                found: dict[str, Any] = json.loads(line)
                return found
        time.sleep(POLL_SECONDS)
    raise TimeoutError(f"no {event}:\n{log.read_text()[-2000:]}")


def wait_until_caught_up(log: Path) -> None:
    """Wait for the health endpoint to say so."""
    address = line_of(log, "health.served")["address"]
    deadline = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"http://{address}/caught-up", timeout=5):
            return
        time.sleep(POLL_SECONDS)
    raise TimeoutError("not caught up")


def cpu_seconds(process: subprocess.Popen[bytes]) -> float:
    """User and system time of the process so far."""
    fields = Path(f"/proc/{process.pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure_engine(kafka: str) -> dict[str, float]:
    """Facts per second and CPU per fact of the engine, from the end of its restore to the last durable position."""
    prefix = stage(kafka)
    facts = fill(kafka, prefix)
    with engine(kafka, prefix) as (process, log):
        started = datetime.fromisoformat(line_of(log, "partitions.assigned")["at"]).timestamp()
        cpu = cpu_seconds(process)
        wait_until_caught_up(log)
        seconds, used = time.time() - started, cpu_seconds(process) - cpu
    return {"facts_per_second": facts / seconds, "cpu_us_per_fact": used / facts * 1e6}


def measure_latency(kafka: str) -> dict[str, float]:
    """Milliseconds from writing a single fact to reading its committed list, at a steady rate."""
    prefix = stage(kafka)
    producer = Producer({"bootstrap.servers": kafka, "enable.idempotence": True, "linger.ms": 0})
    consumer = Consumer(
        {"bootstrap.servers": kafka, "group.id": prefix, "isolation.level": "read_committed", "fetch.wait.max.ms": 10}
    )
    consumer.assign([TopicPartition(f"{prefix}out", p, OFFSET_END) for p in range(PARTITIONS)])
    consumer.poll(0.5)
    seen: list[float] = []
    with engine(kafka, prefix) as (_, log):
        wait_until_caught_up(log)
        begun = time.monotonic()
        for number in range(LIVE_FACTS):
            while time.monotonic() < begun + number / LIVE_PER_SECOND:
                seen.extend(latencies(consumer, POLL_SECONDS / 20))
            producer.produce(
                f"{prefix}fact",
                value=record(number, number % PARTITIONS, 1, time.time_ns()),
                partition=number % PARTITIONS,
            )
            producer.poll(0)
        deadline = time.monotonic() + DEADLINE_SECONDS
        while len(seen) < LIVE_FACTS and time.monotonic() < deadline:
            seen.extend(latencies(consumer, POLL_SECONDS))
    consumer.close()
    return {"facts": len(seen), **percentiles(seen[LIVE_PER_SECOND:])}  # the first second warms up


def latencies(consumer: Consumer, wait_seconds: float) -> list[float]:
    """Milliseconds of each list that has come."""
    now_values = [m.value() for m in consumer.consume(100, wait_seconds) if m.error() is None]
    now = time.time_ns()
    return [(now - int(value or 0)) / 1e6 for value in now_values]


def main() -> None:
    """Measure in alternating rounds, so that both see the same machine; print and write the medians."""
    with tempfile.TemporaryDirectory() as directory, LocalKafka(Path(directory) / "broker", for_speed=True) as broker:
        kafka = broker.bootstrap
        rounds = [(measure_bare(kafka), measure_engine(kafka)) for _ in range(ROUNDS)]
        latency = measure_latency(kafka)
    results: dict[str, Any] = {"facts_per_record": FACTS_PER_RECORD, "rounds": ROUNDS}
    for name, runs in zip(("bare_transactional_loop", "engine"), zip(*rounds, strict=True), strict=True):
        for figure in ("facts_per_second", "cpu_us_per_fact"):
            values = [run[figure] for run in runs]
            results.setdefault(name, {})[figure] = round(statistics.median(values), 1)
            results[name][f"{figure}_of_rounds"] = [round(value, 1) for value in values]
    bare = results["bare_transactional_loop"]["facts_per_second"]
    results["engine_of_bare_loop"] = round(results["engine"]["facts_per_second"] / bare, 2)
    results["live_latency_ms"] = latency
    path = write("engine", results)
    print(f"engine {results['engine']['facts_per_second']:.0f} facts/s, bare loop {bare:.0f}; live {latency}; {path}")


if __name__ == "__main__":
    main()
