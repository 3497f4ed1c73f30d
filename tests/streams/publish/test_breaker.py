"""The circuit breaker and the waits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.publish.backoff import Backoff
from streams.publish.breaker import Breaker, BreakerLimits


def opened(now: float = 0.0, wait: float = 10.0) -> Breaker:
    """A breaker that has just opened."""
    breaker = Breaker(BreakerLimits(failures_to_open=2))
    breaker.failed(now, wait)
    assert breaker.failed(now, wait) is True
    return breaker


def test_it_opens_after_failures_in_a_row_only() -> None:
    """One success in between starts the count anew."""
    breaker = Breaker(BreakerLimits(failures_to_open=2))

    assert breaker.failed(0, 10) is False
    breaker.succeeded()
    assert breaker.failed(0, 10) is False
    assert breaker.may_begin(0)
    assert breaker.failed(0, 10) is True
    assert not breaker.may_begin(9.9)


def test_after_its_wait_one_probe_may_begin() -> None:
    """Not two: an endpoint that comes back is not run over."""
    breaker = opened()

    assert breaker.may_begin(10.0)
    breaker.began(10.0)

    assert not breaker.may_begin(10.1)
    assert breaker.state(10.1) == "half-open"


def test_a_probe_that_succeeds_closes_it() -> None:
    """And says so, for the log."""
    breaker = opened()
    breaker.began(10.0)

    assert breaker.succeeded() is True
    assert breaker.succeeded() is False
    assert breaker.may_begin(10.2)


def test_a_probe_that_fails_opens_it_again() -> None:
    """For another wait, which may be longer."""
    breaker = opened()
    breaker.began(10.0)

    assert breaker.failed(11.0, 20.0) is True
    assert breaker.opened_times == 2
    assert not breaker.may_begin(30.9)
    assert breaker.may_begin(31.0)


def test_attempts_that_were_under_way_do_not_lengthen_the_wait() -> None:
    """Eight that fail together are one outage."""
    breaker = opened()

    assert breaker.failed(0.1, 100.0) is False
    assert breaker.may_begin(10.0)


@given(st.integers(1, 100), st.floats(0, 1), st.none() | st.floats(0, 1000))
def test_a_wait_is_at_least_what_was_asked_for_and_has_a_ceiling(
    failures: int, chance: float, asked: float | None
) -> None:
    """Full jitter over the ceiling, beyond what the endpoint asked for."""
    wait = Backoff(first_seconds=0.5, most_seconds=60.0).wait_seconds(failures, chance, asked)

    assert (asked or 0.0) <= wait <= (asked or 0.0) + 60.0


@pytest.mark.parametrize(("failures", "most"), [(1, 0.5), (2, 1.0), (3, 2.0), (20, 60.0)])
def test_the_ceiling_doubles(failures: int, most: float) -> None:
    """Up to its limit."""
    assert Backoff(first_seconds=0.5, most_seconds=60.0).wait_seconds(failures, 1.0, None) == most
