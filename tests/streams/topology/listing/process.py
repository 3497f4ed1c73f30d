"""A listing of its own process, for tests that kill it: ``python -m tests.streams.topology.listing.process SETTINGS``."""

import sys

from connectors.settings import Settings
from connectors.telemetry import configure
from streams.topology.listing import ListingParts, listing_process
from tests.streams.topology.listing.wire import EVERY_BUNDLE

if __name__ == "__main__":
    configure()
    sys.exit(listing_process(Settings.model_validate_json(sys.argv[1]), ListingParts(limits=EVERY_BUNDLE)))
