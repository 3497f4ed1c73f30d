"""The sandbox's own addresses under ``/_sandbox``: for tests, the demo and vendors; not part of NLL."""

import secrets
from collections.abc import Awaitable, Callable
from datetime import datetime

import msgspec
from aiohttp import web

from connectors.nll_sandbox.contents import contents, duplicates, history
from connectors.nll_sandbox.faults import FaultPlan
from connectors.nll_sandbox.seeding import seed
from connectors.nll_sandbox.server import Sandbox
from mappings.fhir.exact_json import read_json, write_json

Reply = tuple[int, object]
Action = Callable[[web.Request, bytes], Reply]


def routes(sandbox: Sandbox) -> list[web.RouteDef]:
    """The admin addresses of one sandbox."""
    admin = _Admin(sandbox)
    return [
        web.get("/_sandbox/health", admin.handler(admin.health, guarded=False)),
        web.post("/_sandbox/reset", admin.handler(admin.reset)),
        web.post("/_sandbox/clock", admin.handler(admin.set_clock)),
        web.post("/_sandbox/seed", admin.handler(admin.seed)),
        web.get("/_sandbox/faults", admin.handler(admin.faults)),
        web.post("/_sandbox/faults", admin.handler(admin.set_faults)),
        web.get("/_sandbox/audit", admin.handler(admin.audit)),
        web.get("/_sandbox/contents", admin.handler(admin.contents)),
        web.get("/_sandbox/history", admin.handler(admin.history)),
    ]


class _Admin:
    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def handler(self, action: Action, *, guarded: bool = True) -> Callable[[web.Request], Awaitable[web.Response]]:
        """The aiohttp handler of one action; guarded by the admin token when the settings have one."""

        async def handle(request: web.Request) -> web.Response:
            body = await request.read()
            token = self._sandbox.settings.admin_token
            given = request.headers.get("authorization", "").removeprefix("Bearer ")
            if guarded and token is not None and not secrets.compare_digest(token, given):
                return _json(401, {"error": "send the admin token as bearer"})
            try:
                return _json(*action(request, body))
            except (msgspec.ValidationError, msgspec.DecodeError, ValueError) as error:
                return _json(400, {"error": str(error)})

        return handle

    def health(self, _request: web.Request, _body: bytes) -> Reply:
        self._sandbox.store.connection.execute("SELECT 1").fetchone()
        return 200, {"status": "ok", "now": self._sandbox.clock().isoformat()}

    def reset(self, _request: web.Request, _body: bytes) -> Reply:
        self._sandbox.reset()
        return 200, {"status": "reset"}

    def set_clock(self, _request: web.Request, body: bytes) -> Reply:
        moment = msgspec.json.decode(body, type=_ClockOrder).now
        if moment.tzinfo is None:
            raise ValueError("the time needs a zone")
        self._sandbox.clock = lambda: moment
        return 200, {"now": moment.isoformat()}

    def seed(self, _request: web.Request, body: bytes) -> Reply:
        count = seed(self._sandbox.store, read_json(body), self._sandbox.clock())
        self._sandbox.registers.forget()
        return 200, {"stored": count}

    def faults(self, _request: web.Request, _body: bytes) -> Reply:
        return 200, {"plan": self._sandbox.faults.plan, "struck": self._sandbox.faults.struck}

    def set_faults(self, _request: web.Request, body: bytes) -> Reply:
        self._sandbox.faults.switch(msgspec.json.decode(body, type=FaultPlan))
        return 200, {"plan": self._sandbox.faults.plan}

    def audit(self, request: web.Request, _body: bytes) -> Reply:
        summary = self._sandbox.audit.summary() | {"duplicates": duplicates(self._sandbox.store)}
        return 200, {"summary": summary, "entries": self._sandbox.audit.entries(request.query)}

    def history(self, request: web.Request, _body: bytes) -> Reply:
        return 200, history(self._sandbox.store, request.query.get("kind", "MedicationRequest"))

    def contents(self, _request: web.Request, _body: bytes) -> Reply:
        return 200, contents(self._sandbox.store)


class _ClockOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    now: datetime


def _json(status: int, value: object) -> web.Response:
    return web.Response(status=status, body=write_json(value), content_type="application/json")
