"""Reading a compacted topic once, to its end."""

from confluent_kafka import Producer

from connectors.kafka.embedded import EmbeddedBroker
from connectors.kafka.newest import newest_values
from connectors.settings import Settings
from contracts.topics import LIST


def test_whoever_reads_hears_of_every_answer() -> None:
    """So that reading for long is not taken for hanging; a topic without a record is an answer too."""
    heard: list[str] = []
    with EmbeddedBroker({LIST: 2}) as broker:
        settings = Settings.for_demo(broker.bootstrap)
        empty = newest_values(settings, LIST, [0, 1], heard=lambda: heard.append("empty"))
        producer = Producer(settings.kafka_client())
        for value in (b"old", b"new"):
            producer.produce(settings.topic(LIST), value, key=b"k", partition=1)
        assert producer.flush(30) == 0
        found = newest_values(settings, LIST, [0, 1], heard=lambda: heard.append("full"))

    assert (empty, found) == ({}, {"k": b"new"})
    assert set(heard) == {"empty", "full"}
