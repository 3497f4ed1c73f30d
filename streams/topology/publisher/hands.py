"""The hands: attempts run in an event loop of their own, in a thread of its own; each result comes back by a queue.

So does what an attempt announces before it writes; it waits until that is released.
"""

import asyncio
import queue
import threading
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Self, TypeVar

import msgspec

from contracts.publication import PublishProblem
from streams.publish.execute import Attempt, Executor
from streams.publish.writes import Writes
from streams.topology.publisher.desk import Task

T = TypeVar("T")
MakeExecutor = Callable[[], AbstractAsyncContextManager[Executor]]
"""Opens what an executor needs, inside the event loop that it will run in."""


class Result(msgspec.Struct, frozen=True):
    """How an attempt at a task ended; ``attempt`` is the exception where a bug ended it."""

    task: Task
    attempt: Attempt | BaseException


class Announcement(msgspec.Struct, frozen=True):
    """Writes that a task is about to send, once it hears that they are told."""

    task: Task
    writes: Writes
    heard: asyncio.Future[bool]


class Hands:
    """Runs attempts while it is entered as a context. ``begin`` and ``results`` are for the thread that entered it."""

    def __init__(self, make: MakeExecutor, attempt_seconds: float) -> None:
        self._make = make
        self._attempt_seconds = attempt_seconds
        self._results: queue.SimpleQueue[Result] = queue.SimpleQueue()
        self._announcements: queue.SimpleQueue[Announcement] = queue.SimpleQueue()
        self._started: queue.SimpleQueue[Executor | BaseException] = queue.SimpleQueue()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._over = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._thread: threading.Thread | None = None
        self._executor: Executor | None = None

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, args=(self._loop,), name="publisher-hands", daemon=True)
        self._thread.start()
        started = self._started.get()
        if isinstance(started, BaseException):
            self._end(self._loop, self._thread)
            raise started
        self._executor = started
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Cut what is still under way, close the connections, end the thread."""
        loop, thread = self._running()
        loop.call_soon_threadsafe(self._over.set)
        self._end(loop, thread)

    def begin(self, task: Task) -> None:
        """Begin an attempt; its result will come."""
        self._running()[0].call_soon_threadsafe(self._spawn, task)

    def forget(self, patient: str) -> None:
        """Keep nothing of what was read of a patient; an attempt under way may keep something once more when it ends."""
        loop, _ = self._running()
        assert self._executor is not None  # noqa: S101 - entered before anything is forgotten
        loop.call_soon_threadsafe(self._executor.forget, patient)

    def results(self) -> list[Result]:
        """Return the results that have come, without waiting."""
        return _taken(self._results)

    def announcements(self) -> list[Announcement]:
        """Return what attempts have announced, without waiting; each waits until it is released."""
        return _taken(self._announcements)

    def release(self, announcement: Announcement, *, may: bool) -> None:
        """Let an attempt go on: its writes are told, and it may send them; or it may not."""

        def hear() -> None:
            if not announcement.heard.done():  # cut meanwhile
                announcement.heard.set_result(may)

        self._running()[0].call_soon_threadsafe(hear)

    def _running(self) -> tuple[asyncio.AbstractEventLoop, threading.Thread]:
        if self._loop is None or self._thread is None:
            raise RuntimeError("the hands work only while they are entered as a context")
        return self._loop, self._thread

    def _end(self, loop: asyncio.AbstractEventLoop, thread: threading.Thread) -> None:
        thread.join()
        loop.close()

    def _spawn(self, task: Task) -> None:
        running = self._running()[0].create_task(self._work(task))
        self._tasks.add(running)
        running.add_done_callback(self._tasks.discard)

    async def _work(self, task: Task) -> None:
        assert self._executor is not None  # noqa: S101 - entered before anything begins

        async def announce(writes: Writes) -> bool:
            heard: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
            self._announcements.put(Announcement(task, writes, heard))
            return await heard

        try:
            async with asyncio.timeout(self._attempt_seconds):
                attempt = await self._executor.attempt(task.job, announce)
        except TimeoutError:
            cut = Attempt(state="failing", held=task.job.desired.held, problems=(PublishProblem(code="took-too-long"),))
            self._results.put(Result(task, cut))
        except Exception as error:  # noqa: BLE001 - not swallowed: the loop raises it
            self._results.put(Result(task, error))
        else:
            self._results.put(Result(task, attempt))

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        loop.run_until_complete(self._serve())

    async def _serve(self) -> None:
        begun = False
        try:
            async with self._make() as executor:
                self._started.put(executor)
                begun = True
                await self._over.wait()
                for running in list(self._tasks):
                    running.cancel()
                await asyncio.gather(*self._tasks, return_exceptions=True)
        except BaseException as error:
            if begun:
                raise  # nobody waits for it: it ends the thread, and that the process
            self._started.put(error)


def _taken(waiting: queue.SimpleQueue[T]) -> list[T]:
    found = []
    while True:
        try:
            found.append(waiting.get_nowait())
        except queue.Empty:
            return found
