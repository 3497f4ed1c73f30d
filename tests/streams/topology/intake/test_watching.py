"""The watchdog: something waits and nothing moves."""

from collections.abc import Iterator

import pytest

from connectors.kafka.embedded import EmbeddedBroker
from connectors.settings import Settings
from streams.topology.intake.limits import IntakeLimits
from streams.topology.intake.metrics import IntakeMetrics
from streams.topology.intake.problems import IntakeCode, IntakeError
from streams.topology.intake.standing import Standings
from streams.topology.intake.watching import Watch
from tests.streams.topology.intake.trivial import SOURCE, said, topics
from tests.streams.topology.intake.wire import StopsNoted, eventually, send

LIMITS = IntakeLimits(watch_seconds=0.05, request_seconds=1)


@pytest.fixture
def broker() -> Iterator[EmbeddedBroker]:
    """An embedded broker with the intake's topics."""
    with EmbeddedBroker(topics(4)) as broker:
        yield broker


@pytest.fixture
def settings(broker: EmbeddedBroker) -> Settings:
    """Settings with little patience."""
    return Settings.for_demo(broker.bootstrap).model_copy(update={"watchdog_seconds": 0.3})


@pytest.fixture
def standings() -> Standings:
    """A partition that is ours and of which nothing is done."""
    known = Standings()
    known.assign({(SOURCE.topic, 0): 0}, 0.0)
    return known


def test_a_loop_that_hangs_ends_the_process(settings: Settings, standings: Standings) -> None:
    """A message waits, the position stands still: the process ends, to be started again."""
    send(settings, [said(ids=["a"])])
    stop = StopsNoted()
    watch = Watch(settings, LIMITS, standings, IntakeMetrics())

    watch.start(stop.note)
    eventually(lambda: bool(stop.causes), "the watchdog stopped it")
    watch.close()

    (cause,) = stop.causes
    assert isinstance(cause, IntakeError)
    assert cause.reason is IntakeCode.STUCK


def test_nothing_that_waits_is_no_fault(settings: Settings, standings: Standings) -> None:
    """An idle source does not end the process, however long it lasts."""
    watch = Watch(settings, LIMITS, standings, IntakeMetrics())
    watch.look()

    found = watch.look()
    watch.close()

    assert found is not None
    assert [standing.still_seconds for standing in found.values()] == [0.0]


def test_a_broker_that_does_not_answer_is_no_verdict(broker: EmbeddedBroker, settings: Settings) -> None:
    """Without a broker nothing is known, and ending the process would not help."""
    standings = Standings()
    standings.assign({(SOURCE.topic, 0): 0}, 0.0)
    broker.down()
    watch = Watch(settings, LIMITS, standings, IntakeMetrics())

    assert watch.look() is None

    watch.close()
