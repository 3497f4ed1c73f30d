"""An intake of its own process, for tests that kill it: `python -m tests.streams.topology.intake.process SETTINGS`."""

import sys
import time
from datetime import UTC, datetime

from connectors.settings import Settings
from connectors.telemetry import configure
from mappings.sources.reading import Context, Message, Reader, Reading
from streams.topology.intake import IntakeParts, intake_process
from streams.topology.intake.limits import IntakeLimits
from tests.streams.topology.intake.trivial import READERS, SOURCE

SMALL_BATCHES = IntakeLimits(batch_messages=10, under_way_messages=20)
READ_SECONDS = 0.002
"""What a message takes at least: with `SMALL_BATCHES` a kill falls into the middle of the work, on any machine."""


def _now() -> datetime:
    return datetime.now(UTC)


def _slow(reader: Reader) -> Reader:
    def read(message: Message, context: Context) -> Reading:
        time.sleep(READ_SECONDS)
        return reader(message, context)

    return read


if __name__ == "__main__":
    configure()
    settings = Settings.model_validate_json(sys.argv[1])
    slow = {name: _slow(reader) for name, reader in READERS.items()}
    sys.exit(intake_process(settings, [SOURCE], _now, IntakeParts(readers=slow, limits=SMALL_BATCHES)))
