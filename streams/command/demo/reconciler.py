"""The demo's reconciler, in a process of its own: ``python -m streams.command.demo.reconciler BROKER PARENT LOG``."""

import os
import signal
import sys
import threading
import time
from pathlib import Path

from connectors.settings import Settings
from connectors.telemetry import configure
from streams.command.composition import Composition

LOOK_SECONDS = 0.5


def demo_settings(kafka: str, nll: str | None = None) -> Settings:
    """Settings of every part of the demo: stored times of receipt are its clock."""
    settings = Settings.for_demo(kafka)
    told = {
        "trust_received_at": True,
        "nll_base_url": nll,
        "nll_token_url": None if nll is None else f"{nll}/oauth2/token",
    }
    return settings.model_copy(update=told)


def main(kafka: str, parent: int, log: Path) -> int:
    """Run until asked to stop, or until the parent is gone; the exit status."""
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    with log.open("a", encoding="utf-8") as stream:
        configure(stream=stream)
        return Composition(settings=demo_settings(kafka), embedded=True).run("reconciler")


def _end_with(parent: int) -> None:
    """Stop when the demo was killed: no process is left behind."""
    while os.getppid() == parent:
        time.sleep(LOOK_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])))
