"""The publisher's health: the worker's server (``streams.topology.health``), and a watchdog that sees a loop that hangs.

An endpoint that does not answer is no fault of the process: it stays alive and ready, and ``/caught-up`` says no. Neither is a
broker that is slow: a loop tells that it lives with every answer, and each wait for one is shorter than ``watchdog_seconds``. But
for a commit of offsets: the client repeats it until a coordinator answers, without end, and a broker that goes away in the middle
of one for so long ends the process; nothing is lost with it.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Protocol, Self, cast

from prometheus_client import CollectorRegistry

from connectors.settings import Settings
from streams.topology.health import HealthServer
from streams.topology.metrics import EngineMetrics
from streams.topology.ownership import Ownership
from streams.topology.progress import Standing
from streams.topology.publisher.problems import PublisherCode, PublisherError
from streams.topology.threads import Guard
from streams.topology.watchdog import Watchdog


class Figures(Protocol):
    """The figures of a process."""

    @property
    def registry(self) -> CollectorRegistry:
        """Where they are registered."""
        ...


class Watched(Protocol):
    """A loop over the list topic. ``beat``: when it last turned, monotonic seconds; ``lag``: lists not yet taken."""

    beat: float
    lag: int
    ready: bool

    @property
    def idle(self) -> bool:
        """Whether everything that was taken is settled."""
        ...

    @property
    def metrics(self) -> Figures:
        """Its figures."""
        ...


class PublisherView:
    """What the server asks of a worker's ownership and watchdog, answered for a publisher."""

    def __init__(self, loop: Watched) -> None:
        self._loop = loop

    @property
    def restored(self) -> bool:
        """Whether partitions were dealt out to us."""
        return self._loop.ready

    @property
    def owned(self) -> Mapping[int, None]:
        """One entry for all partitions together."""
        return {0: None}

    async def observe(self) -> Mapping[int, Standing]:
        """How far we are, all partitions together: lists not yet taken, and those taken and not settled."""
        lag = self._loop.lag + (0 if self._loop.idle else 1)
        return {0: Standing(partition=0, position=0, end=lag, behind_seconds=0.0, still_seconds=0.0)}


class HealthThread:
    """Serves and watches while the context lasts, from an event loop of its own."""

    def __init__(self, settings: Settings, loop: Watched, stop: Callable[[BaseException], object]) -> None:
        view = PublisherView(loop)
        # The server asks no more of the three than the view and the registry give.
        self._server = HealthServer(
            cast("Ownership", view), cast("Watchdog", view), cast("EngineMetrics", loop.metrics)
        )
        self._settings = settings
        self._watched = loop
        self._events = asyncio.new_event_loop()
        self._serving = threading.Thread(target=self._events.run_forever, name="publisher-health", daemon=True)
        self._guard = Guard("publisher-watch", self._fault, stop)

    @property
    def address(self) -> str:
        """Where it serves, ``host:port``."""
        return self._server.address

    def __enter__(self) -> Self:
        self._serving.start()
        start = self._server.start(self._settings.health_host, self._settings.health_port)
        asyncio.run_coroutine_threadsafe(start, self._events).result()
        self._guard.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._guard.close()
        asyncio.run_coroutine_threadsafe(self._server.stop(), self._events).result()
        self._events.call_soon_threadsafe(self._events.stop)
        self._serving.join()
        self._events.close()

    def _fault(self) -> PublisherError | None:
        still = time.monotonic() - self._watched.beat
        if still > self._settings.watchdog_seconds:
            return PublisherError(PublisherCode.STALLED, f"no turn for {still:.0f} s")
        if not self._serving.is_alive():
            return PublisherError(PublisherCode.STALLED, "the thread of the health endpoint has ended")
        return None
