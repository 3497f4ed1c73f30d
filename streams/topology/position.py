"""The position row: where a partition goes on, stored with the state that it explains.

Rules: the row is written in every transaction that changes the state of its partition, under a key that no core may use.
State and position can therefore not disagree. The checksum of the last applied record and the id of the topic tell a log
that was truncated or made anew, and then refilled, from the log we know.
"""

import hashlib

import msgspec

POSITION_KEY = b"\x00position"

CHECKSUM_BYTES = 8


class Position(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The next input offset to apply, and what the log looked like just before it."""

    next_offset: int
    checksum: str | None = None
    """Of the value of the record at `next_offset - 1`; `None` before the first."""
    topic_id: str | None = None
    """The broker's own id of the fact topic; `None` where the broker has none (the embedded one)."""


START = Position(next_offset=0)


def checksum(record: bytes) -> str:
    """A short digest of a record's value: equal values, equal text."""
    return hashlib.blake2b(record, digest_size=CHECKSUM_BYTES).hexdigest()


def encode(position: Position) -> bytes:
    """The row's value, JSON."""
    return msgspec.json.encode(position)


def decode(row: bytes) -> Position:
    """The position in a row. Raises `msgspec.MsgspecError` when it is none: then somebody else wrote it."""
    return msgspec.json.decode(row, type=Position)
