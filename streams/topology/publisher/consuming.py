"""Reading the list topic as a member of the consumer group; offsets are committed only as far as every list is done.

A partition without a commit is read from its beginning: each patient's newest list is there, and publishing it again
changes nothing.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final, Protocol

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from connectors.kafka.clients import (
    END_OF_PARTITION,
    NO_SUCH_OFFSET,
    NOT_OURS_ANY_MORE,
    PASSING,
    consumer_config,
)
from connectors.kafka.positions import take_over
from connectors.pseudonym import partition_of
from connectors.settings import Settings
from connectors.telemetry import declare, get_logger
from streams.topology.publisher.limits import PublisherLimits
from streams.topology.publisher.problems import PublisherCode, PublisherError
from streams.topology.settings import Isolation

EVENTS: Final = declare(
    {"publisher.assigned": "PBS-102", "publisher.revoked": "PBS-103", "publisher.postponed": "PBS-104"}
)

_log = get_logger()


class Rebalanced(Protocol):
    """Is told which partitions come and go; called inside ``take`` and ``close``."""

    def waiting(self) -> None:
        """The broker cannot yet tell where partitions that come begin; the process lives, and asks again."""
        ...

    def assigned(self, partitions: Collection[int]) -> None:
        """Partitions came."""
        ...

    def revoking(self, partitions: Collection[int]) -> None:
        """Partitions are about to go, and are still ours."""
        ...

    def gone(self, partitions: Collection[int]) -> None:
        """Partitions went; nothing of them may be committed any more."""
        ...


class ListConsumer:
    """The consumer of the list topic, for one thread: the publisher's, or that of another group of ``settings``."""

    def __init__(
        self, settings: Settings, topic: str, limits: PublisherLimits, isolation: Isolation, group: str | None = None
    ) -> None:
        # The end of a partition is told as an event, since offsets alone do not show it (transactions leave markers).
        config = consumer_config(settings, group or settings.publisher_group) | {"enable.partition.eof": True}
        if isolation == "none":
            config["isolation.level"] = "read_uncommitted"  # the embedded broker shows no committed records as such
        self._consumer = Consumer(config)
        self._topic = topic
        self._partitions = settings.partitions
        self._limits = limits
        self._ours: set[int] = set()
        self._paused = False
        self._leaving = False
        self._told: Rebalanced | None = None
        self._reached: dict[int, int] = {}

    @property
    def ours(self) -> frozenset[int]:
        """The partitions that are ours."""
        return frozenset(self._ours)

    def holds(self, patient: str) -> bool:
        """Return whether the partition in which everything about a patient stands is ours."""
        return partition_of(patient, self._partitions) in self._ours

    def subscribe(self, other_topics: Iterable[str], told: Rebalanced) -> None:
        """Join the group once all topics are there. Raises ``PublisherError``."""
        self._told = told
        self._require([self._topic, *other_topics])
        self._consumer.subscribe(
            [self._topic], on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_lost
        )

    def take(self, wait_seconds: float) -> list[Message]:
        """Return the lists that wait, as soon as one does. Raises ``PublisherError`` for what does not mend by itself."""
        first = self._consumer.poll(wait_seconds)
        if first is None:
            return []
        rest = self._consumer.consume(self._limits.batch_messages - 1, 0)
        return [message for message in (first, *rest) if self._is_message(message)]

    def commit(self, offsets: Mapping[int, int]) -> bool:
        """Commit the next offsets to read; return whether that is done. Raises ``PublisherError`` when it never will be."""
        ours = [
            TopicPartition(self._topic, number, offset) for number, offset in offsets.items() if number in self._ours
        ]
        if not ours:
            return True
        try:
            answers = self._consumer.commit(offsets=ours, asynchronous=False)
        except KafkaException as error:
            return self._judged(error.args[0])
        return all(answer.error is None or self._judged(answer.error) for answer in answers or ())

    def membership(self) -> Any:
        """Return what a transaction names this member of the group by; a broker refuses it from a member of yesterday."""
        return self._consumer.consumer_group_metadata()

    def hold(self, *, hold: bool) -> None:
        """Pause every partition of ours, or let them go on; the group membership stays alive through ``take``."""
        if hold == self._paused:
            return
        self._paused = hold
        partitions = [TopicPartition(self._topic, number) for number in self._ours]
        if partitions:
            (self._consumer.pause if hold else self._consumer.resume)(partitions)

    def lag(self, positions: Mapping[int, int]) -> int:
        """Return how many records stand between what was taken (next offsets) and the ends that the client last heard of."""
        found = 0
        for number, position in positions.items():
            _, end = self._consumer.get_watermark_offsets(TopicPartition(self._topic, number), cached=True)
            found += max(end - max(position, self._reached.get(number, 0)), 0)
        return found

    def close(self) -> None:
        """Leave the group."""
        self._leaving = True
        self._consumer.close()

    def _require(self, topics: Collection[str]) -> None:
        try:
            known = self._consumer.list_topics(timeout=self._limits.request_seconds).topics
        except KafkaException as error:
            raise PublisherError(PublisherCode.NO_BROKER, f"no broker answered: {error.args[0].name()}") from error
        missing = sorted(topic for topic in topics if topic not in known or known[topic].error is not None)
        if missing:
            raise PublisherError(PublisherCode.TOPICS_MISSING, f"missing: {', '.join(missing)}")

    def _is_message(self, message: Message) -> bool:
        error = message.error()
        if error is None:
            return True
        if error.code() == END_OF_PARTITION:
            partition, offset = place_of(message)
            self._reached[partition] = offset
        elif error.code() == NO_SUCH_OFFSET:
            raise PublisherError(PublisherCode.POSITION_LOST, f"topic {self._topic} partition {message.partition()}")
        elif error.code() not in PASSING:
            raise PublisherError(PublisherCode.READ_FAILED, f"topic {self._topic}: {error.name()}")
        return False

    def _on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        try:
            starts = take_over(consumer, partitions, self._listener().waiting, leaving=self._leaving)
        except KafkaException as error:
            raise PublisherError(PublisherCode.READ_FAILED, f"committed offsets: {error.args[0].name()}") from error
        if self._leaving:
            return
        numbers = [one.partition for one in starts]
        self._ours.update(numbers)
        if self._paused and starts:
            consumer.pause(starts)
        self._listener().assigned(numbers)
        _log.info("publisher.assigned", partitions=len(numbers))

    def _on_revoke(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._listener().revoking([one.partition for one in partitions])
        self._give_up(consumer, partitions)

    def _on_lost(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._give_up(consumer, partitions)

    def _give_up(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        numbers = [one.partition for one in partitions]
        self._ours.difference_update(numbers)
        for number in numbers:
            self._reached.pop(number, None)
        consumer.incremental_unassign(partitions)
        self._listener().gone(numbers)
        _log.info("publisher.revoked", partitions=len(numbers))

    def _listener(self) -> Rebalanced:
        if self._told is None:
            raise RuntimeError("the group was joined without anybody to tell")
        return self._told

    def _judged(self, error: KafkaError) -> bool:
        """Whether the commit is over and done with; one that is too late is: the next owner reads the lists again."""
        if error.code() in NOT_OURS_ANY_MORE:
            return True
        if error.code() not in PASSING:
            raise PublisherError(PublisherCode.COMMIT_FAILED, error.name())
        _log.warning("publisher.postponed", kafka_error=error.name())
        return False


def place_of(message: Message) -> tuple[int, int]:
    """Return partition and offset of a consumed message."""
    partition, offset = message.partition(), message.offset()
    if partition is None or offset is None:
        raise ValueError("a consumed message without a place")
    return partition, offset
