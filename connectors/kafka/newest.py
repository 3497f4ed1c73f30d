"""Reading compacted topics once, from their beginning to their end: the newest record of every key, or of one."""

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Final, Literal

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition

from connectors.kafka.clients import END_OF_PARTITION, PASSING, reader_config
from connectors.kafka.positions import committed_offsets
from connectors.settings import Settings
from connectors.telemetry.errors import CodedError

BATCH_MESSAGES: Final = 500
POLL_SECONDS: Final = 0.5
STILL_SECONDS: Final = 30.0
"""How long a broker may give nothing at all."""

Isolation = Literal["read_committed", "read_uncommitted"]


def newest_of(
    settings: Settings, topic: str, key: str, partition: int, isolation: Isolation = "read_committed"
) -> bytes | None:
    """Return the newest value of a key, ``None`` when there is none or it was removed. Raises ``CodedError`` (``KAF-002``)."""
    found: bytes | None = None
    wanted = key.encode()
    for message in records(settings, topic, [partition], isolation):
        if message.key() == wanted:
            found = message.value()
    return found


def newest_values(
    settings: Settings,
    topic: str,
    partitions: Collection[int],
    isolation: Isolation = "read_committed",
    heard: Callable[[], None] = lambda: None,
) -> dict[str, bytes]:
    """Return the newest value of every key that was not removed; ``heard`` as in ``records``. Raises ``CodedError`` (``KAF-002``)."""
    found: dict[str, bytes] = {}
    for message in records(settings, topic, partitions, isolation, heard=heard):
        key, value = (message.key() or b"").decode(), message.value()
        if value is None:
            found.pop(key, None)
        else:
            found[key] = value
    return found


def committed(settings: Settings, topic: str, partitions: Collection[int], group: str) -> dict[int, int]:
    """Return the next offset that a group will read, of each partition of which it has read any.

    Raises ``CodedError`` (``KAF-002``) when the broker does not tell.
    """
    consumer = Consumer(reader_config(settings, "reader") | {"group.id": group})
    name = settings.topic(topic)
    try:
        asked = [TopicPartition(name, number) for number in partitions]
        found = committed_offsets(consumer, asked, within_seconds=STILL_SECONDS)
    except KafkaException as error:
        raise _unread(name, _name(error)) from error
    finally:
        consumer.close()
    return {one.partition: one.offset for one in found if one.offset >= 0}


def records(  # noqa: PLR0913 - what to read, and how
    settings: Settings,
    topic: str,
    partitions: Collection[int],
    isolation: Isolation = "read_committed",
    starts: Mapping[int, int] | None = None,
    *,
    heard: Callable[[], None] = lambda: None,
) -> Iterator[Message]:
    """Yield the records of these partitions up to the ends that they have on the way; ``topic`` as in ``contracts.topics``.

    ``starts`` are offsets to begin at, where not at the beginning. Calls ``heard`` with every answer of the broker: reading may take
    long, and that is no standstill. Raises ``CodedError`` (``KAF-002``) when the broker does not give them.
    """
    consumer = Consumer(reader_config(settings, "reader") | {"isolation.level": isolation})
    name = settings.topic(topic)
    left = set(partitions)
    try:
        begin = starts or {}
        consumer.assign([TopicPartition(name, one, begin.get(one, OFFSET_BEGINNING)) for one in sorted(left)])
        heard_at = time.monotonic()
        while left:
            messages = consumer.consume(BATCH_MESSAGES, POLL_SECONDS)
            if messages:
                heard_at = time.monotonic()
                heard()
            elif time.monotonic() - heard_at > STILL_SECONDS:
                raise _unread(name, "nothing came")
            for message in messages:
                error = message.error()
                if error is None:
                    yield message
                elif error.code() == END_OF_PARTITION:
                    left.discard(message.partition() or 0)
                elif error.code() not in PASSING:
                    raise _unread(name, error.name())
    except KafkaException as error:
        raise _unread(name, _name(error)) from error
    finally:
        consumer.close()


def _unread(topic: str, why: str) -> CodedError:
    return CodedError("KAF-002", f"topic {topic} cannot be read: {why}", "Check MEDLIST_KAFKA; run `medlist doctor`.")


def _name(error: KafkaException) -> str:
    cause = error.args[0]
    return cause.name() if isinstance(cause, KafkaError) else type(cause).__name__
