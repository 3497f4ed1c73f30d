"""How large a batch in catch-up may be: as large as is folded in a given time, by what the batches before it took.

The larger a batch, the fewer rows and lists are written for the same facts; but the event loop stands still while it is
folded, and with it the answers about health. A record holds from one fact to hundreds, and cores differ by twenty times.
"""

from typing import Final

from streams.topology.settings import EngineLimits

FIRST_BYTES: Final = 4 * 1024 * 1024
LEAST_BYTES: Final = 256 * 1024
TELLING_SHARE: Final = 0.25
"""A batch that is a smaller part of what it might be says nothing: most of its time may not depend on its size."""
GROWTH: Final = 2.0
"""How much more than the last batch the next may hold."""


class BatchSize:
    """The limit of a worker's batches, learned from how long folding them takes."""

    def __init__(self, limits: EngineLimits) -> None:
        self._limits = limits
        self._bytes = min(FIRST_BYTES, limits.batch_bytes)

    def is_reached(self, records: int, size: int, partitions: int = 1) -> bool:
        """Whether a batch of so many records and bytes is to be folded now, in a worker of so many partitions."""
        return (
            records >= self._limits.batch_records
            or size >= self._bytes
            or size * partitions >= self._limits.received_bytes
        )

    def folded(self, size: int, seconds: float) -> None:
        """Learn that a batch of `size` bytes took so long."""
        if size < TELLING_SHARE * self._bytes:
            return
        fitting = size * self._limits.batch_seconds / max(seconds, 1e-6)
        self._bytes = int(min(max(fitting, LEAST_BYTES), GROWTH * self._bytes, self._limits.batch_bytes))
