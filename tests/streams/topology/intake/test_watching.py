"""The watchdog: something waits and nothing moves."""

import threading
from collections.abc import Callable, Iterator
from typing import cast

import pytest
from confluent_kafka import Consumer, TopicPartition
from structlog.testing import capture_logs

from connectors.kafka.embedded import EmbeddedBroker
from connectors.settings import Settings
from streams.topology.intake import watching
from streams.topology.intake.limits import IntakeLimits
from streams.topology.intake.metrics import IntakeMetrics
from streams.topology.intake.problems import IntakeCode, IntakeError
from streams.topology.intake.standing import Standings
from streams.topology.intake.watching import Watch
from tests.kafka.leaderless import PartlyLed
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


def test_a_partition_without_a_leader_hides_none_that_is_stuck(settings: Settings, standings: Standings) -> None:
    """Of the others it is known where they end; where nobody tells of any, nothing is concluded."""
    standings.assign({(SOURCE.topic, 1): 0}, 0.0)
    watch, brokers = Watch(settings, LIMITS, standings, IntakeMetrics()), PartlyLed({(SOURCE.topic, 0)})
    watch._client = cast("Consumer", brokers)

    seen = watch.look()
    brokers.led.clear()

    assert seen is not None
    assert {partition: standing.lag for (_, partition), standing in seen.items()} == {0: 7}
    assert watch.look() is None
    watch.close()


def test_nothing_that_waits_is_no_fault(settings: Settings, standings: Standings) -> None:
    """An idle source does not end the process, however long it lasts."""
    watch = Watch(settings, LIMITS, standings, IntakeMetrics())
    watch.look()

    found = watch.look()
    watch.close()

    assert found is not None
    assert [standing.still_seconds for standing in found.values()] == [0.0]


class Hanging:
    """A client that neither answers nor says that there is no answer, until it is let go."""

    def __init__(self) -> None:
        self.let_go = threading.Event()

    def get_watermark_offsets(self, _partition: TopicPartition, timeout: float) -> tuple[int, int]:
        """Nothing, whatever was agreed."""
        assert self.let_go.wait(60)
        return 0, 0

    def close(self) -> None:
        """Nothing to close."""


class Gone(Watch):
    """A watchdog whose thread ends without a word."""

    def _run(self, stop: Callable[[BaseException], object]) -> None:
        """Not even once."""


def test_a_watchdog_that_hangs_ends_the_process(
    settings: Settings, standings: Standings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody would see any more that the loop hangs; the guard sees that, and has nothing to hang on itself."""
    monkeypatch.setattr(watching, "HUNG_SECONDS", 0.3)
    stop, client = StopsNoted(), Hanging()
    watch = Watch(settings, LIMITS, standings, IntakeMetrics())
    watch._client = cast("Consumer", client)

    watch.start(stop.note)
    eventually(lambda: bool(stop.causes), "the guard stopped it")
    client.let_go.set()
    watch.close()

    assert isinstance(stop.causes[0], IntakeError)
    assert stop.causes[0].reason is IntakeCode.STUCK
    assert "said nothing" in stop.causes[0].detail


def test_a_watchdog_that_is_gone_ends_the_process(settings: Settings, standings: Standings) -> None:
    """However its thread came to an end."""
    stop = StopsNoted()
    watch = Gone(settings, LIMITS, standings, IntakeMetrics())

    watch.start(stop.note)
    eventually(lambda: bool(stop.causes), "the guard stopped it")
    watch.close()

    assert isinstance(stop.causes[0], IntakeError)
    assert "thread has ended" in stop.causes[0].detail


def test_a_stop_does_not_wait_for_a_watchdog_that_hangs(
    settings: Settings, standings: Standings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What hangs goes with the process."""
    monkeypatch.setattr(watching, "LEAVE_SECONDS", 0.05)
    client = Hanging()
    watch = Watch(settings, LIMITS, standings, IntakeMetrics())
    watch._client = cast("Consumer", client)
    asking = threading.Thread(target=watch.look)
    asking.start()
    eventually(watch._asking.locked, "it asks")

    watch.close()
    hangs_still = asking.is_alive()
    client.let_go.set()
    asking.join()

    assert hangs_still


def test_a_broker_that_is_away_is_told_once_and_so_is_that_it_is_back(
    broker: EmbeddedBroker, settings: Settings, standings: Standings
) -> None:
    """However often it is looked."""
    watch = Watch(settings, LIMITS, standings, IntakeMetrics())
    with capture_logs() as lines:
        broker.down()
        eventually(lambda: watch.look() is None, "it is away")
        watch.look()
        broker.up()
        eventually(lambda: watch.look() is not None, "it is back")
        watch.look()
    watch.close()

    told = [line["event"] for line in lines if line["event"].startswith("intake.")]
    assert told == ["intake.unwatched", "intake.watched"]


def test_a_broker_that_does_not_answer_is_no_verdict(broker: EmbeddedBroker, settings: Settings) -> None:
    """Without a broker nothing is known, and ending the process would not help."""
    standings = Standings()
    standings.assign({(SOURCE.topic, 0): 0}, 0.0)
    broker.down()
    watch = Watch(settings, LIMITS, standings, IntakeMetrics())

    assert watch.look() is None

    watch.close()
