"""How far each partition is, against what waits for it; and when standing still has lasted too long.

Lag is measured from our durable positions. The group's committed offset says nothing here, so no alarm may use it.
"""

from collections.abc import Mapping

import msgspec

from streams.topology.partition import OwnedPartition


class Standing(msgspec.Struct, frozen=True):
    """One partition at one look."""

    partition: int
    position: int
    """The next offset to apply, durable."""
    end: int
    """The offset after the last record of the log."""
    behind_seconds: float
    """How long input has been waiting without pause; 0 when nothing waits."""
    still_seconds: float
    """How long input has been waiting and the position has not moved."""

    @property
    def lag(self) -> int:
        """Records that wait."""
        return max(self.end - self.position, 0)


class Progress:
    """Remembers since when each partition is behind, and since when it stands still. Monotonic seconds come in as data."""

    def __init__(self) -> None:
        self._behind_since: dict[int, float] = {}
        self._moved: dict[int, tuple[int, float]] = {}
        self.standings: Mapping[int, Standing] = {}
        """The last look."""

    def look(self, owned: Mapping[int, OwnedPartition], ends: Mapping[int, int], now: float) -> Mapping[int, Standing]:
        """Note where every owned partition stands whose end is known; partitions that are not ours are forgotten.

        How long one whose end is not known stands still counts anew from here.
        """
        standings = {}
        for number, partition in owned.items():
            if number not in ends:
                self._moved.pop(number, None)
            else:
                standings[number] = self._stand(number, partition.durable.next_offset, ends[number], now)
        for number in (self._moved.keys() | self._behind_since.keys()) - owned.keys():
            self._moved.pop(number, None)
            self._behind_since.pop(number, None)
        self.standings = standings
        return standings

    def blinded(self, now: float) -> None:
        """No broker answers: how long positions stand still counts anew from here, how long they are behind goes on."""
        self._moved = {number: (position, now) for number, (position, _) in self._moved.items()}

    def _stand(self, number: int, position: int, end: int, now: float) -> Standing:
        last, moved_at = self._moved.get(number, (None, now))
        if position >= end or position != last:
            moved_at = now
        self._moved[number] = (position, moved_at)
        if position >= end:
            self._behind_since.pop(number, None)
            behind_since = now
        else:
            behind_since = self._behind_since.setdefault(number, now)
        return Standing(
            partition=number,
            position=position,
            end=end,
            behind_seconds=now - behind_since,
            still_seconds=now - moved_at,
        )
