"""What a run is planned to be."""

import time

from tests.faults.__main__ import FAULTS, LEAST_RESTARTS, LEAST_SECONDS, SEED
from tests.faults.nemeses import RESTARTS, WEIGHTS, restart_again_and_again
from tests.faults.run import Plan, drawn, lasting
from tests.faults.stage import Setting

WANTED_RESTARTS = 100
WANTED_FAULTS = 200
WANTED_SECONDS = 1800


def test_a_long_run_is_long_enough() -> None:
    """At least 200 faults, 30 minutes and 100 clean restarts with a backlog, with every kind of fault among them."""
    strikes = drawn(SEED, FAULTS["long"], least_restarts=LEAST_RESTARTS["long"])

    assert len(strikes) >= WANTED_FAULTS
    assert strikes.count(restart_again_and_again) * RESTARTS >= WANTED_RESTARTS
    assert LEAST_SECONDS["long"] >= WANTED_SECONDS
    assert set(strikes) == set(WEIGHTS)


def test_restarts_are_added_where_too_few_are_drawn() -> None:
    """Whatever the seed."""
    for seed in range(5):
        few = drawn(seed, 3, least_restarts=WANTED_RESTARTS)
        assert few.count(restart_again_and_again) * RESTARTS >= WANTED_RESTARTS


def test_a_run_whose_faults_are_through_goes_on_until_its_time_is_over() -> None:
    """The faults of the plan first, then more; without a least time no more."""
    strikes = drawn(1, 3)
    plan = Plan(seed=1, strikes=strikes, setting=Setting(seed=1))
    lasting_plan = Plan(seed=1, strikes=strikes, setting=Setting(seed=1), least_seconds=60)

    going_on = lasting(lasting_plan, time.monotonic())

    assert list(lasting(plan, time.monotonic())) == strikes
    assert [next(going_on) for _ in range(10)][:3] == strikes
    assert list(lasting(lasting_plan, time.monotonic() - 61)) == strikes
