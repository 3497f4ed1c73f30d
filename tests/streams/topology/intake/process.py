"""An intake of its own process, for tests that kill it: `python -m tests.streams.topology.intake.process SETTINGS`."""

import sys
from datetime import UTC, datetime

from connectors.settings import Settings
from connectors.telemetry import configure
from streams.topology.intake import IntakeParts, intake_process
from streams.topology.intake.limits import IntakeLimits
from tests.streams.topology.intake.trivial import READERS, SOURCE

SMALL_BATCHES = IntakeLimits(batch_messages=10, under_way_messages=20)
"""So that a kill falls into the middle of the work."""


def _now() -> datetime:
    return datetime.now(UTC)


if __name__ == "__main__":
    configure()
    settings = Settings.model_validate_json(sys.argv[1])
    sys.exit(intake_process(settings, [SOURCE], _now, IntakeParts(readers=READERS, limits=SMALL_BATCHES)))
