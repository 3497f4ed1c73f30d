"""Progress over partitions: what is done, and how long the rest will take."""

from streams.topology.rebuilding.partition import Step
from streams.topology.rebuilding.progress import READING_SHARE, Progress


def test_it_begins_at_nothing_and_ends_at_all() -> None:
    """Before the first step nothing is known; when all partitions are done, nothing is left."""
    progress = Progress([0, 1], begun=10.0)

    assert (progress.share, progress.seconds_left(11.0)) == (0.0, None)
    progress.done(0)
    progress.done(1)
    assert (progress.share, progress.seconds_left(20.0)) == (1.0, 0.0)


def test_reading_and_folding_count_by_their_shares() -> None:
    """A partition that is read and half folded has the reading's share and half of the folding's."""
    progress = Progress([7], begun=0.0)

    progress.step(Step(7, read=10, records=10, folded=50, facts=100))

    assert progress.share == READING_SHARE + (1 - READING_SHARE) / 2


def test_the_time_left_follows_the_pace() -> None:
    """A quarter done in ten seconds leaves thirty."""
    progress = Progress([0, 1, 2, 3], begun=0.0)

    progress.done(2)

    assert progress.seconds_left(10.0) == 30.0
    assert "about 30 s left" in progress.text(10.0)


def test_an_empty_partition_is_read_at_once() -> None:
    """A partition without records does not hold the figures up."""
    progress = Progress([0], begun=0.0)

    progress.step(Step(0, read=0, records=0, folded=0, facts=0))

    assert progress.share == READING_SHARE
