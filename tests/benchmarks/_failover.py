"""How long partitions stand still when their worker dies: killed and started again, killed beside another, asked to stop."""

import signal
import statistics
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from confluent_kafka import OFFSET_END, Consumer, Producer, TopicPartition

from tests.benchmarks._catching_up import command, stage
from tests.benchmarks._engine_process import PARTITIONS
from tests.benchmarks._merging import record
from tests.system.process import DEADLINE_SECONDS, Process

RECORDS_PER_SECOND = 100
BEFORE_SECONDS = 2.0


class Stream:
    """A steady stream of single facts, and when each partition's are seen in what the worker sends."""

    def __init__(self, kafka: str, prefix: str) -> None:
        self._topic = f"{prefix}fact"
        self._producer = Producer({"bootstrap.servers": kafka, "enable.idempotence": True, "linger.ms": 0})
        self._consumer = Consumer(
            {
                "bootstrap.servers": kafka,
                "group.id": prefix,
                "isolation.level": "read_committed",
                "fetch.wait.max.ms": 10,
                "log_level": 0,
            }
        )
        self._consumer.assign([TopicPartition(f"{prefix}out", p, OFFSET_END) for p in range(PARTITIONS)])
        self._consumer.poll(0.5)
        self._number = 0
        self._next_at = time.monotonic()

    def turn(self) -> list[tuple[int, int]]:
        """Write what is due; return partition and time of writing (ns) of the facts that have come out."""
        while time.monotonic() >= self._next_at:
            partition = self._number % PARTITIONS
            value = record(self._number, partition, 1, time.time_ns())
            self._producer.produce(self._topic, value=value, partition=partition)
            self._number += 1
            self._next_at += 1 / RECORDS_PER_SECOND
        self._producer.poll(0)
        came = [message for message in self._consumer.consume(100, 0.005) if message.error() is None]
        return [(message.partition() or 0, int(message.value() or 0)) for message in came]

    def run_until_all(self, since_ns: int, workers: list[Process]) -> float:
        """Go on until every partition has given a fact written after `since_ns`; how many seconds after it that was."""
        left = set(range(PARTITIONS))
        deadline = time.monotonic() + DEADLINE_SECONDS
        while left:
            for partition, written_ns in self.turn():
                if written_ns > since_ns:
                    left.discard(partition)
            if time.monotonic() > deadline:
                raise TimeoutError("\n".join(worker.tail() for worker in workers))
        return (time.time_ns() - since_ns) / 1e9

    def run_for(self, seconds: float) -> None:
        """Go on for a while."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.turn()

    def close(self) -> None:
        """Stop."""
        self._producer.flush(DEADLINE_SECONDS)
        self._consumer.close()


def measure_failover(kafka: str, directory: Path, rounds: int) -> dict[str, float]:
    """Median seconds until every partition goes on, over the rounds."""
    ways: dict[str, Callable[[], float]] = {
        "kill_9_and_restart": partial(restarted, kafka, directory),
        "kill_9_beside_another": partial(beside_another, kafka, directory, signal.SIGKILL),
        "sigterm_beside_another": partial(beside_another, kafka, directory, signal.SIGTERM),
    }
    return {name: round(statistics.median(way() for _ in range(rounds)), 2) for name, way in ways.items()}


def restarted(kafka: str, directory: Path) -> float:
    """One worker under a name that it keeps, killed and started again at once, as a supervisor would."""
    prefix = stage(kafka)
    with ExitStack() as stack:
        worker = stack.enter_context(Process(command("engine:pod-0", "merging", kafka, prefix), directory / "one.log"))
        worker.wait_for("/ready")
        stream = Stream(kafka, prefix)
        stream.run_until_all(time.time_ns(), [worker])
        stream.run_for(BEFORE_SECONDS)
        since = time.time_ns()
        worker.end(signal.SIGKILL)
        again = stack.enter_context(Process(command("engine:pod-0", "merging", kafka, prefix), directory / "one.log"))
        seconds = stream.run_until_all(since, [again])
        stream.close()
    return seconds


def beside_another(kafka: str, directory: Path, number: signal.Signals) -> float:
    """Two workers; one of them ends, and the other takes its partitions over."""
    prefix = stage(kafka)
    with ExitStack() as stack:
        workers = [
            stack.enter_context(Process(command("engine", "merging", kafka, prefix), directory / f"{name}.log"))
            for name in ("first", "second")
        ]
        stream = Stream(kafka, prefix)
        for worker in workers:
            worker.wait_for("/ready")
        stream.run_until_all(time.time_ns(), workers)
        stream.run_for(BEFORE_SECONDS)
        since = time.time_ns()
        workers[0].popen.send_signal(number)
        seconds = stream.run_until_all(since, workers)
        stream.close()
    return seconds
