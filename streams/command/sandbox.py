"""``medlist nll-sandbox``: the sandbox of NLL as a process."""

import asyncio
import contextlib
import json
import signal
from datetime import datetime
from pathlib import Path

import aiohttp
import click

from connectors.nll_sandbox import SandboxSettings
from connectors.nll_sandbox.serving import run_sandbox
from connectors.nll_sandbox.settings import system_clock
from connectors.telemetry import CodedError, configure
from streams.command.facts_file import Moment

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_BAD_REQUEST = 400


@click.command("nll-sandbox", short_help="Serve a sandbox of NLL's FHIR endpoint.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to serve on.")
@click.option("--port", default=8095, show_default=True, help="Port to serve on; 0 lets the system choose.")
@click.option("--clock", type=Moment(), help="Stand still at this time. Default: the machine's clock.")
@click.option("--database", default=":memory:", show_default=True, help="File to keep what is stored, over restarts.")
@click.option(
    "--seed", "seeds", type=FILE, multiple=True, help="JSON file with resources that are there from the start."
)
@click.option("--faults", type=FILE, help="JSON file that switches faults on, as for POST /_sandbox/faults.")
def nll_sandbox(  # noqa: PLR0913, PLR0917 - one per option
    host: str, port: int, clock: datetime | None, database: str, seeds: tuple[Path, ...], faults: Path | None
) -> None:
    """Serve a sandbox of Nationella läkemedelslistan: its FHIR R4 subset, rules, roles, and faults on purpose.

    For synthetic patients only. The first line of output is JSON with its address. What it knows, and which of its
    answers are assumptions: connectors/nll_sandbox/README.md. Tokens that always work: test-system, test-prescriber,
    test-pharmacist.
    """
    configure()
    settings = SandboxSettings(
        database=database, clock=system_clock if clock is None else lambda: clock, seed_files=seeds
    )
    asyncio.run(_serve(host, port, settings, None if faults is None else faults.read_bytes()))


async def _serve(host: str, port: int, settings: SandboxSettings, faults: bytes | None) -> None:
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    running = asyncio.create_task(run_sandbox(host, port, settings, ready=ready.set_result))
    for stop in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(stop, running.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.wait((running, ready), return_when=asyncio.FIRST_COMPLETED)
        if ready.done():
            if faults is not None:
                await _switch(ready.result(), faults)
            click.echo(json.dumps({"url": ready.result()}))
        await running


async def _switch(url: str, faults: bytes) -> None:
    async with aiohttp.ClientSession() as session, session.post(f"{url}/_sandbox/faults", data=faults) as answer:
        if answer.status >= _BAD_REQUEST:
            remedy = 'Write {"seed": 1, "switches": {"latency": {"probability": 0.1, "seconds": 0.2}}}.'
            raise CodedError("CMD-001", f"the file of faults is refused: {await answer.text()}", remedy)
