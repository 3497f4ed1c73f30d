"""What the engine runs: one pure core per partition, and what it decides.

A core does no I/O, reads no clock and draws no random number: it sees the records of its partition in order, and says
what to store and what to send. The engine does both in one transaction.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

import msgspec


class Send(msgspec.Struct, frozen=True):
    """One record to produce, to the same partition number as the records that caused it."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


class Decision(msgspec.Struct, frozen=True):
    """What a run of records did to one partition.

    `rows` are state rows to write (`None` is a tombstone); a later row of the same key replaces an earlier one that is not
    yet written. `sends` are produced in order. Keys that begin with a zero byte belong to the engine.
    """

    rows: Mapping[bytes, bytes | None]
    sends: Sequence[Send] = ()
    conflicts: Mapping[str, int] = {}
    """Code -> how many conflicts the decision leaves for people to see; for the figures only."""


class Core(Protocol):
    """The decisions of one partition, without I/O."""

    def load(self, rows: Mapping[bytes, bytes]) -> None:
        """Take over the stored rows of this partition; called once, before anything else."""
        ...

    def apply(self, records: Sequence[bytes]) -> Decision:
        """Apply the values of fact-topic records, in order, and say what to store and send.

        Bad data is a value and never raises. What raises is a bug: it ends the process, and the records come again; so
        no half-changed state may be left behind.
        """
        ...

    def next_wake(self) -> datetime | None:
        """When something in this partition changes by itself, though no record comes; aware, or `None` for never."""
        ...


CoreFactory = Callable[[int], Core]
"""Makes the empty core of the partition of this number."""

Tick = Callable[[datetime], bytes]
"""Makes the fact-topic record that says: it is now this time (aware UTC)."""
