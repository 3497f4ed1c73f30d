"""How large a batch may be."""

from hypothesis import given
from hypothesis import strategies as st

from streams.topology.batching import FIRST_BYTES, LEAST_BYTES, BatchSize
from streams.topology.settings import EngineLimits

LIMITS = EngineLimits(batch_seconds=0.5, batch_records=1000, batch_bytes=64 * 1024 * 1024)


def reached_at(size: BatchSize) -> int:
    """The fewest bytes that make a batch full."""
    return next(step for step in range(1024, LIMITS.batch_bytes + 1024, 1024) if size.is_reached(1, step))


def test_a_batch_is_full_by_its_size_or_by_its_number() -> None:
    """Whichever comes first; before anything is known by a size that every core folds soon."""
    size = BatchSize(LIMITS)

    assert not size.is_reached(999, FIRST_BYTES - 1)
    assert size.is_reached(1, FIRST_BYTES)
    assert size.is_reached(1000, 1)


def test_many_partitions_share_what_a_worker_may_hold() -> None:
    """What has come and is not yet folded does not grow with their number."""
    size = BatchSize(LIMITS)
    share = LIMITS.received_bytes // 128

    assert not size.is_reached(1, share - 1, partitions=128)
    assert size.is_reached(1, share, partitions=128)


def test_a_fast_core_gets_larger_batches_step_by_step() -> None:
    """Each at most twice the last one, up to the limit."""
    size = BatchSize(LIMITS)
    seen = []
    for _ in range(6):
        size.folded(reached_at(size), 0.001)
        seen.append(reached_at(size) // FIRST_BYTES)

    assert seen == [2, 4, 8, 16, 16, 16]


def test_a_slow_core_gets_batches_that_it_folds_in_time() -> None:
    """At once: 4 MB in two seconds are 1 MB in half a second."""
    size = BatchSize(LIMITS)
    size.folded(FIRST_BYTES, 2.0)

    assert reached_at(size) == FIRST_BYTES // 4


def test_what_is_folded_live_says_nothing_of_batches() -> None:
    """A record of a kilobyte in 5 ms would make batches of 100 kB."""
    size = BatchSize(LIMITS)
    for _ in range(100):
        size.folded(1000, 0.005)

    assert reached_at(size) == FIRST_BYTES


@given(st.lists(st.tuples(st.integers(0, 10**9), st.floats(0, 1000))))
def test_whatever_was_measured_there_is_a_limit_that_can_be_reached(folds: list[tuple[int, float]]) -> None:
    """Neither nothing nor more than the limit makes a batch."""
    size = BatchSize(LIMITS)
    for bytes_folded, seconds in folds:
        size.folded(bytes_folded, seconds)

    assert not size.is_reached(1, LEAST_BYTES - 1)
    assert size.is_reached(1, LIMITS.batch_bytes)
