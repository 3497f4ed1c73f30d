"""``python -m connectors.nll_sandbox``: the sandbox as a process of its own."""

import argparse
import asyncio
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
    asyncio.run(run_sandbox(chosen.host, chosen.port, settings))


if __name__ == "__main__":
    main()
