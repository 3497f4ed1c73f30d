"""Reading facts: a client of librdkafka's beside faust's own, at positions that are given to it.

It fetches and unpacks in threads of its own, which need nothing of Python's lock, while the event loop folds. Faust's client only
deals partitions out.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from confluent_kafka import TIMESTAMP_NOT_AVAILABLE, Consumer, KafkaError, KafkaException, Message, TopicPartition

from connectors.kafka.clients import NO_SUCH_OFFSET, ClientConfig, report
from streams.topology.client import reader_config
from streams.topology.problems import EngineCode, EngineError
from streams.topology.settings import EngineSettings

QUEUED_KILOBYTES = 32 * 1024
FETCH_BYTES = 256 * 1024
"""Many small answers in a queue that holds many of them: all partitions have a share in every read. With a megabyte each, which
unpacks to fifteen, one partition after the other was read to its end (`test_in_catch_up_all_partitions_have_a_share`)."""
SOCKET_SECONDS = 20.0
"""How long a broker may be silent before it is asked over a new connection: before the watchdog takes it for our fault."""
READ_RECORDS = 1000
"""At most so many records after the first one are read at once."""
WAIT_SECONDS = 0.1
"""How long a read waits for the first record; so long, at most, does a change of what is read wait for it."""

REFUSED: Final = frozenset({KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.CLUSTER_AUTHORIZATION_FAILED})
"""What asking again does not mend. Of everything else the client goes on by itself; should it not, the watchdog sees it."""

_T = TypeVar("_T")


class FactReader:
    """Reads the partitions that are ours from where they go on. For the event loop; what blocks runs in a thread beside it."""

    def __init__(self, settings: EngineSettings) -> None:
        self._settings = settings
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="facts")
        self._consumer: Consumer | None = None
        self._ends: Mapping[int, int] = {}
        """As of the last read of each partition: asked for every record it would cost as much as all else that a record costs here."""
        self._turn = 0
        self._closed = False

    async def go_on(self, positions: Mapping[int, int]) -> None:
        """From now on read these partitions from these offsets, and no others.

        What was read before and not yet handed over is dropped: it comes again. Calls are carried out one after the other.
        """
        self._turn += 1
        if self._closed:
            return
        await self._beside(lambda: self._assign(positions))

    async def read(self) -> dict[int, list[Message]]:
        """The next records by partition, in their order; none when there are none for a moment.

        Raises `EngineError` where the client does not go on by itself.
        """
        if self._closed:
            return {}
        turn = self._turn
        found = await self._beside(self._read)
        return found if turn == self._turn else {}

    def end(self, partition: int) -> int | None:
        """The offset after the last record of a partition, as it was known at the last read; `None` where nothing was read since `go_on`."""
        return self._ends.get(partition)

    async def close(self) -> None:
        """Give the client's threads and connections back; nothing is read any more."""
        if not self._closed:
            self._closed = True
            await self._beside(self._close)
            self._thread.shutdown()

    def _assign(self, positions: Mapping[int, int]) -> None:
        if self._consumer is None:
            self._consumer = Consumer(self._config())
        self._ends = {}
        topic = self._settings.fact_topic
        self._consumer.assign([TopicPartition(topic, partition, offset) for partition, offset in positions.items()])

    def _read(self) -> dict[int, list[Message]]:
        found: dict[int, list[Message]] = {}
        if self._consumer is None:
            return found
        messages = self._consumer.consume(1, WAIT_SECONDS)
        if messages:
            messages += self._consumer.consume(READ_RECORDS, 0)
        for message in messages:
            partition = message.partition()
            if is_record(message) and partition is not None:
                found.setdefault(partition, []).append(message)
        self._ends = {**self._ends, **_known_ends(self._consumer, self._settings.fact_topic, found)}
        return found

    def _close(self) -> None:
        consumer, self._consumer = self._consumer, None
        self._ends = {}
        if consumer is not None:
            consumer.close()

    def _config(self) -> ClientConfig:
        return reader_config(self._settings, "facts") | {
            "enable.partition.eof": False,
            "queued.max.messages.kbytes": QUEUED_KILOBYTES,
            "fetch.message.max.bytes": FETCH_BYTES,
            "socket.timeout.ms": int(SOCKET_SECONDS * 1000),
        }

    def _beside(self, call: Callable[[], _T]) -> asyncio.Future[_T]:
        return asyncio.get_running_loop().run_in_executor(self._thread, call)


def _known_ends(consumer: Consumer, topic: str, partitions: Iterable[int]) -> dict[int, int]:
    """As the last fetch of each found it: no broker is asked."""
    ends: dict[int, int] = {}
    for partition in partitions:
        try:
            _, high = consumer.get_watermark_offsets(TopicPartition(topic, partition), cached=True)
        except KafkaException:
            continue  # the client does not know the partition any more
        if high >= 0:
            ends[partition] = high
    return ends


def is_record(message: Message) -> bool:
    """Whether it is one, and not the word of a client that goes on by itself, which is told. Raises `EngineError` where it does not."""
    error = message.error()
    if error is None:
        return True
    where = f"topic {message.topic()} partition {message.partition()}"
    if error.code() == NO_SUCH_OFFSET:
        raise EngineError(EngineCode.POSITION_OUTSIDE_LOG, where)
    if error.code() in REFUSED or error.fatal():
        raise EngineError(EngineCode.READ_FAILED, f"{where}: {error.name()}")
    report(error)
    return False


def timestamp(message: Message) -> float | None:
    """The record's time, seconds since 1970; `None` where it has none."""
    kind, milliseconds = message.timestamp()
    return None if kind == TIMESTAMP_NOT_AVAILABLE else milliseconds / 1000
