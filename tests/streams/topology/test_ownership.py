"""Which partitions are ours, over rebalances."""

from streams.topology.ownership import Ownership
from tests.streams.topology.fakes import owned_partition


def owning(generation: int, *numbers: int) -> Ownership:
    """An ownership of these partitions under this generation."""
    ownership = Ownership()
    handover = ownership.hand_over(generation, numbers)
    ownership.complete(handover, {number: owned_partition(number)[0] for number in numbers})
    return ownership


def test_nothing_is_ours_until_the_restore_is_complete() -> None:
    """Between the assignment and the end of its restore no record may find a partition."""
    ownership = Ownership()

    handover = ownership.hand_over(1, [0, 1])

    assert handover.wanted == (0, 1)
    assert not ownership.owned
    assert not ownership.restored


def test_partitions_stay_over_a_rebalance_of_the_next_generation() -> None:
    """Nobody can have owned them in between: they are kept as they are, the others are given up or read back."""
    ownership = owning(4, 0, 1)
    zero = ownership.owned[0]

    ownership.park()
    handover = ownership.hand_over(5, [0, 2])

    assert handover.kept == {0: zero}
    assert handover.wanted == (2,)
    assert [partition.number for partition in handover.given_up] == [1]
    assert handover.given_up[0].retired
    assert not zero.retired


def test_a_partition_whose_last_write_failed_is_read_back() -> None:
    """What it holds in memory was never stored."""
    ownership = owning(4, 0)
    zero = ownership.owned[0]
    ownership.park()
    zero.retired = True

    handover = ownership.hand_over(5, [0])

    assert not handover.kept
    assert handover.wanted == (0,)


def test_after_a_longer_absence_everything_is_read_back() -> None:
    """A generation that we were not part of may have had another owner."""
    ownership = owning(4, 0)
    zero = ownership.owned[0]

    ownership.park()
    handover = ownership.hand_over(6, [0])

    assert not handover.kept
    assert handover.wanted == (0,)
    assert zero.retired


def test_records_not_yet_applied_are_forgotten_when_partitions_are_revoked() -> None:
    """They are fetched again from the last applied one, so they must not stay behind as well."""
    ownership = owning(1, 0)
    zero = ownership.owned[0]
    zero.receive(0, b"applied")
    zero.fold()
    zero.receive(1, b"only received")

    ownership.park()

    assert zero.waiting == 0
    assert zero.received == zero.applied.next_offset == 1


def test_a_superseded_assignment_leaves_nothing_behind() -> None:
    """When a newer generation came during the restore, all of it is given up, and the next one reads back anew."""
    ownership = owning(1, 0)
    ownership.park()
    handover = ownership.hand_over(2, [0, 1])
    one = owned_partition(1)[0]

    given_up = ownership.supersede(handover, {1: one})

    assert {partition.number for partition in given_up} == {0, 1}
    assert all(partition.retired for partition in given_up)
    assert ownership.hand_over(3, [0, 1]).wanted == (0, 1)
