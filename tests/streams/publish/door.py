"""A door before the sandbox: passes requests on, counts them, and does to the next ones what a test says."""

import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

import aiohttp
from aiohttp import web

Fault = Callable[[web.Request], Awaitable[web.Response | None]]
"""What to do with one request: an answer in place of the endpoint's, or ``None`` to pass it on all the same."""

_KEPT = frozenset({"etag", "location", "x-medicationlist-version", "retry-after"})


class Door:
    """Stands between the client and the sandbox.

    ``faults`` are used up by writes, one each, first come first served; ``reads`` are the next answers to reads of a path.
    ``came`` tells when each of ``requests`` did, by the monotonic clock.
    """

    def __init__(self, session: aiohttp.ClientSession, sandbox: str) -> None:
        self.faults: deque[Fault] = deque()
        self.reads: dict[str, list[web.Response]] = {}
        self.shut = False
        self.requests: list[str] = []
        self.came: list[float] = []
        self.request_ids: list[str] = []
        self.base = ""
        self._session = session
        self._sandbox = sandbox

    @property
    def writes(self) -> list[str]:
        """The writes that came, refused or not."""
        return [one for one in self.requests if _is_write(*one.split())]

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Door"]:
        """Serve on a free port."""
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._handle)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.0, handler_cancellation=True)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.base = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield self
        finally:
            await runner.cleanup()

    async def pass_on(self, request: web.Request) -> web.Response:
        """The endpoint's own answer."""
        body = await request.read()
        headers = {n: v for n, v in request.headers.items() if n.lower() not in {"host", "content-length"}}
        url = f"{self._sandbox}{request.path_qs}"
        async with self._session.request(request.method, url, headers=headers, data=body) as answer:
            kept = {name: value for name, value in answer.headers.items() if name.lower() in _KEPT}
            return web.Response(status=answer.status, body=await answer.read(), headers=kept)

    async def _handle(self, request: web.Request) -> web.Response:
        self.requests.append(f"{request.method} {request.path}")
        self.came.append(time.monotonic())
        if self.shut:
            return web.Response(status=503)
        if _is_write(request.method, request.path):
            self.request_ids.append(request.headers["x-request-id"])
            if self.faults:
                told = await self.faults.popleft()(request)
                if told is not None:
                    return told
        is_read = not _is_write(request.method, request.path) and request.method in {"GET", "POST"}
        if is_read and self.reads.get(request.path):
            return self.reads[request.path].pop(0)
        return await self.pass_on(request)

    async def drop_before(self, request: web.Request) -> web.Response:
        """The connection breaks before the endpoint has seen the request."""
        return _broken(request)

    async def drop_after(self, request: web.Request) -> web.Response:
        """The endpoint carries the request out, and its answer is lost."""
        await self.pass_on(request)
        return _broken(request)


def _is_write(method: str, path: str) -> bool:
    return method in {"POST", "PUT"} and not path.endswith(("/_search", "/token"))


def answers(status: int, headers: Mapping[str, str] | None = None) -> Fault:
    """A fault: this answer, and the endpoint does not see the request."""

    async def fault(_request: web.Request) -> web.Response:
        return web.Response(status=status, headers=headers)

    return fault


def after(change: Callable[[], Awaitable[object]]) -> Fault:
    """A fault: something else happens first, then the request is passed on."""

    async def fault(_request: web.Request) -> None:
        await change()

    return fault


def _broken(request: web.Request) -> web.Response:
    assert request.transport is not None
    request.transport.abort()
    return web.Response(status=500)
