"""Writing one partition's rows, sends and position, all or nothing. Blocking: to be called in an executor.

Rules: one producer per input partition, with a transactional id that names the state partition; so a newer owner's
`fence` aborts what an older one left open, and every later write of the older one fails.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import msgspec
from confluent_kafka import KafkaError, KafkaException, Producer

from streams.topology.client import producer_config
from streams.topology.core import Send
from streams.topology.position import POSITION_KEY, Position, encode
from streams.topology.problems import EngineCode, EngineError
from streams.topology.settings import EngineSettings

QUEUE_FULL_WAIT_SECONDS = 0.05
RETRY_PAUSE_SECONDS = 0.1
TOO_LARGE = frozenset({KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.RECORD_LIST_TOO_LARGE})


class Changes(msgspec.Struct, frozen=True):
    """Everything that one transaction writes."""

    rows: Mapping[bytes, bytes | None]
    sends: Sequence[Send]
    position: Position


class StateWriter(Protocol):
    """Writes the changes of one partition. Not for two threads at once."""

    def fence(self) -> None:
        """Shut every older owner of the partition out, and abort what it left open."""
        ...

    def write(self, changes: Changes) -> None:
        """Store all changes, or raise and store none that a reader of committed records would see."""
        ...

    def close(self) -> None:
        """Give the producer's threads and connections back; nothing may be written after."""
        ...


class TransactionalWriter:
    """The real one: one transaction per write. Raises `EngineError` (write failed) when fenced or refused."""

    def __init__(self, settings: EngineSettings, partition: int) -> None:
        self._settings = settings
        self._partition = partition
        transactional_id = f"{settings.state_topic}-{partition}"
        self._producer = Producer(producer_config(settings, transactional_id=transactional_id))

    def fence(self) -> None:
        """Register the transactional id anew: older producers of that id are fenced from here on."""
        retrying(self._producer.init_transactions, self._settings.limits.fence_seconds)

    def write(self, changes: Changes) -> None:
        """One transaction."""
        self._producer.poll(0)  # lets the client report its errors
        records = records_of(self._settings.state_topic, changes)
        try:
            self._producer.begin_transaction()
            for record in records:
                produce_one(self._producer, record, self._partition, None)
            retrying(self._producer.commit_transaction, self._settings.limits.transaction_seconds)
        except KafkaException as exc:
            raise write_failed(self._partition, exc, records) from exc

    def close(self) -> None:
        """What is not committed is not there."""
        self._producer.purge()
        self._producer.close()


class UnisolatedWriter:
    """The demo's: no fence, no transaction. Proves nothing about delivery (`settings.Isolation`)."""

    def __init__(self, settings: EngineSettings, partition: int) -> None:
        self._settings = settings
        self._partition = partition
        self._producer = Producer(producer_config(settings))

    def fence(self) -> None:
        """Nothing to fence with: the embedded broker does not isolate transactions."""

    def write(self, changes: Changes) -> None:
        """Produce rows and sends, and only once all of them are acknowledged the position."""
        *others, position = records_of(self._settings.state_topic, changes)
        self._acknowledged(others)
        self._acknowledged([position])

    def _acknowledged(self, records: Sequence[Send]) -> None:
        failures: list[KafkaException] = []

        def delivered(error: Any, _message: Any) -> None:
            if error is not None:
                failures.append(KafkaException(error))

        try:
            for record in records:
                produce_one(self._producer, record, self._partition, delivered)
        except KafkaException as exc:
            raise write_failed(self._partition, exc, records) from exc
        waiting = self._producer.flush(self._settings.limits.transaction_seconds)
        if failures:
            raise write_failed(self._partition, failures[0], records) from failures[0]
        if waiting:
            raise EngineError(EngineCode.WRITE_FAILED, f"partition {self._partition}: {waiting} records unacknowledged")

    def close(self) -> None:
        """Drop what is not acknowledged."""
        self._producer.purge()
        self._producer.close()


def state_writer(settings: EngineSettings, partition: int) -> StateWriter:
    """The writer that the settings ask for."""
    if settings.isolation == "none":
        return UnisolatedWriter(settings, partition)
    return TransactionalWriter(settings, partition)


def write_failed(partition: int, exc: KafkaException, records: Sequence[Send]) -> EngineError:
    """The problem of a write that failed, with the client's own words; of a record that is too large, where and how large."""
    error = exc.args[0]
    where = f"partition {partition}: {error.name()}"
    if error.code() not in TOO_LARGE:
        return EngineError(EngineCode.WRITE_FAILED, f"{where}: {error.str()}")
    largest = max(records, key=lambda send: len(send.value or b""))
    size = len(largest.value or b"")
    return EngineError(EngineCode.RECORD_TOO_LARGE, f"{where}: the largest has {size} bytes, for topic {largest.topic}")


def records_of(state_topic: str, changes: Changes) -> list[Send]:
    """Return rows, sends and, last, the position: all for the same partition number."""
    rows = [Send(topic=state_topic, key=key, value=value) for key, value in changes.rows.items()]
    position = Send(topic=state_topic, key=POSITION_KEY, value=encode(changes.position))
    return [*rows, *changes.sends, position]


def produce_one(producer: Producer, send: Send, partition: int, on_delivery: Callable[[Any, Any], None] | None) -> None:
    """Queue one record, waiting for room when the client's queue is full."""
    while True:
        try:
            producer.produce(
                send.topic,
                key=send.key,
                value=send.value,
                partition=partition,
                headers=list(send.headers) or None,
                on_delivery=on_delivery,
            )
        except BufferError:
            producer.poll(QUEUE_FULL_WAIT_SECONDS)
        else:
            return


def retrying(call: Callable[[float], None], within_seconds: float) -> None:
    """Call with a timeout in seconds, again while the client says that it may be tried again and time is left."""
    end = time.monotonic() + within_seconds
    while True:
        left = max(end - time.monotonic(), 1.0)
        try:
            call(left)
        except KafkaException as exc:
            if not exc.args[0].retriable() or time.monotonic() >= end:
                raise
            time.sleep(RETRY_PAUSE_SECONDS)
        else:
            return
