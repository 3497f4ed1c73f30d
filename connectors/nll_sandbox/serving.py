"""Running the sandbox: as a process of its own, or inside a test."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiohttp import web

from connectors.nll_sandbox.app import create_app
from connectors.nll_sandbox.settings import SandboxSettings


@asynccontextmanager
async def serve(settings: SandboxSettings | None = None, *, port: int = 0) -> AsyncIterator[str]:
    """A running sandbox on this machine; yields its base address, without a slash at the end.

    The address is the FHIR base and the place of ``/oauth2/token`` and ``/_sandbox/...``. Port 0 lets the operating
    system choose.
    """
    async with _running("127.0.0.1", port, settings or SandboxSettings()) as bound:
        yield f"http://127.0.0.1:{bound}"


async def run_sandbox(
    host: str, port: int, settings: SandboxSettings, *, ready: Callable[[str], None] = lambda _url: None
) -> None:
    """Serve until cancelled; ``ready`` is told the base address once it answers."""
    async with _running(host, port, settings) as bound:
        ready(f"http://{host}:{bound}")
        await asyncio.Event().wait()


@asynccontextmanager
async def _running(host: str, port: int, settings: SandboxSettings) -> AsyncIterator[int]:
    # No access log: addresses and headers may hold person identifiers.
    runner = web.AppRunner(create_app(settings), access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()
