"""Three brokers: what two of them acknowledged survives the third, and one alone acknowledges nothing."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Producer

from tests.kafka.cluster import LocalCluster
from tests.kafka.test_broker import DEADLINE_SECONDS, read_all
from tests.kafka.topics import create_topics

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(240)]

UNANSWERED_SECONDS = 5.0


@pytest.fixture
def cluster(tmp_path: Path, kafka: str) -> Iterator[LocalCluster]:
    """Three brokers. The shared one is asked for only to skip where none can be had."""
    del kafka
    with LocalCluster(tmp_path) as made:
        yield made


def acknowledged(producer: Producer, value: bytes, within_seconds: float = DEADLINE_SECONDS) -> bool:
    """Whether a record is acknowledged by all in-sync replicas in time."""
    producer.produce("kept", value)
    return producer.flush(within_seconds) == 0


def test_a_broker_lost_loses_nothing_and_two_lost_acknowledge_nothing(cluster: LocalCluster) -> None:
    """With one of three dead, records are acknowledged and kept; with two dead none is; back, everything goes on."""
    create_topics(cluster.bootstrap, {"kept": 1}, replicas=3)
    producer = Producer({"bootstrap.servers": cluster.bootstrap, "acks": "all", "enable.idempotence": True})
    one, two, _ = cluster.brokers

    assert acknowledged(producer, b"all")
    one.kill()
    assert acknowledged(producer, b"two of three")
    two.kill()
    assert not acknowledged(producer, b"one of three", UNANSWERED_SECONDS)
    one.start(wait=False)
    two.start(wait=False)

    assert acknowledged(producer, b"back", 2 * DEADLINE_SECONDS)
    values = [b"all", b"two of three", b"one of three", b"back"]
    assert read_all(cluster.bootstrap, "kept", until=b"back") == values
