"""Time passing, as an input event: only when due, and only once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from streams.topology.metrics import EngineMetrics
from streams.topology.ownership import Ownership
from streams.topology.wakeups import WakeUps
from tests.streams.topology.fakes import ListCore, engine_settings, owned_partition

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def scene() -> tuple[WakeUps, ListCore]:
    """Wake-ups over one partition that wants to be woken at noon."""
    partition, core, _ = owned_partition()
    core.wake = NOON
    ownership = Ownership()
    ownership.complete(ownership.hand_over(1, [0]), {0: partition})
    wakeups = WakeUps(
        engine_settings(), ownership, lambda at: at.isoformat().encode(), ThreadPoolExecutor(1), EngineMetrics()
    )
    return wakeups, core


def test_only_when_due() -> None:
    """Not a second before, and with the time that it is, not the time that it should have been."""
    wakeups, _ = scene()

    assert wakeups.due(NOON - timedelta(seconds=1)) == {}
    assert wakeups.due(NOON + timedelta(seconds=2)) == {0: b"2026-01-01T12:00:02+00:00"}


def test_never_without_a_wish() -> None:
    """A core that waits for nothing is left alone."""
    wakeups, core = scene()
    core.wake = None

    assert wakeups.due(NOON) == {}


def test_not_again_before_the_last_one_was_applied() -> None:
    """A tick that waits behind a backlog is not followed by another each second."""
    wakeups, _ = scene()
    wakeups.note_told({0: 0})
    assert wakeups.due(NOON) == {}

    partition = wakeups.ownership.owned[0]
    partition.receive(0, b"tick")
    partition.fold()

    assert set(wakeups.due(NOON)) == {0}
