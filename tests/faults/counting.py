"""A core that is not idempotent, beside the real one in the same transactions: it counts how often each fact was applied.

The real reconciler hides a second application, since it is idempotent. These rows do not: a count per fact, and a hash
that every record is folded into in turn, so that a record lost, doubled or out of place changes it for good.
"""

import hashlib
import zlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

import msgspec

from streams.topology.core import Core, Decision

PREFIX: Final = b"\x02"
CHAIN_ROW: Final = PREFIX + b"chain"
BUCKETS: Final = 4096
START: Final = ""


class Event(msgspec.Struct, frozen=True):
    """As much of a fact as names it."""

    id: str
    forwardedto: str | None = None

    @property
    def name(self) -> str:
        """What it is counted under: a copy brought to another patient is another."""
        return self.id if self.forwardedto is None else f"{self.id}>{self.forwardedto}"


class Chain(msgspec.Struct, frozen=True):
    """All records so far, in order."""

    records: int = 0
    digest: str = START

    def and_then(self, record: bytes) -> "Chain":
        """The chain with one record more."""
        return Chain(self.records + 1, hashlib.blake2b(self.digest.encode() + record, digest_size=16).hexdigest())


_events = msgspec.json.Decoder(list[Event])
_counts = msgspec.json.Decoder(dict[str, int])
_chain = msgspec.json.Decoder(Chain)


def events_of(record: bytes) -> list[str]:
    """Return the names of the facts in a record of the fact topic; a tick has none."""
    return [event.name for event in _events.decode(record)] if record.startswith(b"[") else []


def bucket_row(name: str) -> bytes:
    """Return the key of the row that a fact is counted in."""
    return PREFIX + b"n%04d" % (zlib.crc32(name.encode()) % BUCKETS)


def is_counting(key: bytes) -> bool:
    """Whether a state row is one of ours."""
    return key.startswith(PREFIX)


def counts_of(rows: Mapping[bytes, bytes]) -> dict[str, int]:
    """Return how often each fact was applied, from the stored rows."""
    counts: dict[str, int] = {}
    for key, value in rows.items():
        if is_counting(key) and key != CHAIN_ROW:
            counts |= _counts.decode(value)
    return counts


def chain_of(rows: Mapping[bytes, bytes]) -> Chain:
    """Return the chain, from the stored rows."""
    return _chain.decode(rows[CHAIN_ROW]) if CHAIN_ROW in rows else Chain()


class CountingCore:
    """The real core and the counts, as one core."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._counts: dict[bytes, dict[str, int]] = {}
        self._chain = Chain()

    def load(self, rows: Mapping[bytes, bytes]) -> None:
        """Take over both."""
        self._core.load({key: value for key, value in rows.items() if not is_counting(key)})
        self._chain = chain_of(rows)
        self._counts = {
            key: _counts.decode(value) for key, value in rows.items() if is_counting(key) and key != CHAIN_ROW
        }

    def apply(self, records: Sequence[bytes]) -> Decision:
        """Apply and count."""
        decision = self._core.apply(records)
        rows = dict(decision.rows)
        for record in records:
            self._chain = self._chain.and_then(record)
            for name in events_of(record):
                row = bucket_row(name)
                counts = self._counts.setdefault(row, {})
                counts[name] = counts.get(name, 0) + 1
                rows[row] = b""
        rows |= {key: msgspec.json.encode(self._counts[key]) for key in rows if key in self._counts}
        rows[CHAIN_ROW] = msgspec.json.encode(self._chain)
        return Decision(rows, decision.sends, decision.conflicts)

    def next_wake(self) -> datetime | None:
        """The real core's."""
        return self._core.next_wake()
