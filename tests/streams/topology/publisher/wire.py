"""An endpoint in a thread, lists onto the topic, publications off it, and a publisher to run between them."""

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, NoReturn, TypeVar

import aiohttp
import msgspec
from confluent_kafka import Consumer, Producer, TopicPartition

from connectors.kafka.clients import END_OF_PARTITION, consumer_config, reader_config
from connectors.kafka.positions import committed_offsets
from connectors.nll_sandbox import SandboxSettings, serve
from connectors.settings import Settings
from contracts.medication_list import MedicationList, encode_list
from contracts.publication import Publication, PublishRequest, decode_publication, encode_request
from contracts.sources import DEFAULT_SOURCES
from contracts.topics import LIST, PUBLISH, PUBLISH_REQUEST
from mappings.fhir.exact_json import read_json
from streams.publish.backoff import Backoff
from streams.publish.breaker import BreakerLimits
from streams.topology.publisher import PublisherParts, PublisherStop, run_publisher
from streams.topology.publisher.limits import PublisherLimits
from streams.topology.settings import Isolation
from tests.streams.publish.cases import NOW, READER, TOKEN
from tests.streams.publish.door import Door
from tests.streams.topology.threaded import Ended, running

T = TypeVar("T")
PARTITIONS = 4
DEADLINE_SECONDS = 100.0
QUICK = PublisherLimits(
    backoff=Backoff(first_seconds=0.02, most_seconds=0.1),
    breaker=BreakerLimits(failures_to_open=3),
    breaker_backoff=Backoff(first_seconds=0.05, most_seconds=0.2),
    commit_seconds=0.02,
)


class StopsNoted(PublisherStop):
    """A fail-stop that notes its causes and ends the thread, not the process."""

    def __init__(self) -> None:
        super().__init__()
        self.causes: list[BaseException] = []

    def __call__(self, cause: BaseException) -> NoReturn:
        """Note the cause."""
        self.causes.append(cause)
        raise Ended


class Endpoint(contextlib.AbstractContextManager["Endpoint"]):
    """The sandbox, in a thread of its own, behind a door; down for good when the context ends."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._stack = contextlib.AsyncExitStack()
        self.door = self._do(self._up())

    def statuses(self, patient: str = "p-1") -> list[str]:
        """The statuses of a patient's prescriptions."""
        return [one["status"] for one in self._prescriptions(patient)]

    def words(self, patient: str = "p-1") -> list[str]:
        """What a patient reads on each of the prescriptions."""
        return [one["dosageInstruction"][0]["patientInstruction"] for one in self._prescriptions(patient)]

    def another_changes(self, text: str, **more: Any) -> None:
        """Another caregiver's system changes what stands on every prescription of the first patient."""
        for one in self._prescriptions("p-1"):
            one["dosageInstruction"][0]["patientInstruction"] = text
            self.admin("POST", "seed", [one | more])

    def _prescriptions(self, patient: str) -> list[dict[str, Any]]:
        async def ask() -> list[dict[str, Any]]:
            headers = READER | {"x-request-id": "look", "x-patientref": patient}
            url = f"{self._sandbox}/MedicationRequest?patient={patient}"
            async with self._session.get(url, headers=headers) as answer:
                bundle = await answer.json(content_type=None)
                return [entry["resource"] for entry in bundle.get("entry", [])]

        return self._do(ask())

    def admin(self, method: str, path: str, body: object = None) -> Any:
        """Ask the sandbox's own addresses."""

        async def ask() -> Any:
            data = None if body is None else msgspec.json.encode(body)
            async with self._session.request(method, f"{self._sandbox}/_sandbox/{path}", data=data) as answer:
                assert answer.status == 200
                return read_json(await answer.read())

        return self._do(ask())

    def __exit__(self, *_: object) -> None:
        self._do(self._stack.aclose())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _up(self) -> Door:
        self._sandbox = await self._stack.enter_async_context(serve(SandboxSettings(clock=lambda: NOW)))
        self._session = await self._stack.enter_async_context(aiohttp.ClientSession())
        return await self._stack.enter_async_context(Door(self._session, self._sandbox).open())

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(DEADLINE_SECONDS)


def eventually(done: Callable[[], bool], what: str, seconds: float = DEADLINE_SECONDS) -> None:
    """Wait until ``done``, or fail."""
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.02)


def send(settings: Settings, *lists: MedicationList, partition: int = 0) -> None:
    """Put lists on the list topic."""
    producer = Producer(settings.kafka_client() | {"acks": "all"})
    for one in lists:
        producer.produce(settings.topic(LIST), encode_list(one), key=one.patient.encode(), partition=partition)
    assert producer.flush(30) == 0


def ask(settings: Settings, patient: str, partition: int = 0) -> None:
    """Ask the publisher to try a patient again."""
    request = PublishRequest(patient=patient, kind="unpark", asked_at=NOW)
    producer = Producer(settings.kafka_client() | {"acks": "all"})
    topic = settings.topic(PUBLISH_REQUEST)
    producer.produce(topic, encode_request(request), key=patient.encode(), partition=partition)
    assert producer.flush(30) == 0


def heeded(settings: Settings) -> int:
    """How many requests the publisher has committed."""
    return _committed(settings, f"{settings.publisher_group}-requests", PUBLISH_REQUEST)


def publications(settings: Settings) -> list[Publication]:
    """Every publication that was told, partition by partition in order."""
    consumer = Consumer(reader_config(settings, "test"))
    name = settings.topic(PUBLISH)
    consumer.assign([TopicPartition(name, number, 0) for number in range(PARTITIONS)])
    found: list[Publication] = []
    left = set(range(PARTITIONS))
    deadline = time.monotonic() + DEADLINE_SECONDS
    while left:
        assert time.monotonic() < deadline, f"no end of {name}"
        for message in consumer.consume(500, 0.1):
            error = message.error()
            if error is None:
                found.append(decode_publication(message.value() or b""))
            else:
                assert error.code() == END_OF_PARTITION
                left.discard(message.partition() or 0)
    consumer.close()
    return found


def committed(settings: Settings) -> int:
    """How many lists the publisher has committed, over all partitions."""
    return _committed(settings, settings.publisher_group, LIST)


def _committed(settings: Settings, group: str, topic: str) -> int:
    consumer = Consumer(consumer_config(settings, group))
    asked = [TopicPartition(settings.topic(topic), number) for number in range(PARTITIONS)]
    found = committed_offsets(consumer, asked)
    consumer.close()
    return sum(max(one.offset, 0) for one in found)


@contextlib.contextmanager
def publisher(
    settings: Settings, limits: PublisherLimits = QUICK, isolation: Isolation = "none"
) -> Iterator[StopsNoted]:
    """A publisher in a thread, stopped at the end; gives what noted its fail-stops."""
    stop = StopsNoted()
    parts = PublisherParts(isolation=isolation, token=TOKEN, limits=limits, stop=stop)
    with running(lambda over: run_publisher(settings, DEFAULT_SOURCES, lambda: NOW, over, parts)):
        yield stop
