"""Lists onto their topic, Bundles off theirs, and a listing to run between them."""

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple, NoReturn

from confluent_kafka import Consumer, Message, Producer, TopicPartition

from connectors.kafka.clients import END_OF_PARTITION, consumer_config, reader_config
from connectors.kafka.positions import committed_offsets
from connectors.settings import Settings
from contracts.medication_list import MedicationList, encode_list
from contracts.topics import LIST, LIST_FHIR
from mappings.fhir.exact_json import JsonObject, read_json
from streams.topology.listing import ListingParts, ListingStop, run_listing
from streams.topology.listing.limits import ListingLimits
from streams.topology.settings import Isolation
from tests.published import collector
from tests.streams.publish.cases import dosage, line, replaced, standing, the_list
from tests.streams.topology.threaded import Ended, running

PARTITIONS = 4
DEADLINE_SECONDS = 100.0
EVERY_BUNDLE = ListingLimits(idle_seconds=0.02, checked_share=1.0)


class StopsNoted(ListingStop):
    """A fail-stop that notes its causes and ends the thread, not the process."""

    def __init__(self) -> None:
        super().__init__()
        self.causes: list[BaseException] = []

    def __call__(self, cause: BaseException) -> NoReturn:
        """Note the cause."""
        self.causes.append(cause)
        raise Ended


class Stored(NamedTuple):
    """A record of the FHIR topic."""

    partition: int
    key: bytes
    value: bytes | None
    headers: dict[str, bytes]

    @property
    def bundle(self) -> JsonObject:
        """Its Bundle."""
        assert self.value is not None
        found: JsonObject = read_json(self.value)
        return found


def numbered(number: int, patient: str = "a" * 32) -> MedicationList:
    """A patient's list that can be told from the others by its number."""
    return the_list(line(replaced(standing(), dosage=dosage(f"{number} tabletter"))), patient=patient)


def eventually(done: Callable[[], bool], what: str) -> None:
    """Wait until ``done``, or fail."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not done():
        assert time.monotonic() < deadline, f"not within {DEADLINE_SECONDS} s: {what}"
        time.sleep(0.05)


def send(settings: Settings, *lists: MedicationList, partition: int = 0) -> None:
    """Put lists on the list topic."""
    put(settings, *((one.patient.encode(), encode_list(one)) for one in lists), partition=partition)


def put(settings: Settings, *records: tuple[bytes, bytes | None], partition: int = 0) -> None:
    """Put any records on the list topic."""
    producer = Producer(settings.kafka_client() | {"acks": "all"})
    for key, value in records:
        producer.produce(settings.topic(LIST), value, key=key, partition=partition)
    assert producer.flush(30) == 0


def read(settings: Settings, topic: str) -> list[Message]:
    """Everything committed on a topic, partition by partition in order."""
    consumer = Consumer(reader_config(settings, "test"))
    name = settings.topic(topic)
    consumer.assign([TopicPartition(name, number, 0) for number in range(PARTITIONS)])
    found: list[Message] = []
    left = set(range(PARTITIONS))
    deadline = time.monotonic() + DEADLINE_SECONDS
    while left:
        assert time.monotonic() < deadline, f"no end of {name}"
        for message in consumer.consume(500, 0.1):
            error = message.error()
            if error is None:
                found.append(message)
            else:
                assert error.code() == END_OF_PARTITION
                left.discard(message.partition() or 0)
    consumer.close()
    return found


def stored(settings: Settings) -> list[Stored]:
    """Every Bundle, partition by partition in order."""
    return [_stored(message) for message in read(settings, LIST_FHIR)]


def _stored(message: Message) -> Stored:
    key, headers = message.key(), message.headers() or []
    assert isinstance(key, bytes)
    named = {name: value for name, value in headers if isinstance(value, bytes)}  # type: ignore[str-unpack]  # pairs, by its docs
    collector.note(message.value())
    return Stored(message.partition() or 0, key, message.value(), named)


def committed(settings: Settings) -> int:
    """How many lists the listing has committed, over all partitions."""
    consumer = Consumer(consumer_config(settings, settings.listing_group))
    asked = [TopicPartition(settings.topic(LIST), number) for number in range(PARTITIONS)]
    found = committed_offsets(consumer, asked)
    consumer.close()
    return sum(max(one.offset, 0) for one in found)


@contextlib.contextmanager
def listing(
    settings: Settings, isolation: Isolation = "none", limits: ListingLimits = EVERY_BUNDLE
) -> Iterator[StopsNoted]:
    """A listing in a thread, stopped at the end; gives what noted its fail-stops."""
    stop = StopsNoted()
    parts = ListingParts(isolation=isolation, limits=limits, stop=stop)
    with running(lambda over: run_listing(settings, over, parts)):
        yield stop
