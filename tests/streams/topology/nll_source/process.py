"""A process that reads NLL, for tests that kill it: ``python -m tests.streams.topology.nll_source.process SETTINGS``."""

import sys

from connectors.settings import Settings
from connectors.telemetry import configure
from contracts.sources import DEFAULT_SOURCES
from streams.topology.nll_source import NllSourceParts, nll_source_process
from tests.streams.publish.cases import NOW, TOKEN
from tests.streams.topology.nll_source.wire import QUICK

if __name__ == "__main__":
    configure()
    parts = NllSourceParts(token=TOKEN, limits=QUICK)
    sys.exit(nll_source_process(Settings.model_validate_json(sys.argv[1]), DEFAULT_SOURCES, lambda: NOW, parts))
