"""Reading facts and lists without joining a group: committed records only, nothing is disturbed."""

import time
from collections.abc import Iterator

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, Message, TopicPartition

from connectors.kafka.clients import END_OF_PARTITION, NO_SUCH_OFFSET
from streams.topology.client import assign, reader_config
from streams.topology.problems import EngineCode, EngineError
from streams.topology.settings import EngineSettings

FETCH_RECORDS = 2000
FETCH_SECONDS = 0.02


def fact_records(settings: EngineSettings, partition: int, start: int, end: int) -> Iterator[bytes]:
    """Yield the values at offsets `start` up to, not including, `end`.

    Raises `EngineError`: facts are gone, or their offsets are not dense; `KafkaException`, `TimeoutError`.
    """
    if start >= end:
        return
    expected = start
    for message in _records(settings, settings.fact_topic, partition, start):
        if message.offset() != expected:
            detail = f"partition {partition}: expected offset {expected}, got {message.offset()}"
            raise EngineError(EngineCode.GAP, detail)
        yield message.value() or b""
        expected += 1
        if expected == end:
            return
    raise EngineError(EngineCode.POSITION_OUTSIDE_LOG, f"partition {partition}: ends at {expected}, position {end}")


def end_of_facts(settings: EngineSettings, partition: int) -> int:
    """Return the offset behind the last fact record. Raises `KafkaException`."""
    consumer = Consumer(reader_config(settings, "rebuild"))
    try:
        place = TopicPartition(settings.fact_topic, partition)
        return int(consumer.get_watermark_offsets(place, timeout=settings.limits.restore_quiet_seconds)[1])
    finally:
        consumer.close()


def newest_lists(settings: EngineSettings, list_topic: str, partition: int) -> dict[str, bytes]:
    """Return the newest committed list of each patient. Raises `KafkaException`, `TimeoutError`."""
    return {key.decode(): value for key, value in _newest(settings, list_topic, partition).items()}


def state_rows(settings: EngineSettings, partition: int) -> dict[bytes, bytes]:
    """Return every committed row of the state as it stands, also where no position goes with it. Raises as above."""
    return _newest(settings, settings.state_topic, partition)


def _newest(settings: EngineSettings, topic: str, partition: int) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    for message in _records(settings, topic, partition, OFFSET_BEGINNING):
        key, value = message.key() or b"", message.value()
        if value is None:
            found.pop(key, None)
        else:
            found[key] = value
    return found


def _records(settings: EngineSettings, topic: str, partition: int, start: int) -> Iterator[Message]:
    """Every record from `start` to the end of the partition."""
    quiet_seconds = settings.limits.restore_quiet_seconds
    consumer = Consumer(reader_config(settings, "rebuild"))
    try:
        assign(consumer, [TopicPartition(topic, partition, start)], quiet_seconds)
        deadline = time.monotonic() + quiet_seconds
        while time.monotonic() < deadline:
            for message in consumer.consume(FETCH_RECORDS, FETCH_SECONDS):
                deadline = time.monotonic() + quiet_seconds
                error = message.error()
                if error is None:
                    yield message
                elif error.code() == END_OF_PARTITION:
                    return
                elif error.code() == NO_SUCH_OFFSET:
                    raise EngineError(EngineCode.POSITION_OUTSIDE_LOG, f"{topic} {partition}: no record at {start}")
                else:
                    raise KafkaException(error)
        raise TimeoutError(f"{topic} {partition}: no record and no end for {quiet_seconds} s")
    finally:
        consumer.close()
