"""The reconciler with the counts beside it, as a process: `python -m tests.faults.worker [PLANT]...`, settings as in production."""

import os
import sys

from connectors.settings import load_settings
from connectors.telemetry import configure
from contracts.topics import LIST
from streams.command.composition import Composition
from streams.topology.core import Core
from streams.topology.reconciling.core import tick_record
from streams.worker import run_reconciler
from tests.faults.counting import CountingCore
from tests.faults.plants import PLANTS, PlantedCore


def main() -> int:
    """Run until asked to stop; the exit status."""
    configure()
    composition = Composition(settings=load_settings(os.environ, {"kafka"}))
    make, list_topic = composition.core_factory(), composition.settings.topic(LIST)
    plants = [known for known in PLANTS if known in sys.argv[1:]]

    def counting(number: int) -> Core:
        core = CountingCore(make(number))
        return PlantedCore(core, list_topic, plants[number % len(plants)]) if plants else core

    return run_reconciler(composition.engine, counting, tick_record)


if __name__ == "__main__":
    sys.exit(main())
