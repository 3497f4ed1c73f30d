"""Which record is the one to apply."""

import pytest

from streams.topology.contiguity import Place, place


@pytest.mark.parametrize(
    ("offset", "stale", "expected"),
    [
        (5, False, Place.NEXT),
        (4, False, Place.ALREADY_APPLIED),
        (4, True, Place.ALREADY_APPLIED),
        (6, False, Place.GAP),
        (6, True, Place.STALE),
        (5, True, Place.STALE),
    ],
)
def test_only_the_next_record_is_applied(offset: int, *, stale: bool, expected: Place) -> None:
    """With 5 expected next: 5 is applied, smaller is skipped, larger is a gap, and what an old assignment fetched waits."""
    assert place(offset, 5, stale=stale) is expected
