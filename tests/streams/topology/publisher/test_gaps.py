"""The gap tracker: commits never pass an unfinished record."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.topology.publisher.gaps import Gaps


def test_nothing_is_committed_before_the_first_record() -> None:
    """A partition that gave no record has no position of ours."""
    assert Gaps().committable is None


def test_the_lowest_unfinished_record_holds_the_commit_back() -> None:
    """What finished behind it is committed with it, not before."""
    gaps = Gaps()
    for offset in (3, 4, 7):
        gaps.opened(offset)

    gaps.finished(4)
    gaps.finished(7)

    assert gaps.committable == 3
    gaps.finished(3)
    assert gaps.committable == 8


def test_offsets_rise() -> None:
    """A record that was taken before is a log read out of order, and nothing changes."""
    gaps = Gaps()
    gaps.opened(5)

    with pytest.raises(ValueError, match="offset 5 after 5"):
        gaps.opened(5)

    assert (gaps.unfinished, gaps.committable) == (1, 5)


def test_a_record_finishes_once() -> None:
    """Finishing twice is a mistake of ours, never silently right."""
    gaps = Gaps()
    gaps.opened(1)
    gaps.finished(1)

    with pytest.raises(KeyError):
        gaps.finished(1)


@given(offsets=st.sets(st.integers(0, 200), min_size=1), data=st.data())
def test_a_commit_covers_finished_records_only(offsets: set[int], data: st.DataObject) -> None:
    """Whatever the order: every record before the commit is finished, and the first one at or after it is not."""
    gaps = Gaps()
    for offset in sorted(offsets):
        gaps.opened(offset)
    unfinished = set(offsets)
    for offset in data.draw(st.permutations(sorted(offsets))):
        gaps.finished(offset)
        unfinished.discard(offset)
        expected = min(unfinished) if unfinished else max(offsets) + 1
        assert gaps.committable == expected
    assert gaps.unfinished == 0
