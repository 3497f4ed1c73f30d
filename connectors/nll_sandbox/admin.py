"""The sandbox's own addresses under ``/_sandbox``: for tests and the demo, not part of NLL."""

from datetime import datetime

from aiohttp import web

from connectors.nll_sandbox.exact_json import read_json, write_json
from connectors.nll_sandbox.server import Sandbox


def routes(sandbox: Sandbox) -> list[web.RouteDef]:
    """The admin addresses of one sandbox."""
    admin = _Admin(sandbox)
    return [
        web.get("/_sandbox/health", admin.health),
        web.post("/_sandbox/reset", admin.reset),
        web.post("/_sandbox/clock", admin.set_clock),
    ]


class _Admin:
    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    async def health(self, _request: web.Request) -> web.Response:
        self._sandbox.store.connection.execute("SELECT 1").fetchone()
        return _json({"status": "ok", "now": self._sandbox.clock().isoformat()})

    async def reset(self, _request: web.Request) -> web.Response:
        self._sandbox.reset()
        return _json({"status": "empty"})

    async def set_clock(self, request: web.Request) -> web.Response:
        moment = datetime.fromisoformat(read_json(await request.read())["now"])
        if moment.tzinfo is None:
            return _json({"error": "The time needs a zone."}, 400)
        self._sandbox.clock = lambda: moment
        return _json({"now": moment.isoformat()})


def _json(value: object, status: int = 200) -> web.Response:
    return web.Response(status=status, body=write_json(value), content_type="application/json")
