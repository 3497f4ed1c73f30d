"""Where partitions stand: what waits, for how long, and since when nothing moves."""

from streams.topology.intake.standing import Here, Standings

HERE: Here = ("in.hospital.medication.v1", 0)


def standings(start: int = 10) -> Standings:
    """One partition, dealt out at second 0."""
    known = Standings()
    known.assign({HERE: start}, 0.0)
    return known


def test_a_partition_at_the_end_is_not_behind() -> None:
    """Nothing waits, so neither time runs."""
    standing = standings().look({HERE: 10}, 100.0)[HERE]

    assert (standing.lag, standing.behind_seconds, standing.still_seconds) == (0, 0.0, 0.0)


def test_time_runs_while_something_waits() -> None:
    """Behind counts from when it began to wait, still from when the position last moved."""
    known = standings()
    known.look({HERE: 10}, 5.0)
    known.look({HERE: 12}, 10.0)
    known.took({HERE: 11})
    known.committed({HERE: 11})

    moved, later = known.look({HERE: 12}, 20.0)[HERE], known.look({HERE: 12}, 30.0)[HERE]

    assert (moved.lag, moved.behind_seconds, moved.still_seconds) == (1, 15.0, 0.0)
    assert (later.behind_seconds, later.still_seconds) == (25.0, 10.0)


def test_what_is_taken_but_not_committed_waits_still() -> None:
    """Reaching the end of the log is not enough: the messages must be done."""
    known = standings()
    known.took({HERE: 12})
    known.reached_end(HERE, 12)

    assert known.look({HERE: 12}, 1.0)[HERE].lag == 2


def test_markers_of_transactions_at_the_end_are_nothing_that_waits() -> None:
    """The log ends after a vendor's transaction marker, which is no message."""
    known = standings()
    known.took({HERE: 12})
    known.committed({HERE: 12})
    known.reached_end(HERE, 13)

    assert known.look({HERE: 13}, 1.0)[HERE].lag == 0


def test_a_broker_that_is_away_stops_the_one_clock_and_not_the_other() -> None:
    """Nothing can move while it is away, so that is no standstill; what waits waits all the same."""
    known = standings()
    known.look({HERE: 12}, 10.0)
    known.blinded(300.0)

    standing = known.look({HERE: 12}, 310.0)[HERE]

    assert (standing.behind_seconds, standing.still_seconds) == (310.0, 10.0)


def test_a_partition_without_a_leader_is_not_standing_still() -> None:
    """Nothing of it can be taken; what waits waits all the same."""
    known = standings()
    known.look({HERE: 12}, 10.0)
    known.look({}, 300.0)

    standing = known.look({HERE: 12}, 310.0)[HERE]

    assert (standing.behind_seconds, standing.still_seconds) == (310.0, 10.0)


def test_partitions_that_went_are_not_told_of() -> None:
    """Another member speaks for them now."""
    known = standings()
    known.give_up([HERE])
    known.committed({HERE: 11})

    assert known.look({HERE: 12}, 1.0) == {}
    assert known.assigned == frozenset()
    assert known.ready
