"""Our engine and other engines through the same job: made-up facts of patients, the newest version of each wins.

Each way runs as processes that stay up over two passes of the same length: the first warms up (assignment, caches, Java's
compiler), the second counts. A pass is from the broker's time of its first fact to that of its last committed result, so
that writing the facts, which every way suffers alike, is part of it and start-up is not.
"""

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec
from confluent_kafka import OFFSET_BEGINNING, Consumer, ConsumerGroupTopicPartitions, TopicPartition
from confluent_kafka.admin import AdminClient

from tests.benchmarks._catching_up import Backlog, command, produce, stage, wait_until_caught_up
from tests.benchmarks._engine_process import PARTITIONS
from tests.benchmarks._packing_process import group_of
from tests.kafka.topics import create_topics
from tests.system.process import DEADLINE_SECONDS, Process

LONGEST_SECONDS = 300.0
POLL_SECONDS = 0.2
PASSES = 2


class Engine(msgspec.Struct, frozen=True):
    """Ours. With single facts, the intake's loop (`_packing_process`) packs them first, in the measured path."""

    share: int = 1

    def __call__(self, kafka: str, backlog: Backlog, directory: Path, *, single: bool) -> float:
        """Facts a second of the second pass."""
        prefix = stage(kafka)
        source = f"{prefix}{'in' if single else 'fact'}"
        with ExitStack() as stack:
            engine = stack.enter_context(Process(command("engine", "merging", kafka, prefix), directory / "engine.log"))
            wait_until_caught_up(engine)
            if single:
                create_topics(kafka, {source: PARTITIONS})
                packing = [sys.executable, "-m", "tests.benchmarks._packing_process", kafka, prefix]
                stack.enter_context(Process(packing, directory / "packing.log")).line_of("intake.assigned")
            rate = 0.0
            for _ in range(PASSES):
                before = ends_of(kafka, source)
                produce(kafka, source, backlog)
                if single:
                    wait_until_committed(kafka, group_of(prefix), source, engine)
                wait_until_caught_up(engine)
                rate = backlog.facts / pass_seconds(kafka, source, before, f"{prefix}out")
            engine.end()
        return rate


class Peer(msgspec.Struct, frozen=True):
    """Another engine: the command that takes broker, prefix and a state folder, and the topics it needs besides.

    `share`: it gets one of so many parts of the backlog, where the whole would take minutes.
    """

    job: str
    command: tuple[str, ...]
    more_topics: tuple[str, ...] = ()
    share: int = 1

    def __call__(self, kafka: str, backlog: Backlog, directory: Path, *, single: bool) -> float:
        """Facts a second of the second pass."""
        prefix = stage(kafka)
        if self.more_topics:
            names = {f"{prefix}{name}": PARTITIONS for name in self.more_topics}
            create_topics(kafka, names, {"cleanup.policy": "compact"})
        arguments = [*self.command, kafka, prefix, tempfile.mkdtemp(dir=directory)]
        rate, topic = 0.0, f"{prefix}fact"
        with Process(arguments, directory / f"{self.job}.log") as process:
            for _ in range(PASSES):
                before = ends_of(kafka, topic)
                produce(kafka, topic, backlog, keyed=True)
                wait_until_committed(kafka, f"{prefix}group", topic, process)
                rate = backlog.facts / pass_seconds(kafka, topic, before, f"{prefix}out")
        return rate


def ends_of(kafka: str, topic: str) -> dict[int, int]:
    """Where each partition's log ends."""
    with consumer_of(kafka) as consumer:
        places = [TopicPartition(topic, number) for number in range(PARTITIONS)]
        return {place.partition: consumer.get_watermark_offsets(place, timeout=DEADLINE_SECONDS)[1] for place in places}


def wait_until_committed(kafka: str, group: str, topic: str, process: Process) -> None:
    """Return when the group has committed everything."""
    admin = AdminClient({"bootstrap.servers": kafka, "log_level": 0})
    ends = ends_of(kafka, topic)
    places = [TopicPartition(topic, number) for number in range(PARTITIONS)]
    deadline = time.monotonic() + LONGEST_SECONDS
    while time.monotonic() < deadline:
        process.require_alive()
        asked = ConsumerGroupTopicPartitions(group, places)
        found = admin.list_consumer_group_offsets([asked])[group].result(DEADLINE_SECONDS)
        if all(place.offset >= ends[place.partition] for place in found.topic_partitions):
            return
        time.sleep(POLL_SECONDS)
    raise TimeoutError(f"not committed in time:\n{process.tail()}")


def pass_seconds(kafka: str, source: str, begin: dict[int, int], out: str) -> float:
    """Seconds from the first fact at or after `begin` to the last committed result, by the broker's clock."""
    with consumer_of(kafka) as consumer:
        firsts = [first_time(consumer, TopicPartition(source, number, offset)) for number, offset in begin.items()]
        return (last_time(consumer, out) - min(firsts)) / 1000


def first_time(consumer: Consumer, place: TopicPartition) -> int:
    """The time of the record at a place (ms)."""
    consumer.assign([place])
    deadline = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < deadline:
        message = consumer.poll(1.0)
        if message is not None and message.error() is None:
            return int(message.timestamp()[1])
    raise TimeoutError(f"no record at {place}")


def last_time(consumer: Consumer, topic: str) -> int:
    """The time of the last committed record of a topic (ms)."""
    latest, left = 0, PARTITIONS
    consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in range(PARTITIONS)])
    while left:
        for message in consumer.consume(10_000, 1.0):
            if message.error() is None:
                latest = max(latest, message.timestamp()[1])
            else:
                left -= 1  # the end of a partition
    return latest


@contextmanager
def consumer_of(kafka: str) -> Iterator[Consumer]:
    """A reader of committed records."""
    consumer = Consumer(
        {
            "bootstrap.servers": kafka,
            "group.id": "benchmark-reader",
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
            "log_level": 0,
        }
    )
    try:
        yield consumer
    finally:
        consumer.close()
