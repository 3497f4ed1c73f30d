"""The hands that carry attempts out: neither when they die nor when they hang does the publisher go on as if they worked."""

import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest

from connectors.settings import Settings
from streams.publish.execute import Attempt, Executor
from streams.topology.publisher.hands import Hands
from streams.topology.publisher.problems import PublisherCode, PublisherError
from tests.streams.publish.cases import line, standing, the_list
from tests.streams.topology.publisher.wire import QUICK, eventually, publisher, send

HUNG_SECONDS = 3.0


def test_hands_that_cannot_begin_say_so() -> None:
    """Whoever enters them hears of it."""

    @asynccontextmanager
    async def cannot() -> AsyncIterator[Executor]:
        raise ConnectionError("no endpoint")
        yield  # type: ignore[unreachable]

    with pytest.raises(ConnectionError), Hands(cannot, 1.0):
        pass


def test_hands_that_die_end_their_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread that dies of an exception ends the process (`streams.topology.threads`)."""
    died: list[str] = []
    monkeypatch.setattr(threading, "excepthook", lambda crash: died.append(crash.exc_type.__name__))

    @asynccontextmanager
    async def failing_in_the_end() -> AsyncIterator[Executor]:
        yield None  # type: ignore[misc] # nothing is attempted
        raise RuntimeError

    with Hands(failing_in_the_end, 1.0):
        pass

    assert died == ["RuntimeError"]


@pytest.mark.usefixtures("endpoint")
def test_hands_that_hang_stop_the_publisher(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """An attempt that does not even end when its time is over is in a loop that does not turn."""

    async def hang(*_: Any) -> Attempt:
        time.sleep(HUNG_SECONDS)  # noqa: ASYNC251 - that is the fault
        return Attempt(state="failing")

    monkeypatch.setattr(Executor, "attempt", hang)
    send(settings, the_list(line(standing())))
    limits = msgspec.structs.replace(QUICK, attempt_seconds=0.2, cutting_seconds=0.2)

    with publisher(settings, limits) as stop:
        eventually(lambda: bool(stop.causes), "the publisher stops")

    (cause,) = stop.causes
    assert isinstance(cause, PublisherError)
    assert cause.reason is PublisherCode.STALLED
