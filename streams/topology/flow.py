"""What happens to each record that faust hands over: checked, folded, committed, in that order.

Batching follows the load by itself. A record that reaches the known end of its partition is folded at once (live); in
catch-up records gather to a batch, because a core then derives each patient once per batch and not once per record. A batch that
begins with a record of just now waits for the few that it knows of, which are here in a moment, and no longer.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor

from streams.topology.batching import BatchSize
from streams.topology.contiguity import Place, place
from streams.topology.failstop import FailStop
from streams.topology.metrics import EngineMetrics
from streams.topology.ownership import Ownership
from streams.topology.partition import OwnedPartition
from streams.topology.problems import EngineCode, EngineError
from streams.topology.settings import EngineLimits

LONG_SECONDS = 0.01
"""After a fold that took longer everybody else has a turn."""


class RecordFlow:
    """Takes records of the fact topic, one at a time, from the event loop."""

    def __init__(
        self, ownership: Ownership, limits: EngineLimits, pool: Executor, stop: FailStop, metrics: EngineMetrics
    ) -> None:
        self._ownership = ownership
        self._limits = limits
        self._pool = pool
        self._stop = stop
        self._metrics = metrics
        self._size = BatchSize(limits)
        self._late: dict[int, asyncio.TimerHandle] = {}
        """By partition: what folds the batch that has begun when its wait is over."""
        self._due: deque[OwnedPartition] = deque()
        """Partitions whose wait is over, and whose turn has not come."""

    async def take(  # noqa: PLR0913 -- all that the fetch tells of a record
        self, number: int, offset: int, record: bytes, *, stale: bool, end: int | None, at: float | None = None
    ) -> None:
        """Handle the record at `offset` of partition `number`; raises `EngineError` on a gap.

        `stale`: fetched under an assignment that is gone. `end`: the known end of the partition.
        `at`: the record's time, seconds since 1970.
        """
        owned = self._ownership.owned.get(number)
        if owned is None:
            self._metrics.skipped("not ours")  # left over from a revocation: its owner fetches it
            return
        where = place(offset, owned.received, stale=stale)
        if where is Place.GAP:
            raise EngineError(EngineCode.GAP, f"partition {number}: expected offset {owned.received}, got {offset}")
        if where is not Place.NEXT:
            self._metrics.skipped(where.value)
            return
        owned.receive(offset, record, at)
        if end is None or owned.received >= end or self._is_full(owned):
            if self.advance(owned) > LONG_SECONDS:
                await asyncio.sleep(0)  # else the folds of all partitions are one standstill
            await self._make_room(owned)
        elif owned.waiting == 1:
            self._wait_for_more(owned, at)

    def _wait_for_more(self, owned: OwnedPartition, at: float | None) -> None:
        """A batch has begun, with a record of the time `at`, and more is known to be in the log."""
        live = at is None or time.time() - at < self._limits.live_seconds
        wait_seconds = self._limits.live_wait_seconds if live else self._limits.batch_wait_seconds
        if (earlier := self._late.get(owned.number)) is not None:
            earlier.cancel()  # it would cut this batch short
        self._late[owned.number] = asyncio.get_running_loop().call_later(wait_seconds, self._advance_late, owned)

    def advance(self, owned: OwnedPartition) -> float:
        """Fold what was received and start to make it durable; the seconds that the fold took."""
        started = time.monotonic()
        records, size = owned.waiting, owned.waiting_bytes
        conflicts = owned.fold()
        seconds = time.monotonic() - started
        self._size.folded(size, seconds)
        self._metrics.applied(records, seconds)
        self._metrics.conflicted(conflicts)
        owned.commit(self._run, self._stop)
        return seconds

    def _advance_late(self, owned: OwnedPartition) -> None:
        """The wait of a batch is over."""
        self._late.pop(owned.number, None)  # it holds the partition, and all its rows, also once that is given up
        self._due.append(owned)
        if len(self._due) == 1:
            asyncio.get_running_loop().call_soon(self._advance_next)

    def _advance_next(self) -> None:
        """Fold what is due, one partition a turn of the event loop."""
        owned = self._due[0]
        try:
            if owned.waiting and not owned.retired:
                self.advance(owned)
        except Exception as exc:  # noqa: BLE001 -- does not continue: it leaves
            self._stop(exc)
        finally:
            self._due.popleft()
        if self._due:
            asyncio.get_running_loop().call_soon(self._advance_next)

    async def _make_room(self, owned: OwnedPartition) -> None:
        """Back pressure: a partition may be only so far ahead of what is durable."""
        while self._is_far_ahead(owned) and owned.writing is not None:
            await asyncio.wait([owned.writing])

    def _is_full(self, owned: OwnedPartition) -> bool:
        return self._size.is_reached(owned.waiting, owned.waiting_bytes, len(self._ownership.owned))

    def _is_far_ahead(self, owned: OwnedPartition) -> bool:
        return owned.undurable > self._limits.pending_records or owned.undurable_bytes > self._limits.pending_bytes

    def _run(self, write: Callable[[], None]) -> asyncio.Future[None]:
        return asyncio.get_running_loop().run_in_executor(self._pool, self._timed, write)

    def _timed(self, write: Callable[[], None]) -> None:
        started = time.monotonic()
        write()
        self._metrics.committed(time.monotonic() - started)
