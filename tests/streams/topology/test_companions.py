"""What runs beside the stream, and a guard that sees when nothing does."""

import threading
import time
from collections.abc import Coroutine
from typing import Any, cast

import pytest

from streams.topology import app, threads
from streams.topology.app import Companions
from streams.topology.failstop import FailStop
from streams.topology.health import HealthServer
from streams.topology.metrics import EngineMetrics
from streams.topology.ownership import Ownership
from streams.topology.problems import EngineCode, EngineError
from streams.topology.settings import EngineLimits
from streams.topology.watchdog import Watchdog
from tests.streams.topology.fakes import FixedEnds, engine_settings


class Later:
    """A clock that is a minute ahead."""

    def monotonic(self) -> float:
        """The time."""
        return time.monotonic() + 60.0


class Noted:
    """A stop that notes its causes."""

    def __init__(self) -> None:
        self.causes: list[BaseException] = []
        self.told = threading.Event()

    def __call__(self, cause: BaseException) -> None:
        """Note the cause."""
        self.causes.append(cause)
        self.told.set()

    async def guard(self, work: Coroutine[Any, Any, None]) -> None:
        """Await, unguarded."""
        await work


async def test_an_event_loop_that_is_blocked_ends_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the watchdog nor the health endpoint turns then: only somebody beside the loop can see it."""
    monkeypatch.setattr(threads, "LOOK_SECONDS", 0.01)
    settings, ownership, metrics, stop = engine_settings(), Ownership(), EngineMetrics(), Noted()
    watchdog = Watchdog(settings, ownership, FixedEnds({}), metrics)
    companions = Companions(
        engine_settings(EngineLimits(blocked_seconds=5.0)),
        HealthServer(ownership, watchdog, metrics),
        [],
        cast("FailStop", stop),
    )
    await companions.start()
    turning = companions.fault()

    monkeypatch.setattr(app, "time", Later())
    assert stop.told.wait(30)  # blocks the loop itself
    await companions.stop()

    assert turning is None
    assert isinstance(stop.causes[0], EngineError)
    assert stop.causes[0].reason is EngineCode.STUCK
