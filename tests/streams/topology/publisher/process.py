"""A publisher of its own process, for tests that kill it: ``python -m tests.streams.topology.publisher.process SETTINGS``."""

import sys

from connectors.settings import Settings
from connectors.telemetry import configure
from contracts.sources import DEFAULT_SOURCES
from streams.topology.publisher import PublisherParts, publisher_process
from tests.streams.publish.cases import NOW, TOKEN
from tests.streams.topology.publisher.wire import QUICK

if __name__ == "__main__":
    configure()
    settings = Settings.model_validate_json(sys.argv[1])
    token = TOKEN if settings.nll_client_id is None else None
    sys.exit(publisher_process(settings, DEFAULT_SOURCES, lambda: NOW, PublisherParts(token=token, limits=QUICK)))
