"""The engine's Kafka clients: those of `connectors.kafka.clients`, with what the promise of the engine adds."""

from collections.abc import Collection

from confluent_kafka import Consumer, TopicPartition

from connectors.kafka.clients import ClientConfig
from connectors.kafka.clients import client_config as common_client
from connectors.kafka.clients import producer_config as common_producer
from connectors.kafka.clients import reader_config as common_reader
from streams.topology.settings import EngineSettings


def admin_config(settings: EngineSettings) -> ClientConfig:
    """A client that only asks."""
    return common_client(settings.connection)


def producer_config(settings: EngineSettings, *, transactional_id: str | None = None) -> ClientConfig:
    """An idempotent producer; transactional when it gets an id."""
    config = common_producer(settings.connection)
    if transactional_id is not None:
        config["transactional.id"] = transactional_id
        config["transaction.timeout.ms"] = int(settings.limits.transaction_seconds * 1000)
    return config


def reader_config(settings: EngineSettings, purpose: str) -> ClientConfig:
    """A reader of assigned partitions; of committed records only, where there is such a thing."""
    config = common_reader(settings.connection, purpose)
    if settings.isolation == "none":
        config["isolation.level"] = "read_uncommitted"
    return config


def assign(consumer: Consumer, places: Collection[TopicPartition], seconds: float) -> None:
    """Assign partitions to a fresh reader, and learn first who leads them, which may take so many seconds per topic.

    A client that does not know yet whom to ask where a partition begins asks again after half a second. Raises
    `KafkaException` when no broker answers.
    """
    for topic in {place.topic for place in places}:
        consumer.list_topics(topic, timeout=seconds)
    consumer.assign(list(places))
