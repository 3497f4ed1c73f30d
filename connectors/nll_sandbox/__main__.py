"""``python -m connectors.nll_sandbox``: the sandbox as a process of its own."""

import argparse
import asyncio
import contextlib
import json
import signal
import sys
from datetime import datetime
from pathlib import Path

from connectors.nll_sandbox.serving import run_sandbox
from connectors.nll_sandbox.settings import SandboxSettings, system_clock


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(prog="nll-sandbox", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8095)
    parser.add_argument("--database", default=":memory:", help="file of the embedded storage")
    parser.add_argument("--clock", type=datetime.fromisoformat, help="stand still at this time (ISO 8601, with zone)")
    parser.add_argument("--seed", type=Path, action="append", default=[], help="JSON file to seed from, repeatable")
    chosen = parser.parse_args()
    if chosen.clock is not None and chosen.clock.tzinfo is None:
        parser.error("--clock needs a zone, as in 2026-03-01T09:00:00+01:00")
    settings = SandboxSettings(
        database=chosen.database,
        clock=system_clock if chosen.clock is None else lambda: chosen.clock,
        seed_files=tuple(chosen.seed),
    )
    asyncio.run(_serve(chosen.host, chosen.port, settings))


async def _serve(host: str, port: int, settings: SandboxSettings) -> None:
    running = asyncio.ensure_future(run_sandbox(host, port, settings, ready=_tell))
    for stop in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(stop, running.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await running


def _tell(url: str) -> None:
    """One line of JSON, so that whoever started us knows where and when."""
    sys.stdout.write(json.dumps({"url": url}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
