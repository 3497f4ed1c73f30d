"""Reading partitions back: their stored rows and position, and what the log looks like at that position.

Blocking: to be called in an executor, and only after the older owners are fenced (`writer`).
"""

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager

import msgspec
from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient

from streams.topology.client import admin_config, assign, reader_config
from streams.topology.position import POSITION_KEY, START, Position, decode
from streams.topology.problems import EngineCode, EngineError
from streams.topology.rows import Rows
from streams.topology.settings import EngineSettings
from streams.topology.verify import LogView

FETCH_RECORDS = 2000
FETCH_SECONDS = 0.02
ADMIN_SECONDS = 30.0
NO_TOPIC_ID = "AAAAAAAAAAAAAAAAAAAAAA"
"""All zeros: what a broker without topic ids answers."""


class Restored(msgspec.Struct):
    """What a partition's state topic holds: its rows without the engine's own, and its position."""

    rows: Rows
    position: Position


def read_back(
    settings: EngineSettings, partitions: Collection[int], alive: Callable[[], None] = lambda: None
) -> dict[int, Restored]:
    """Read the committed state of all `partitions` to their end; `alive` is called with every answer of the client.

    Each row goes into what `settings.rows` makes for its partition as it comes; nothing else keeps it.

    Raises `EngineError`: the position row cannot be read, or there are rows but no position; `KafkaException` and
    `TimeoutError` when the broker does not give the records.
    """
    rows = {partition: settings.rows() for partition in partitions}
    positions: dict[int, bytes | None] = dict.fromkeys(partitions)
    with _reader(settings, "restore") as consumer:
        places = [TopicPartition(settings.state_topic, p, OFFSET_BEGINNING) for p in partitions]
        assign(consumer, places, ADMIN_SECONDS)
        for message in _to_the_end(consumer, partitions, settings.limits.restore_quiet_seconds, alive):
            partition, key, value = _partition_of(message), message.key(), message.value()
            if key == POSITION_KEY:
                positions[partition] = value
            elif key is not None:
                rows[partition].put(key, value)
    return {partition: _restored(partition, found, positions[partition]) for partition, found in rows.items()}


def view_log(
    settings: EngineSettings, positions: dict[int, Position], alive: Callable[[], None] = lambda: None
) -> dict[int, LogView]:
    """What the fact topic looks like around each partition's position. Calls `alive` and raises as `read_back`."""
    topic_id = read_topic_id(settings, settings.fact_topic)
    alive()
    views: dict[int, LogView] = {}
    with _reader(settings, "verify") as consumer:
        for partition in positions:
            asked = TopicPartition(settings.fact_topic, partition)
            low, high = consumer.get_watermark_offsets(asked, timeout=ADMIN_SECONDS)
            alive()
            views[partition] = LogView(low=low, high=high, topic_id=topic_id, record_before=None)
        befores = {partition: position.next_offset - 1 for partition, position in positions.items()}
        kept = {p: before for p, before in befores.items() if views[p].low <= before < views[p].high}
        for partition, record in _read_records(consumer, settings, kept, alive).items():
            views[partition].record_before = record
    return views


def read_topic_id(settings: EngineSettings, topic: str) -> str | None:
    """The broker's id of the topic, `None` where it has none. Raises `KafkaException` when there is no such topic."""
    if settings.isolation == "none":
        return None  # the embedded broker has no controller to ask
    admin = AdminClient(admin_config(settings))
    described = admin.describe_topics(TopicCollection([topic]), request_timeout=ADMIN_SECONDS)[topic].result()
    found = str(described.topic_id)
    return None if found == NO_TOPIC_ID else found


@contextmanager
def _reader(settings: EngineSettings, purpose: str) -> Iterator[Consumer]:
    consumer = Consumer(reader_config(settings, purpose))
    try:
        yield consumer
    finally:
        consumer.close()


def _to_the_end(
    consumer: Consumer, partitions: Collection[int], quiet_seconds: float, alive: Callable[[], None] = lambda: None
) -> Iterator[Message]:
    """Every record of the assigned partitions until each has reached its end."""
    left = set(partitions)
    deadline = time.monotonic() + quiet_seconds
    while left:
        messages = consumer.consume(FETCH_RECORDS, FETCH_SECONDS)
        alive()
        for message in messages:
            deadline = time.monotonic() + quiet_seconds
            error = message.error()
            if error is None:
                yield message
            elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 -- the client's own constant
                left.discard(_partition_of(message))
            else:
                raise KafkaException(error)
        if time.monotonic() > deadline:
            raise TimeoutError(f"no record and no end for {quiet_seconds} s")


def _read_records(
    consumer: Consumer, settings: EngineSettings, offsets: Mapping[int, int], alive: Callable[[], None]
) -> dict[int, bytes]:
    """The values at the given offset of each fact partition; dense offsets mean that each is the first we get."""
    if not offsets:
        return {}
    consumer.assign([TopicPartition(settings.fact_topic, p, offset) for p, offset in offsets.items()])
    found: dict[int, bytes] = {}
    for message in _to_the_end(consumer, offsets, settings.limits.restore_quiet_seconds, alive):
        partition = _partition_of(message)
        if partition in found:
            continue
        if message.offset() != offsets[partition]:
            raise EngineError(EngineCode.RECORD_CHANGED, f"partition {partition}: no record at {offsets[partition]}")
        found[partition] = message.value() or b""
        if len(found) == len(offsets):
            break
    return found


def _partition_of(message: Message) -> int:
    partition = message.partition()
    if partition is None:
        raise ValueError("a consumed message without a partition")
    return partition


def _restored(partition: int, rows: Rows, row: bytes | None) -> Restored:
    if row is None:
        if len(rows):
            raise EngineError(EngineCode.STATE_WITHOUT_POSITION, f"partition {partition}: {len(rows)} rows")
        return Restored(rows=rows, position=START)
    try:
        return Restored(rows=rows, position=decode(row))
    except msgspec.MsgspecError as exc:
        raise EngineError(EngineCode.POSITION_UNREADABLE, f"partition {partition}: {exc}") from exc
