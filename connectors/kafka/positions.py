"""Where the partitions of a group go on: its committed offsets, asked for until the broker can tell.

It cannot while the group's coordinator starts or moves, and while a transaction is open that carries offsets of the group:
whoever reads committed records is made to wait for its end (KIP-447, "stable" offsets). A member that was killed in the
middle leaves such a transaction behind, and only its own timeout ends it; until then the client says no more than that the
time is over.

Inside a rebalance this is waited for once, and nothing else is: a member that takes longer than ``REBALANCE_SECONDS`` loses its
partitions. What else is needed of partitions that came is asked for in the turns that follow. In seconds:

    a dead member's transaction, and until the broker looks    30 + 10
    PATIENCE_SECONDS, all questions together                   90
    REBALANCE_SECONDS                                          120
"""

import time
from collections.abc import Callable, Sequence
from typing import Final

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition

from connectors.kafka.clients import PASSING

ASK_SECONDS: Final = 5.0
"""One question: short, so that whoever waits is heard of in between."""
PAUSE_SECONDS: Final = 0.1
PATIENCE_SECONDS: Final = 90.0
"""Longer than a dead member's transaction can stay open, and shorter than a rebalance may take."""


def committed_offsets(
    consumer: Consumer,
    partitions: Sequence[TopicPartition],
    waiting: Callable[[], None] = lambda: None,
    within_seconds: float = PATIENCE_SECONDS,
) -> list[TopicPartition]:
    """Return what the consumer's group has committed of these partitions; an offset below 0 where it has nothing.

    Calls ``waiting`` before each further question. Raises ``KafkaException`` for what does not mend by itself, and for the
    last answer when ``within_seconds`` are over.
    """
    if not partitions:
        return []
    end = time.monotonic() + within_seconds
    while True:
        left = max(end - time.monotonic(), 0.0)  # a negative timeout would be none at all
        try:
            return _asked(consumer, partitions, min(ASK_SECONDS, left))
        except KafkaException as error:
            reason: KafkaError = error.args[0]
            if reason.code() not in PASSING or time.monotonic() + PAUSE_SECONDS >= end:
                raise
        time.sleep(PAUSE_SECONDS)
        waiting()


def take_over(
    consumer: Consumer, partitions: Sequence[TopicPartition], waiting: Callable[[], None], *, leaving: bool
) -> list[TopicPartition]:
    """Assign partitions that came to a member, each from where its group has committed or else from its beginning; return these.

    A member that is ``leaving`` takes them over unseen, and this returns none: they go again at once, and a client that closes
    answers no question, so that it would wait for the answer for ever. Calls ``waiting`` and raises as ``committed_offsets``.
    """
    if leaving:
        consumer.incremental_assign(list(partitions))
        return []
    starts = [
        TopicPartition(one.topic, one.partition, one.offset if one.offset >= 0 else OFFSET_BEGINNING)
        for one in committed_offsets(consumer, partitions, waiting)
    ]
    consumer.incremental_assign(starts)
    return starts


def _asked(consumer: Consumer, partitions: Sequence[TopicPartition], seconds: float) -> list[TopicPartition]:
    found = list(consumer.committed(list(partitions), timeout=seconds))
    for one in found:
        if one.error is not None:
            raise KafkaException(one.error)
    return found
