"""Where each partition stands, for the watchdog and the health endpoint. Written by the loop, read by other threads."""

import threading
from collections.abc import Collection, Mapping

import msgspec

Here = tuple[str, int]
"""A topic and a partition of it."""


class Standing(msgspec.Struct, frozen=True):
    """One partition at one look."""

    position: int
    """Everything before this offset has become what it becomes, and is committed."""
    lag: int
    """Offsets from there to the end of the log."""
    behind_seconds: float
    """How long something has been waiting without pause: no message has been waiting for longer."""
    still_seconds: float
    """How long something has been waiting while the position has not moved."""


class _Known(msgspec.Struct):
    committed: int
    taken: int
    end: int
    """The end that the client reached; beyond the last message where a transaction left markers."""
    seen: int
    moved_at: float
    behind_since: float

    @property
    def position(self) -> int:
        return max(self.committed, self.end) if self.committed >= self.taken else self.committed


class Standings:
    """Remembers where each partition is. Monotonic seconds come in as data. Any thread may call."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[Here, _Known] = {}
        self._ready = False

    @property
    def ready(self) -> bool:
        """Whether the group has dealt partitions out to us, be it none."""
        return self._ready

    @property
    def assigned(self) -> frozenset[Here]:
        """The partitions that are ours."""
        with self._lock:
            return frozenset(self._known)

    def assign(self, starts: Mapping[Here, int], now: float) -> None:
        """Partitions came, each to be read from an offset."""
        with self._lock:
            for here, start in starts.items():
                self._known[here] = _Known(start, start, start, start, now, now)
            self._ready = True

    def give_up(self, gone: Collection[Here]) -> None:
        """Partitions went."""
        with self._lock:
            for here in gone:
                self._known.pop(here, None)

    def took(self, next_offsets: Mapping[Here, int]) -> None:
        """Messages before these offsets are being worked on."""
        with self._lock:
            for known, offset in self._of(next_offsets):
                known.taken = max(known.taken, offset)

    def committed(self, next_offsets: Mapping[Here, int]) -> None:
        """Everything before these offsets is done."""
        with self._lock:
            for known, offset in self._of(next_offsets):
                known.committed = max(known.committed, offset)

    def reached_end(self, here: Here, offset: int) -> None:
        """No message stands between what was taken and this offset."""
        with self._lock:
            for known, end in self._of({here: offset}):
                known.end = max(known.end, end)

    def blinded(self, now: float) -> None:
        """No broker answers: how long positions stand still counts anew from here, how long they are behind goes on."""
        with self._lock:
            for known in self._known.values():
                known.moved_at = now

    def look(self, ends: Mapping[Here, int], now: float) -> dict[Here, Standing]:
        """Return how each of our partitions stands whose end in the log is given; how long the others stand still counts anew."""
        with self._lock:
            for here in self._known.keys() - ends.keys():
                self._known[here].moved_at = now
            return {here: _stand(self._known[here], end, now) for here, end in ends.items() if here in self._known}

    def _of(self, offsets: Mapping[Here, int]) -> list[tuple[_Known, int]]:
        return [(self._known[here], offset) for here, offset in offsets.items() if here in self._known]


def _stand(known: _Known, end: int, now: float) -> Standing:
    position = known.position
    lag = max(end - position, 0)
    if not lag:
        known.behind_since = now
    if not lag or position != known.seen:
        known.moved_at = now
    known.seen = position
    return Standing(position, lag, behind_seconds=now - known.behind_since, still_seconds=now - known.moved_at)
