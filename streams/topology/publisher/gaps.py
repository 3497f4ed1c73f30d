"""Which offsets of one partition are unfinished, and hence how far may be committed.

Records finish in any order; the commit may only go up to the lowest that is unfinished. Only unfinished offsets are
remembered, so that one record that takes long costs nothing for those that finish behind it.
"""

from collections import OrderedDict


class Gaps:
    """The unfinished offsets of one partition."""

    def __init__(self) -> None:
        self._unfinished: OrderedDict[int, None] = OrderedDict()
        self._last: int | None = None

    def opened(self, offset: int) -> None:
        """A record was taken. Raises ``ValueError`` unless offsets rise: then the log was not read in order."""
        if self._last is not None and offset <= self._last:
            raise ValueError(f"offset {offset} after {self._last}")
        self._last = offset
        self._unfinished[offset] = None

    def finished(self, offset: int) -> None:
        """A record is done with. Raises ``KeyError`` when it was not open: a record is finished once."""
        del self._unfinished[offset]

    @property
    def unfinished(self) -> int:
        """How many records are unfinished."""
        return len(self._unfinished)

    @property
    def next_to_take(self) -> int | None:
        """The offset after the last record that was taken; ``None`` before the first."""
        return None if self._last is None else self._last + 1

    @property
    def committable(self) -> int | None:
        """The next offset to read that may be committed; ``None`` before the first record."""
        if self._unfinished:
            return next(iter(self._unfinished))
        return None if self._last is None else self._last + 1
