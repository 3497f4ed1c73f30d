"""An endpoint behind a door, and a broker between it and the lists."""

from collections.abc import Iterator

import pytest

from connectors.kafka.embedded import EmbeddedBroker
from connectors.settings import Settings
from contracts.topics import LIST, PUBLISH, PUBLISH_REQUEST
from tests.streams.topology.publisher.wire import PARTITIONS, Endpoint


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    """A sandbox behind a door."""
    with Endpoint() as running:
        yield running


@pytest.fixture
def settings(endpoint: Endpoint) -> Iterator[Settings]:
    """Settings for an embedded broker and the sandbox."""
    with EmbeddedBroker({LIST: PARTITIONS, PUBLISH: PARTITIONS, PUBLISH_REQUEST: PARTITIONS}) as broker:
        yield Settings.for_demo(broker.bootstrap, nll_base_url=endpoint.door.base)
