"""The reconciler with the counts beside it, as a process: `python -m tests.faults.worker [PLANT]...`, settings as in production.

SIGRTMIN makes its consumer stuck: it stays in its group and hears the broker, and handles no record any more.
"""

import asyncio
import os
import signal
import sys
from typing import Any

from connectors.settings import load_settings
from connectors.telemetry import configure
from contracts.topics import LIST
from streams.command.composition import Composition
from streams.topology.core import Core
from streams.topology.flow import RecordFlow
from streams.topology.reconciling.core import tick_record
from streams.worker import run_reconciler
from tests.faults.counting import CountingCore
from tests.faults.plants import PLANTS, PlantedCore


def main() -> int:
    """Run until asked to stop; the exit status."""
    configure()
    get_stuck_when_told()
    composition = Composition(settings=load_settings(os.environ, {"kafka"}))
    make, list_topic = composition.core_factory(), composition.settings.topic(LIST)
    plants = [known for known in PLANTS if known in sys.argv[1:]]

    def counting(number: int) -> Core:
        core = CountingCore(make(number))
        return PlantedCore(core, list_topic, plants[number % len(plants)]) if plants else core

    return run_reconciler(composition.engine, counting, tick_record)


def get_stuck_when_told() -> None:
    """From SIGRTMIN on, the flow awaits something that never comes."""
    told: list[int] = []

    async def take(flow: RecordFlow, number: int, offset: int, record: bytes, **more: Any) -> None:
        if told:
            await asyncio.Event().wait()
        await whole(flow, number, offset, record, **more)

    whole = RecordFlow.take
    setattr(RecordFlow, "take", take)  # noqa: B010 -- a stuck consumer is nothing that can be asked for
    signal.signal(signal.SIGRTMIN, lambda number, _frame: told.append(number))


if __name__ == "__main__":
    sys.exit(main())
