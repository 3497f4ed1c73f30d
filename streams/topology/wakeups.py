"""Time passing, as an input event: a partition that is due gets one small record that says what time it is.

So a core that never reads a clock still changes when only time passes, a rebuild replays the same moments, and the
record takes its place in the log like any other. Only when due, and not again before the last one was applied. The
producer is idempotent and not transactional: the offsets of the fact topic stay dense.
"""

import asyncio
from collections.abc import Mapping
from concurrent.futures import Executor
from datetime import UTC, datetime
from typing import Final

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from connectors.telemetry import declare, get_logger
from streams.topology.client import producer_config
from streams.topology.core import Tick
from streams.topology.metrics import EngineMetrics
from streams.topology.ownership import Ownership
from streams.topology.partition import OwnedPartition
from streams.topology.problems import EngineCode, EngineError
from streams.topology.settings import EngineSettings

EVENTS: Final = declare({"partition.woken": "ENG-104"})

_log = get_logger()

FLUSH_SECONDS = 40.0
UNKNOWN_OFFSET: Final = -1


def wall_clock() -> datetime:
    """Now, aware UTC: the one place where the engine reads the clock that the world uses."""
    return datetime.now(UTC)


class WakeUps:
    """Tells due partitions the time."""

    def __init__(
        self, settings: EngineSettings, ownership: Ownership, tick: Tick, pool: Executor, metrics: EngineMetrics
    ) -> None:
        self._settings = settings
        self.ownership = ownership
        self._tick = tick
        self._pool = pool
        self._metrics = metrics
        self._told: dict[int, int] = {}
        """Partition to the offset of the last tick that we wrote."""
        self._producer: Producer | None = None

    async def run(self) -> None:
        """Look for ever, every `wake_check_seconds`. Raises `EngineError` when a record cannot be written."""
        while True:
            await asyncio.sleep(self._settings.limits.wake_check_seconds)
            due = self.due(wall_clock())
            if due:
                self.note_told(await self._told_in_time(due))

    async def _told_in_time(self, due: dict[int, bytes]) -> dict[int, int]:
        """Write beside the event loop; a client that hangs, and so would keep all partitions asleep, is a fault."""
        try:
            async with asyncio.timeout(self._settings.limits.hung_seconds):
                return await asyncio.get_running_loop().run_in_executor(self._pool, self._write, due)
        except TimeoutError as exc:
            raise EngineError(EngineCode.SEND_FAILED, f"wake-up of {sorted(due)}: the client hung") from exc

    def due(self, now: datetime) -> dict[int, bytes]:
        """The record for each partition that is due at `now` and has applied its last one."""
        return {
            number: self._tick(now)
            for number, owned in self.ownership.owned.items()
            if self._has_applied_last(number, owned) and is_due(owned, now)
        }

    def note_told(self, offsets: Mapping[int, int]) -> None:
        """Remember the offset of the last tick of each partition."""
        self._told.update(offsets)

    async def close(self) -> None:
        """Close the producer."""
        if self._producer is not None:
            producer, self._producer = self._producer, None
            await asyncio.get_running_loop().run_in_executor(self._pool, producer.close)

    def _has_applied_last(self, number: int, owned: OwnedPartition) -> bool:
        return owned.applied.next_offset > self._told.get(number, UNKNOWN_OFFSET)

    def _write(self, records: dict[int, bytes]) -> dict[int, int]:
        """Write and wait; the offsets by partition. Blocking."""
        if self._producer is None:
            self._producer = Producer(producer_config(self._settings) | {"compression.type": "none"})
        written: dict[int, int] = {}
        failures: list[KafkaError] = []

        def delivered(error: KafkaError | None, message: Message) -> None:
            partition, offset = message.partition(), message.offset()
            if error is not None:
                failures.append(error)
            elif partition is not None and offset is not None:
                written[partition] = offset

        try:
            for number, record in records.items():
                self._producer.produce(self._settings.fact_topic, value=record, partition=number, on_delivery=delivered)
            self._producer.flush(FLUSH_SECONDS)
        except (KafkaException, BufferError) as exc:
            raise EngineError(EngineCode.SEND_FAILED, f"wake-up of {sorted(records)}: {type(exc).__name__}") from exc
        if failures or len(written) < len(records):
            names = sorted({error.name() for error in failures})
            raise EngineError(EngineCode.SEND_FAILED, f"wake-up of {sorted(records)}: {names or 'no answer'}")
        for number in written:
            self._metrics.ticked()
            _log.info("partition.woken", partition=number)
        return written


def is_due(owned: OwnedPartition, now: datetime) -> bool:
    """Whether something in the partition changes by itself at `now` or before."""
    wake = owned.core.next_wake()
    return wake is not None and wake <= now
