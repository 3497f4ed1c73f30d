"""The reconciler with the counts beside it, as a process: `python -m tests.faults.worker`, settings as in production."""

import os
import sys

from connectors.settings import load_settings
from connectors.telemetry import configure
from streams.command.composition import Composition
from streams.topology.reconciling.core import tick_record
from streams.worker import run_reconciler
from tests.faults.counting import CountingCore


def main() -> int:
    """Run until asked to stop; the exit status."""
    configure()
    composition = Composition(settings=load_settings(os.environ, {"kafka"}))
    make = composition.core_factory()
    return run_reconciler(composition.engine, lambda number: CountingCore(make(number)), tick_record)


if __name__ == "__main__":
    sys.exit(main())
