"""Reading the source topics as a member of the consumer group.

A partition without a commit is read from its beginning (it was never read, or long ago: then duplicates come). One whose
committed offset is no longer in the log stops the intake: a silent reset would be a silent loss.
"""

import time
from collections.abc import Callable, Collection, Mapping
from typing import Final

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from connectors.kafka.clients import (
    END_OF_PARTITION,
    NO_SUCH_OFFSET,
    NOT_OURS_ANY_MORE,
    PASSING,
    consumer_config,
)
from connectors.kafka.positions import take_over
from connectors.settings import Settings
from connectors.telemetry import declare, get_logger
from streams.topology.intake.limits import IntakeLimits
from streams.topology.intake.problems import IntakeCode, IntakeError
from streams.topology.intake.standing import Here, Standings

EVENTS: Final = declare({"intake.assigned": "ITK-102", "intake.revoked": "ITK-103", "commit.postponed": "ITK-104"})

_log = get_logger()


class SourceConsumer:
    """The consumer of the source topics. For one thread; its callbacks run inside `take` and `close`."""

    def __init__(self, settings: Settings, limits: IntakeLimits, standings: Standings) -> None:
        # The end of a partition is told as an event, since offsets alone do not show it (transactions leave markers).
        self._consumer = Consumer(consumer_config(settings, settings.intake_group) | {"enable.partition.eof": True})
        self._limits = limits
        self._standings = standings
        self._uncommitted: dict[Here, int] = {}
        self._before_revoke: Callable[[], None] = _nothing
        self._leaving = False

    def subscribe(self, topics: Collection[str], targets: Collection[str], before_revoke: Callable[[], None]) -> None:
        """Join the group, once all topics are there: those to read and those to write to (`targets`).

        `before_revoke` is called while partitions that go away are still ours. Raises `IntakeError`.
        """
        self._before_revoke = before_revoke
        self._require([*topics, *targets])
        self._consumer.subscribe(sorted(topics), on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._lost)

    def take(self, wait_seconds: float) -> list[Message]:
        """Return what is waiting, as soon as something is: at most `batch_messages`, none after `wait_seconds`.

        Raises `IntakeError` for anything that the client cannot mend by itself.
        """
        first = self._consumer.poll(wait_seconds)
        if first is None:
            return []
        rest = self._consumer.consume(self._limits.batch_messages - 1, 0)
        return [message for message in (first, *rest) if self._is_message(message)]

    def took(self, next_offsets: Mapping[Here, int]) -> None:
        """Messages before these offsets are being worked on."""
        self._standings.took(next_offsets)

    def commit(self, offsets: Mapping[Here, int]) -> None:
        """Commit the next offsets to read of partitions that are still ours.

        What cannot be committed now is committed with the next call; a restart before that reads messages again.
        Raises `IntakeError` when it never will be.
        """
        self._uncommitted |= offsets
        ours = {here: offset for here, offset in self._uncommitted.items() if here in self._standings.assigned}
        self._uncommitted = ours
        if not ours:
            return
        try:
            answers = self._consumer.commit(
                offsets=[TopicPartition(topic, partition, offset) for (topic, partition), offset in ours.items()],
                asynchronous=False,
            )
        except KafkaException as error:
            self._judge_commit(error.args[0])
            return
        for answer in answers or ():
            if answer.error is not None:
                self._judge_commit(answer.error)
                return
        self._uncommitted = {}
        self._standings.committed(ours)

    def commit_left(self) -> None:
        """Try again to commit what could not be committed before."""
        if self._uncommitted:
            self.commit({})

    def close(self) -> None:
        """Leave the group."""
        self._leaving = True
        self._consumer.close()

    def _require(self, topics: Collection[str]) -> None:
        try:
            known = self._consumer.list_topics(timeout=self._limits.request_seconds).topics
        except KafkaException as error:
            raise IntakeError(IntakeCode.NO_BROKER, f"no broker answered: {error.args[0].name()}") from error
        missing = sorted(topic for topic in topics if topic not in known or known[topic].error is not None)
        if missing:
            raise IntakeError(IntakeCode.TOPICS_MISSING, f"missing: {', '.join(missing)}")

    def _is_message(self, message: Message) -> bool:
        error = message.error()
        if error is None:
            return True
        if error.code() == END_OF_PARTITION:
            self._standings.reached_end(here_of(message), offset_of(message))
        elif error.code() == NO_SUCH_OFFSET:
            raise IntakeError(IntakeCode.POSITION_LOST, f"topic {message.topic()} partition {message.partition()}")
        elif error.code() not in PASSING:
            raise IntakeError(IntakeCode.READ_FAILED, f"topic {message.topic()}: {error.name()}")
        return False

    def _assigned(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        try:
            starts = take_over(consumer, partitions, self._waiting, leaving=self._leaving)
        except KafkaException as error:
            raise IntakeError(IntakeCode.READ_FAILED, f"committed offsets: {error.args[0].name()}") from error
        if self._leaving:
            return
        self._standings.assign(
            {(start.topic, start.partition): max(start.offset, 0) for start in starts}, time.monotonic()
        )
        _log.info("intake.assigned", partitions=len(starts))

    def _waiting(self) -> None:
        """The group cannot yet tell where partitions that come begin: those that stay stand still meanwhile, and nothing is stuck."""
        self._standings.blinded(time.monotonic())

    def _revoked(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._before_revoke()
        self._give_up(consumer, partitions)

    def _lost(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._give_up(consumer, partitions)

    def _give_up(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._standings.give_up({(partition.topic, partition.partition) for partition in partitions})
        consumer.incremental_unassign(partitions)
        _log.info("intake.revoked", partitions=len(partitions))

    def _judge_commit(self, error: KafkaError) -> None:
        if error.code() in NOT_OURS_ANY_MORE:
            self._uncommitted = {}  # whoever has the partitions now reads the messages again
        elif error.code() not in PASSING:
            raise IntakeError(IntakeCode.COMMIT_FAILED, error.name())
        _log.warning("commit.postponed", kafka_error=error.name())


def here_of(message: Message) -> Here:
    """Return the partition of a consumed message."""
    topic, partition = message.topic(), message.partition()
    if topic is None or partition is None:
        raise ValueError("a consumed message without a partition")
    return topic, partition


def offset_of(message: Message) -> int:
    """Return the offset of a consumed message."""
    offset = message.offset()
    if offset is None:
        raise ValueError("a consumed message without an offset")
    return offset


def _nothing() -> None:
    """Before anybody asked to be told."""
