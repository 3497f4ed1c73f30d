"""Waiting while a client says something."""

import asyncio

import pytest

from streams.topology import heard
from streams.topology.heard import Heard, while_heard

STEPS = 200


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        """The time."""
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock that is looked at; looks follow each other at once."""
    made = Clock()
    monkeypatch.setattr(heard, "time", made)
    monkeypatch.setattr(heard, "CHECK_SECONDS", 0.0)
    return made


async def test_what_gives_answers_may_take_as_long_as_it_takes(clock: Clock) -> None:
    """Four hours of answers a minute apart are a slow broker, not a hung client."""
    speaks = Heard()

    async def slow() -> str:
        for _ in range(STEPS):
            clock.now += 60.0
            speaks()
            await asyncio.sleep(0)
        return "done"

    assert await while_heard(slow(), speaks, hung_seconds=90) == "done"


async def test_what_says_nothing_is_not_waited_for(clock: Clock) -> None:
    """Neither an answer nor that there is none: the client hangs, and so would whoever waits for it."""
    cut = asyncio.Event()

    async def hung() -> None:
        try:
            while True:
                clock.now += 60.0
                await asyncio.sleep(0)
        finally:
            cut.set()

    with pytest.raises(TimeoutError):
        await while_heard(hung(), Heard(), hung_seconds=90)
    await asyncio.wait_for(cut.wait(), 5)


async def test_what_fails_fails(clock: Clock) -> None:
    """An error is an answer."""

    async def fails() -> None:
        await asyncio.sleep(0)
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await while_heard(fails(), Heard(), hung_seconds=90)
