"""Whether a record that arrives is the one to apply. Offsets of the fact topic are dense, so there is only one."""

from enum import Enum


class Place(Enum):
    """Where a record stands relative to the next one to apply."""

    NEXT = "next"
    """Apply it."""
    ALREADY_APPLIED = "already applied"
    """The engine went back further than we: skip it."""
    STALE = "stale"
    """Fetched under an assignment that is gone; it comes again under the new one."""
    GAP = "gap"
    """Something between was skipped: applying it would lose what lies between."""


def place(offset: int, expected: int, *, stale: bool) -> Place:
    """Say where a record at `offset` stands when `expected` is the next to apply.

    A stale record is never a gap: it was fetched before the seek to our position.
    """
    if offset < expected:
        return Place.ALREADY_APPLIED
    if stale:
        return Place.STALE
    return Place.NEXT if offset == expected else Place.GAP
