"""Reading topics and running an intake in tests."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import NoReturn

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, Message, Producer, TopicPartition

from connectors.kafka.clients import END_OF_PARTITION, PASSING, consumer_config, reader_config
from connectors.settings import Settings
from contracts.envelope import decode_batch
from contracts.fact import Fact
from contracts.quarantine import Ack, Quarantined, decode_ack, decode_quarantined
from contracts.sources import SourceSystem
from contracts.topics import FACT, QUARANTINE, ack_topic
from streams.topology.intake.run import IntakeParts, run_intake
from streams.topology.intake.stopping import IntakeStop
from tests.streams.topology.intake.trivial import READERS, SOURCE
from tests.streams.topology.threaded import Ended, running

DEADLINE_SECONDS = 100.0
NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)


class StopsNoted(IntakeStop):
    """A fail-stop that notes the causes and ends the thread, not the process."""

    def __init__(self) -> None:
        super().__init__()
        self.causes: list[BaseException] = []

    def __call__(self, cause: BaseException) -> NoReturn:
        """Note the cause, and end the thread."""
        self.note(cause)
        raise Ended

    def note(self, cause: BaseException) -> None:
        """Note the cause only."""
        self.causes.append(cause)


def eventually(done: Callable[[], bool], what: str, within_seconds: float = DEADLINE_SECONDS) -> None:
    """Wait until `done`, or fail."""
    deadline = time.monotonic() + within_seconds
    while not done():
        assert time.monotonic() < deadline, f"not within {within_seconds} s: {what}"
        time.sleep(0.1)


def send(settings: Settings, values: Sequence[bytes], headers: Sequence[tuple[str, bytes]] = ()) -> None:
    """Put messages on the source topic, over its partitions in turn."""
    producer = Producer(settings.kafka_client() | {"acks": "all", "enable.idempotence": True})
    for number, value in enumerate(values):
        producer.produce(settings.topic(SOURCE.topic), value, partition=number % 3, headers=list(headers))
    assert producer.flush(30) == 0


def everything(settings: Settings, topic: str) -> list[Message]:
    """Every record of a topic."""
    consumer = Consumer(reader_config(settings, "test"))
    name = settings.topic(topic)
    numbers = list(consumer.list_topics(name, timeout=10).topics[name].partitions)
    consumer.assign([TopicPartition(name, number, OFFSET_BEGINNING) for number in numbers])
    found: list[Message] = []
    left = set(numbers)
    deadline = time.monotonic() + DEADLINE_SECONDS
    while left:
        assert time.monotonic() < deadline, f"no end of {name}"
        for message in consumer.consume(500, 0.1):
            error = message.error()
            if error is None:
                found.append(message)
            else:
                assert error.code() == END_OF_PARTITION
                left.discard(message.partition())
    consumer.close()
    return found


def facts_by_partition(settings: Settings) -> dict[int, list[Fact]]:
    """The facts that are there, per partition, in order."""
    found: dict[int, list[Fact]] = {}
    for message in everything(settings, FACT):
        found.setdefault(message.partition() or 0, []).extend(decode_batch(message.value() or b""))
    return found


def facts(settings: Settings) -> list[Fact]:
    """The facts that are there."""
    return [fact for there in facts_by_partition(settings).values() for fact in there]


def quarantined(settings: Settings) -> list[Quarantined]:
    """The quarantine's records."""
    return [decode_quarantined(message.value() or b"") for message in everything(settings, QUARANTINE)]


def answers(settings: Settings) -> list[Ack]:
    """The answers to the source."""
    return [decode_ack(message.value() or b"") for message in everything(settings, ack_topic(SOURCE.id))]


def committed(settings: Settings) -> int:
    """How many messages the intake has committed, over all partitions; 0 while the broker cannot tell yet."""
    consumer = Consumer(consumer_config(settings, settings.intake_group))
    name = settings.topic(SOURCE.topic)
    try:
        found = consumer.committed([TopicPartition(name, number) for number in range(3)], timeout=30)
    except KafkaException as error:
        assert error.args[0].code() in PASSING, error  # noqa: PT017 - what can be asked again is
        return 0
    finally:
        consumer.close()
    return sum(max(partition.offset, 0) for partition in found)


@contextmanager
def intake(
    settings: Settings, parts: IntakeParts | None = None, source: SourceSystem = SOURCE, now: datetime = NOW
) -> Iterator[StopsNoted]:
    """An intake of one source in a thread, stopped at the end; gives what noted its fail-stops, unless `parts` have their own."""
    stop = StopsNoted()
    ready = parts or IntakeParts(readers=READERS, stop=stop)
    with running(lambda over: run_intake(settings, [source], lambda: now, over, ready)):
        yield stop
    assert {"intake-watch", "intake-guard"}.isdisjoint(left.name for left in threading.enumerate())
