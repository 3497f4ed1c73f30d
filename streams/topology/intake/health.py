"""The health endpoint of an intake: the worker's server (`streams.topology.health`), fed with the intake's standings."""

import asyncio
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import Self, cast

from connectors.settings import Settings
from streams.topology.health import HealthServer
from streams.topology.intake.metrics import IntakeMetrics
from streams.topology.intake.standing import Standing, Standings
from streams.topology.intake.watching import Watch
from streams.topology.metrics import EngineMetrics
from streams.topology.ownership import Ownership
from streams.topology.watchdog import Watchdog


class IntakeView:
    """What the server asks of a worker's ownership and watchdog, answered for an intake."""

    def __init__(self, standings: Standings, watch: Watch) -> None:
        self._standings = standings
        self._watch = watch

    @property
    def restored(self) -> bool:
        """Whether partitions were dealt out to us."""
        return self._standings.ready

    @property
    def owned(self) -> Mapping[str, None]:
        """The names of our partitions."""
        return dict.fromkeys(f"{topic}/{partition}" for topic, partition in self._standings.assigned)

    async def observe(self) -> Mapping[str, Standing] | None:
        """How each partition stands; `None` when no broker answers."""
        looked = await asyncio.get_running_loop().run_in_executor(None, self._watch.look)
        return (
            None if looked is None else {f"{topic}/{number}": standing for (topic, number), standing in looked.items()}
        )


class HealthThread:
    """Serves while the context lasts, from an event loop of its own."""

    def __init__(self, settings: Settings, standings: Standings, watch: Watch, metrics: IntakeMetrics) -> None:
        view = IntakeView(standings, watch)
        # The server asks no more of the three than `IntakeView` and the registry give.
        self._server = HealthServer(cast("Ownership", view), cast("Watchdog", view), cast("EngineMetrics", metrics))
        self._settings = settings
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="intake-health", daemon=True)
        self._thread.start()
        start = self._server.start(self._settings.health_host, self._settings.health_port)
        asyncio.run_coroutine_threadsafe(start, self._loop).result()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._loop is None or self._thread is None:
            return
        asyncio.run_coroutine_threadsafe(self._server.stop(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
