"""A stage for delivery tests: topics, numbered records, worker processes, and the verdict over the stored state."""

import json
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

import msgspec
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, Producer, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # documented there, but not re-exported by its types
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourceType,
)

from tests.kafka.topics import create_topics
from tests.streams.topology.counter_worker import TICK_KEY, Plan

PARTITIONS = 4
KEYS = 20
DEADLINE_SECONDS = 100.0
POLL_SECONDS = 0.05
WORKER = Path(__file__).with_name("counter_worker.py")


class Verdict(NamedTuple):
    """Numbers that are missing, and numbers that are there more than once."""

    lost: int
    twice: int


class Worker(AbstractContextManager["Worker"]):
    """A worker process; dead when the context ends."""

    def __init__(self, plan: Plan, log: Path) -> None:
        self.log = log
        with log.open("ab") as stream:
            self._begin = stream.tell()
            self.process = subprocess.Popen(
                [sys.executable, str(WORKER), msgspec.json.encode(plan).decode()], stderr=stream
            )

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.process.kill()
        self.process.wait()

    def lines(self) -> list[dict[str, object]]:
        """What this worker has logged, line by line."""
        text = self.log.read_bytes()[self._begin :].decode()
        return [json.loads(line) for line in text.splitlines() if line.startswith("{") and line.endswith("}")]

    def ask(self, path: str) -> tuple[int, bytes]:
        """Status and body of the health endpoint; status 0 when it does not answer."""
        address = next((line["address"] for line in self.lines() if line["event"] == "health.served"), None)
        if address is None:
            return 0, b""
        try:
            with urllib.request.urlopen(f"http://{address}{path}", timeout=5) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.read()
        except OSError:
            return 0, b""

    def wait_for(self, path: str) -> None:
        """Return when the endpoint says yes; `AssertionError` when the worker dies or the deadline passes before, as in every wait."""
        self._wait_until(lambda: self.ask(path)[0] == 200, path)

    def wait_until_applied(self, records: int) -> None:
        """Return when this process has applied at least so many records."""
        self._wait_until(lambda: self.applied() >= records, f"{records} records applied")

    def wait_until_owning(self, partitions: int) -> None:
        """Return when this process owns so many partitions and knows where they stand."""
        self._wait_until(lambda: self._owned() == partitions, f"{partitions} partitions owned")

    def wait_for_file(self, path: Path) -> None:
        """Return when the process has made a file."""
        self._wait_until(path.exists, f"{path.name} made")

    def _wait_until(self, done: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not done():
            ended = self.process.poll()
            assert ended is None, f"the worker ended with {ended}:\n{self.log.read_text()[-3000:]}"
            assert time.monotonic() < deadline, f"not {what} in time:\n{self.log.read_text()[-3000:]}"
            time.sleep(POLL_SECONDS)

    def _owned(self) -> int:
        return len(json.loads(self.ask("/")[1] or b'{"partitions": {}}')["partitions"])

    def applied(self) -> int:
        """How many records this process has applied."""
        figures = self.ask("/metrics")[1].decode().splitlines()
        found = (line.split()[1] for line in figures if line.startswith("medlist_engine_records_total"))
        return int(float(next(found, "0")))

    def end(self, number: signal.Signals) -> int:
        """Send a signal and wait for the end; the exit status."""
        self.process.send_signal(number)
        return self.process.wait(DEADLINE_SECONDS)


class Stage:
    """One fact topic with its state and out topic, and all records ever written to it."""

    def __init__(self, kafka: str, prefix: str, directory: Path, partitions: int = PARTITIONS) -> None:
        self.kafka = kafka
        self.partitions = partitions
        self.directory = directory
        self.plan = Plan(
            kafka=kafka,
            group=f"{prefix}group",
            fact_topic=f"{prefix}fact",
            state_topic=f"{prefix}state",
            out_topic=f"{prefix}out",
            once=str(directory / "once"),
        )
        create_topics(kafka, {f"{prefix}fact": self.partitions, f"{prefix}out": self.partitions})
        create_topics(kafka, {f"{prefix}state": self.partitions}, {"cleanup.policy": "compact"})
        self.produced = 0

    def produce(self, count: int, *, compression: str = "none", behind: bytes = b"") -> None:
        """Write so many more numbered records, spread over keys and partitions, with some bytes behind the number."""
        producer = Producer(
            {
                "bootstrap.servers": self.kafka,
                "enable.idempotence": True,
                "compression.type": compression,
                "log_level": 0,
            }
        )
        for number in range(self.produced, self.produced + count):
            key = number % KEYS
            producer.produce(
                self.plan.fact_topic, value=b"k%d:%d" % (key, number) + behind, partition=key % self.partitions
            )
            producer.poll(0)
        assert producer.flush(DEADLINE_SECONDS) == 0
        self.produced += count

    def start(self, **changes: object) -> Worker:
        """A worker of this stage; `changes` to the plan."""
        return Worker(msgspec.structs.replace(self.plan, **changes), self.directory / "worker.log")

    def run_until_caught_up(self, **changes: object) -> int:
        """Start a worker, again after every status 70, until everything is applied; then stop it. How many starts."""
        starts = 0
        deadline = time.monotonic() + DEADLINE_SECONDS
        while time.monotonic() < deadline:
            starts += 1
            with self.start(**changes) as worker:
                while worker.process.poll() is None and worker.ask("/caught-up")[0] != 200:
                    assert time.monotonic() < deadline, f"not caught up:\n{worker.log.read_text()[-3000:]}"
                    time.sleep(POLL_SECONDS)
                if worker.process.poll() is None:
                    assert worker.end(signal.SIGTERM) == 0
                    return starts
                assert worker.process.returncode == 70, worker.log.read_text()[-3000:]
        raise AssertionError(f"not caught up after {starts} starts")

    def wait_for_members(self, workers: int) -> None:
        """Return when the group has so many workers."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while self.members() != workers:
            assert time.monotonic() < deadline, f"never {workers} members"
            time.sleep(POLL_SECONDS)

    def members(self) -> int:
        """How many workers the group has."""
        admin = AdminClient({"bootstrap.servers": self.kafka, "log_level": 0})
        described = admin.describe_consumer_groups([self.plan.group])[self.plan.group]
        return len(described.result(DEADLINE_SECONDS).members)

    def move_offsets(self, offsets: dict[int, int]) -> None:
        """Set the group's committed offsets, as an outsider would; the group must be empty."""
        consumer = Consumer({"bootstrap.servers": self.kafka, "group.id": self.plan.group, "log_level": 0})
        topic = self.plan.fact_topic
        consumer.commit(offsets=[TopicPartition(topic, p, offset) for p, offset in offsets.items()], asynchronous=False)
        consumer.close()

    def limit_rows(self, largest_bytes: int | None) -> None:
        """Let the state topic refuse larger records; `None` for none of ours."""
        wished = str(largest_bytes or 2_000_000)
        entry = ConfigEntry("max.message.bytes", wished, incremental_operation=AlterConfigOpType.SET)
        resource = ConfigResource(ResourceType.TOPIC, self.plan.state_topic, incremental_configs=[entry])
        admin = AdminClient({"bootstrap.servers": self.kafka, "log_level": 0})
        admin.incremental_alter_configs([resource])[resource].result(DEADLINE_SECONDS)

    def truncate(self, before: int) -> None:
        """Delete all fact records below the offset, in every partition, as retention would."""
        admin = AdminClient({"bootstrap.servers": self.kafka, "log_level": 0})
        tops = [TopicPartition(self.plan.fact_topic, p, before) for p in range(self.partitions)]
        for future in admin.delete_records(tops).values():
            future.result(DEADLINE_SECONDS)

    def replace_facts(self) -> None:
        """Delete the fact topic and make it anew, empty."""
        admin = AdminClient({"bootstrap.servers": self.kafka, "log_level": 0})
        for future in admin.delete_topics([self.plan.fact_topic]).values():
            future.result(DEADLINE_SECONDS)
        deadline = time.monotonic() + DEADLINE_SECONDS
        while self.plan.fact_topic in admin.list_topics(timeout=DEADLINE_SECONDS).topics:
            assert time.monotonic() < deadline
            time.sleep(POLL_SECONDS)
        create_topics(self.kafka, {self.plan.fact_topic: self.partitions})

    def verdict(self) -> Verdict:
        """Lost and doubled numbers over the stored rows: the last committed row of each key."""
        rows = {
            k: value
            for k, value in self._committed(self.plan.state_topic)
            if not k.startswith(b"\x00") and k != TICK_KEY
        }
        return self._judge(number for row in rows.values() for number in json.loads(row))

    def verdict_of_sends(self) -> Verdict:
        """Lost and doubled numbers over everything sent along."""
        assert self.plan.out_topic is not None
        return self._judge(int(value) for _, value in self._committed(self.plan.out_topic))

    def sent_along(self) -> int:
        """How many records were sent along, and committed."""
        assert self.plan.out_topic is not None
        return sum(1 for _ in self._committed(self.plan.out_topic))

    def fact_records(self) -> int:
        """How many records the fact topic holds."""
        consumer = Consumer({"bootstrap.servers": self.kafka, "group.id": "counting", "log_level": 0})
        marks = [
            consumer.get_watermark_offsets(TopicPartition(self.plan.fact_topic, p)) for p in range(self.partitions)
        ]
        consumer.close()
        return sum(high - low for low, high in marks)

    def _judge(self, numbers: Iterable[int]) -> Verdict:
        seen = Counter(numbers)
        return Verdict(
            lost=len(set(range(self.produced)) - set(seen)),
            twice=sum(count - 1 for count in seen.values() if count > 1),
        )

    def _committed(self, topic: str) -> Iterable[tuple[bytes, bytes]]:
        consumer = Consumer(
            {
                "bootstrap.servers": self.kafka,
                "group.id": f"{topic}-verdict",
                "isolation.level": "read_committed",
                "auto.offset.reset": "error",
                "enable.partition.eof": True,
                "log_level": 0,
            }
        )
        consumer.assign([TopicPartition(topic, p, OFFSET_BEGINNING) for p in range(self.partitions)])
        left = set(range(self.partitions))
        deadline = time.monotonic() + DEADLINE_SECONDS
        while left:
            assert time.monotonic() < deadline, f"{topic} has no end"
            for message in consumer.consume(1000, 0.1):
                error = message.error()
                if error is None:
                    yield message.key() or b"", message.value() or b""
                elif error.code() == KafkaError._PARTITION_EOF:
                    left.discard(message.partition() or 0)
                else:
                    raise AssertionError(error.str())
        consumer.close()
