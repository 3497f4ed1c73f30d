"""The worker's own health endpoint. Faust's is off: it shows table data to everybody.

`/alive`: the event loop turns. `/ready`: the assignment is complete and read back. `/caught-up`: everything that is in
the log now is durable. `/`: positions and lag as JSON. `/metrics`: for Prometheus. 200 is yes, 503 is no; no answer
holds a key or a value.
"""

import errno
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from connectors.telemetry import declare, get_logger
from streams.topology.metrics import EngineMetrics
from streams.topology.ownership import Ownership
from streams.topology.problems import EngineCode, EngineError
from streams.topology.watchdog import Watchdog

EVENTS: Final = declare({"health.served": "PRC-007"})

_log = get_logger()


class PartitionHealth(msgspec.Struct, frozen=True):
    """One partition, for people and scripts."""

    position: int
    lag: int
    behind_seconds: float


class Health(msgspec.Struct, frozen=True):
    """The worker, for people and scripts."""

    ready: bool
    caught_up: bool
    partitions: dict[str, PartitionHealth]


class HealthServer:
    """Serves the endpoint from the worker's event loop."""

    def __init__(self, ownership: Ownership, watchdog: Watchdog, metrics: EngineMetrics) -> None:
        self._ownership = ownership
        self._watchdog = watchdog
        self._metrics = metrics
        self._runner: web.AppRunner | None = None
        self.address = ""
        """host:port, once started."""

    async def start(self, host: str, port: int) -> None:
        """Listen; port 0 lets the system choose. The address is logged as `health.served`.

        Raises `EngineError` when that is not possible.
        """
        app = web.Application()
        routes: dict[str, Callable[[web.Request], Awaitable[web.Response]]] = {
            "/": self._show,
            "/alive": self._alive,
            "/ready": self._ready,
            "/caught-up": self._caught_up,
            "/metrics": self._figures,
        }
        for path, handler in routes.items():
            app.router.add_get(path, handler)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, host, port).start()
        except OSError as exc:
            # A name that is not known has no such code.
            reason = errno.errorcode.get(exc.errno or 0, type(exc).__name__)
            raise EngineError(EngineCode.HEALTH_UNSERVED, f"no listening at {host}:{port}: {reason}") from exc
        self.address = f"{host}:{self._runner.addresses[0][1]}"
        _log.info("health.served", address=self.address)

    async def stop(self) -> None:
        """Stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def health(self) -> Health:
        """Where the worker stands now; asks the broker for the ends."""
        standings = await self._watchdog.observe()
        ready = self._ownership.restored
        shown = standings or {}
        known = standings is not None and set(self._ownership.owned) <= set(standings)
        return Health(
            ready=ready,
            caught_up=ready and known and not any(standing.lag for standing in shown.values()),
            partitions={
                str(number): PartitionHealth(standing.position, standing.lag, round(standing.behind_seconds, 3))
                for number, standing in sorted(shown.items())
            },
        )

    async def _alive(self, _request: web.Request) -> web.Response:
        return web.Response(text="alive\n")

    async def _ready(self, _request: web.Request) -> web.Response:
        return answer(self._ownership.restored, "ready")

    async def _caught_up(self, _request: web.Request) -> web.Response:
        return answer((await self.health()).caught_up, "caught up")

    async def _show(self, _request: web.Request) -> web.Response:
        return web.Response(body=msgspec.json.encode(await self.health()), content_type="application/json")

    async def _figures(self, _request: web.Request) -> web.Response:
        return web.Response(body=generate_latest(self._metrics.registry), headers={"Content-Type": CONTENT_TYPE_LATEST})


def answer(yes: bool, what: str) -> web.Response:  # noqa: FBT001 -- the one thing it is about
    """200 for yes, 503 for no."""
    return web.Response(status=200 if yes else 503, text=f"{what}\n" if yes else f"not {what}\n")
