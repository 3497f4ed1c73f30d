"""One owned partition: its core, its position, and group commit. All of it runs on the event loop but the write itself.

One transaction is in flight at a time; meanwhile the next records are folded, and their rows, sends and position wait
together. So the commit is hidden, its size follows the load, and the event loop never waits for a broker.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from streams.topology.core import Core, Decision, Send
from streams.topology.position import Position, checksum
from streams.topology.writer import Changes, StateWriter

RunBlocking = Callable[[Callable[[], None]], asyncio.Future[None]]
"""Runs a blocking call beside the event loop."""

Settled = Callable[[int, Sequence[float], Mapping[bytes, bytes | None]], None]
"""Told of what has become durable: the partition, the times of its records, and the rows."""

RESERVED_PREFIX = b"\x00"


class OwnedPartition:
    """The records that arrived, the state they changed, and how much of it is durable.

    `received` is the offset expected next, `applied` what the core has seen, `durable` what is stored: `durable <=
    applied <= received`.
    """

    def __init__(
        self, number: int, core: Core, writer: StateWriter, position: Position, settled: Settled = lambda *_: None
    ) -> None:
        self.number = number
        self.core = core
        self.writer = writer
        self.applied = position
        self.durable = position
        self.received = position.next_offset
        self.parked = False
        """Revoked, and not yet known whether the next assignment leaves it with us."""
        self.retired = False
        """Not ours any more: nothing of it counts."""
        self._settled = settled
        self._times: deque[tuple[int, float]] = deque()
        """Offset and time of each record that was received and is not yet durable."""
        self._inbox: list[bytes] = []
        self._inbox_bytes = 0
        self._undurable_bytes = 0
        self._rows: dict[bytes, bytes | None] = {}
        self._sends: list[Send] = []
        self._write: asyncio.Future[None] | None = None

    @property
    def waiting(self) -> int:
        """Records received and not yet applied."""
        return len(self._inbox)

    @property
    def undurable(self) -> int:
        """Records applied and not yet stored."""
        return self.applied.next_offset - self.durable.next_offset

    @property
    def waiting_bytes(self) -> int:
        """How large the records are that were received and not yet applied."""
        return self._inbox_bytes

    @property
    def undurable_bytes(self) -> int:
        """How large the records are that were applied and not yet stored."""
        return self._undurable_bytes

    @property
    def writing(self) -> asyncio.Future[None] | None:
        """The write in flight."""
        return self._write

    @property
    def oldest_at(self) -> float | None:
        """The time of the oldest record that was received and is not yet durable, in seconds since 1970."""
        return self._times[0][1] if self._times else None

    def receive(self, offset: int, record: bytes, at: float | None = None) -> None:
        """Take the record at `offset`, of the time `at`; the caller has checked that it is the one expected next."""
        self._inbox.append(record)
        self._inbox_bytes += len(record)
        if at is not None:
            self._times.append((offset, at))
        self.received = offset + 1

    def forget_received(self) -> None:
        """Drop what is received and not applied: it will be fetched again from `applied`."""
        self._inbox.clear()
        self._inbox_bytes = 0
        self.received = self.applied.next_offset
        while self._times and self._times[-1][0] >= self.received:
            self._times.pop()

    def fold(self) -> Mapping[str, int]:
        """Apply all received records at once; return the conflicts that the core tells of.

        What raises is a bug that ends the process: nothing of these records is stored or counts as applied, so they come again.
        """
        if not self._inbox:
            return {}
        decision = self.core.apply(self._inbox)
        refuse_reserved(decision)
        self._rows.update(decision.rows)
        self._sends.extend(decision.sends)
        self.applied = Position(
            next_offset=self.received, checksum=checksum(self._inbox[-1]), topic_id=self.applied.topic_id
        )
        self._undurable_bytes += self._inbox_bytes
        self._inbox, self._inbox_bytes = [], 0
        return decision.conflicts

    def commit(self, run: RunBlocking, failed: Callable[[BaseException], Any]) -> None:
        """Start to write everything applied so far, unless a write is in flight; it goes on by itself until all is durable."""
        if self._write is not None or not self.undurable:
            return
        changes = Changes(rows=self._rows, sends=self._sends, position=self.applied)
        written_bytes = self._undurable_bytes
        self._rows, self._sends = {}, []

        def done(write: asyncio.Future[None]) -> None:
            self._write = None
            if self.retired:
                return  # another owner has the partition; that this write was fenced is as it should be
            cause = asyncio.CancelledError() if write.cancelled() else write.exception()
            if cause is not None and self.parked:
                self.retired = (
                    True  # most likely its next owner has fenced us already; should it be us, we read it back
                )
                return
            if cause is not None:
                failed(cause)
                return
            self.durable = changes.position
            self._undurable_bytes -= written_bytes
            self._settled(self.number, self._times_until(changes.position.next_offset), changes.rows)
            self.commit(run, failed)

        self._write = run(lambda: self.writer.write(changes))
        self._write.add_done_callback(done)

    def _times_until(self, offset: int) -> list[float]:
        times = []
        while self._times and self._times[0][0] < offset:
            times.append(self._times.popleft()[1])
        return times


def refuse_reserved(decision: Decision) -> None:
    """Raise `ValueError` when a core writes under a key of the engine's."""
    if any(key.startswith(RESERVED_PREFIX) for key in decision.rows):
        raise ValueError("a core wrote a row under a key that begins with a zero byte")
