"""An endpoint whose patient consents that we read, and a broker to read it from."""

from collections.abc import Iterator

import pytest

from connectors.settings import Settings
from contracts.topics import LIST, NLL_WATERMARK, PUBLISH, PUBLISH_REQUEST
from tests.streams.topology.nll_source.wire import PATIENT, TOPIC, consent, on_a_broker
from tests.streams.topology.publisher.wire import PARTITIONS, Endpoint


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    """A sandbox behind a door; the patient consents that we read."""
    with Endpoint() as running:
        running.admin("POST", "seed", [PATIENT, consent("s-9", "p-1")])
        yield running


@pytest.fixture
def settings(endpoint: Endpoint) -> Iterator[Settings]:
    """Settings for an embedded broker and the sandbox; everybody is looked at all the time."""
    names = (LIST, PUBLISH, PUBLISH_REQUEST, NLL_WATERMARK, TOPIC)
    with on_a_broker(endpoint, dict.fromkeys(names, PARTITIONS)) as made:
        yield made
