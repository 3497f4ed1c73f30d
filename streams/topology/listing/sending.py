"""Bundles and the position behind them, all or nothing.

Rule: one transaction carries a batch's Bundles and its consumer offsets, with the membership of the group that the lists were
read as (KIP-447). A process that lost its partitions without noticing is refused there, so it can never put an older
Bundle behind a newer one, and readers of committed records never see what it had begun.
"""

import contextlib
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

from confluent_kafka import KafkaException, Message, Producer, TopicPartition

from connectors.kafka.clients import producer_config
from connectors.settings import Settings
from streams.topology.listing.limits import ListingLimits
from streams.topology.listing.translating import Translated
from streams.topology.publisher.problems import PublisherCode, PublisherError
from streams.topology.writer import QUEUE_FULL_WAIT_SECONDS, retrying

_HEADERS: Final[list[tuple[str, str | bytes | None]]] = [("content-type", b"application/fhir+json")]
_ABORT_SECONDS: Final = 5.0


class Reader(Protocol):
    """Whoever read the lists: commits as a member of its group."""

    def membership(self) -> Any:
        """What a transaction names this member by."""
        ...

    def commit(self, offsets: Mapping[int, int]) -> bool:
        """Commit without a transaction; whether that is done."""
        ...


class Topics(Protocol):
    """Where it comes from, and where it goes."""

    @property
    def lists(self) -> str:
        """The topic of the lists."""
        ...

    @property
    def bundles(self) -> str:
        """The topic of the Bundles."""
        ...


class Sender(Protocol):
    """Stores a batch. For one thread."""

    def begin(self) -> None:
        """Get ready, before anything is read."""
        ...

    def store(self, batch: Sequence[Translated], offsets: Mapping[int, int], reader: Reader) -> None:
        """Store Bundles, and the next offsets to read. Raises ``PublisherError``; then a reader sees none of them."""
        ...


class TransactionalSender:
    """The real one."""

    def __init__(self, settings: Settings, topics: Topics, limits: ListingLimits) -> None:
        name = settings.instance_id or uuid.uuid4().hex
        transactions = {
            "transactional.id": f"{settings.listing_group}-{name}",
            "transaction.timeout.ms": int(limits.transaction_seconds * 1000),
        }
        self._producer = Producer(producer_config(settings) | transactions)
        self._topics = topics
        self._seconds = limits.transaction_seconds

    def begin(self) -> None:
        """Abort what an earlier process of this name left open."""
        try:
            retrying(self._producer.init_transactions, self._seconds)
        except KafkaException as error:
            raise _failed(error) from error

    def store(self, batch: Sequence[Translated], offsets: Mapping[int, int], reader: Reader) -> None:
        """One transaction; what fails is aborted, as far as the broker can still be told."""
        places = [TopicPartition(self._topics.lists, number, offset) for number, offset in offsets.items()]
        try:
            self._producer.begin_transaction()
            for one in batch:
                _put(self._producer, self._topics.bundles, one)
            membership = reader.membership()
            retrying(lambda wait: self._producer.send_offsets_to_transaction(places, membership, wait), self._seconds)
            retrying(self._producer.commit_transaction, self._seconds)
        except KafkaException as error:
            with contextlib.suppress(KafkaException):
                self._producer.abort_transaction(_ABORT_SECONDS)
            raise _failed(error) from error


class PlainSender:
    """The embedded broker's, which does not isolate transactions: acknowledged first, committed after. Proves nothing."""

    def __init__(self, settings: Settings, topics: Topics, limits: ListingLimits) -> None:
        self._producer = Producer(producer_config(settings))
        self._topics = topics
        self._seconds = limits.transaction_seconds
        self._failures: list[KafkaException] = []

    def begin(self) -> None:
        """Nothing to get ready."""

    def store(self, batch: Sequence[Translated], offsets: Mapping[int, int], reader: Reader) -> None:
        """Bundles, their acknowledgement, offsets."""
        for one in batch:
            _put(self._producer, self._topics.bundles, one, self._delivered)
        left = self._producer.flush(self._seconds)
        if self._failures:
            raise _failed(self._failures[0])
        if left:
            raise PublisherError(PublisherCode.SEND_FAILED, f"{left} records not acknowledged")
        reader.commit(offsets)

    def _delivered(self, error: Any, _message: Message) -> None:
        if error is not None:
            self._failures.append(KafkaException(error))


def _put(producer: Producer, topic: str, one: Translated, on_delivery: Any = None) -> None:
    while True:
        try:
            producer.produce(
                topic,
                value=one.value,
                key=one.key,
                partition=one.partition,
                headers=_HEADERS,
                on_delivery=on_delivery,
            )
        except BufferError:
            producer.poll(QUEUE_FULL_WAIT_SECONDS)
        else:
            return


def _failed(error: KafkaException) -> PublisherError:
    told = error.args[0]
    return PublisherError(PublisherCode.SEND_FAILED, f"the FHIR topic: {told.name()}")
