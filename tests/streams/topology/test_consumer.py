"""Handing a record over: at once where that goes, and called off where it must wait and the flow is suspended."""

import asyncio
import inspect
from collections.abc import AsyncIterator
from typing import Any

import pytest
from faust.transport.drivers.aiokafka import Consumer

from streams.topology.app import create_app
from streams.topology.consumer import Begun, ReadingConsumer
from streams.topology.ownership import Ownership
from streams.topology.reading import FactReader
from tests.streams.topology.fakes import RecordingStop, engine_settings


@pytest.fixture
async def consumer() -> AsyncIterator[Consumer]:
    """Ours, of an app that is not started."""

    async def nobody(*_: Any) -> None:
        """Is not called."""

    settings = engine_settings()
    app = create_app(settings)
    made = ReadingConsumer(
        app.transport,
        callback=nobody,
        on_partitions_revoked=nobody,
        on_partitions_assigned=nobody,
        reader=FactReader(settings),
        ownership=Ownership(),
        fact_topic=settings.fact_topic,
        stop=RecordingStop(),
    )
    yield made
    made._thread.thread_loop.close()


async def test_a_record_that_is_taken_at_once_costs_no_task(consumer: Consumer) -> None:
    """What would have called it off was never begun, and is closed."""
    taken: list[int] = []
    suspended = asyncio.Event()
    others = asyncio.all_tasks()

    async def hand_over() -> None:
        taken.append(len(asyncio.all_tasks() - others))

    waiting = suspended.wait()
    await consumer.wait_first(hand_over(), waiting)

    assert taken == [0]
    assert inspect.getcoroutinestate(waiting) == inspect.CORO_CLOSED


async def test_a_record_that_must_wait_is_handed_over_when_there_is_room(consumer: Consumer) -> None:
    """And nothing else of what is waited for with it stays behind."""
    room, suspended, taken = asyncio.Event(), asyncio.Event(), []

    async def hand_over() -> None:
        taken.append("begun")
        await room.wait()
        await asyncio.sleep(0)
        taken.append("done")

    before = asyncio.all_tasks()
    waiting = asyncio.create_task(consumer.wait_first(hand_over(), suspended.wait()))
    await asyncio.sleep(0.01)
    assert taken == ["begun"]
    room.set()
    await waiting

    assert taken == ["begun", "done"]
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == before


async def test_a_record_that_waits_is_called_off_when_the_flow_is_suspended(consumer: Consumer) -> None:
    """It is ended where it waits: nothing of it comes later, in the next assignment."""
    room, suspended, taken = asyncio.Event(), asyncio.Event(), []

    async def hand_over() -> None:
        try:
            await room.wait()
        except asyncio.CancelledError:
            taken.append("called off")
            raise
        taken.append("done")

    waiting = asyncio.create_task(consumer.wait_first(hand_over(), suspended.wait()))
    await asyncio.sleep(0.01)
    suspended.set()
    await waiting
    room.set()
    await asyncio.sleep(0.01)

    assert taken == ["called off"]


@pytest.mark.parametrize("steps", [0, 1, 3])
async def test_what_a_record_meets_is_raised(consumer: Consumer, steps: int) -> None:
    """In its first step or later."""

    async def hand_over() -> None:
        for _ in range(steps):
            await asyncio.sleep(0)
        raise ValueError("met")

    with pytest.raises(ValueError, match="met"):
        await consumer.wait_first(hand_over(), asyncio.Event().wait())


async def test_other_waits_are_as_they_were(consumer: Consumer) -> None:
    """For an event, a task, or one coroutine alone, with what it returns."""

    async def answer() -> int:
        return 7

    event = asyncio.Event()
    asyncio.get_running_loop().call_later(0.01, event.set)

    assert (await consumer.wait_first(event, asyncio.Event().wait())).done == [event]
    assert (await consumer.wait_first(answer())).results == [7]
    assert (await consumer.wait_first(asyncio.create_task(answer()), asyncio.Event().wait())).results == [7]


async def test_what_was_begun_gets_what_it_waits_for() -> None:
    """Results and faults of what it awaits, however often."""
    first: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    second: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    got: list[Any] = []

    async def work() -> None:
        got.append(await first)
        try:
            await second
        except ValueError as fault:
            got.append(str(fault))

    begun = Begun(work())
    assert not begun.finished
    asyncio.get_running_loop().call_soon(first.set_result, 7)
    asyncio.get_running_loop().call_later(0.01, second.set_exception, ValueError("no"))
    await begun

    assert got == [7, "no"]
