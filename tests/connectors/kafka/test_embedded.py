"""The embedded broker: topics as asked for, records in and out, faults on request."""

import time

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer
from confluent_kafka.admin import AdminClient

from connectors.kafka.embedded import EmbeddedBroker, EmbeddedBrokerError

DEADLINE_SECONDS = 20.0


def consume(bootstrap: str, topic: str, count: int) -> list[bytes | None]:
    """Read `count` values of a topic from its start through a new group, or what came within the deadline."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "g", "auto.offset.reset": "earliest"})
    consumer.subscribe([topic])
    values: list[bytes | None] = []
    deadline = time.monotonic() + DEADLINE_SECONDS
    while len(values) < count and time.monotonic() < deadline:
        message = consumer.poll(0.2)
        if message is not None and message.error() is None:
            values.append(message.value())
    consumer.close()
    return values


def test_topics_have_the_partitions_asked_for() -> None:
    """Each topic exists from the start with exactly its number of partitions."""
    with EmbeddedBroker({"medlist.fact.v1": 12, "medlist.quarantine.v1": 1}) as broker:
        topics = AdminClient({"bootstrap.servers": broker.bootstrap}).list_topics(timeout=10).topics

        assert {name: len(topic.partitions) for name, topic in topics.items()} == {
            "medlist.fact.v1": 12,
            "medlist.quarantine.v1": 1,
        }


def test_what_is_produced_is_consumed() -> None:
    """A record sent by one client reaches a consumer group of another."""
    with EmbeddedBroker({"t": 1}) as broker:
        producer = Producer({"bootstrap.servers": broker.bootstrap, "enable.idempotence": True})
        producer.produce("t", b"one")
        producer.flush(10)

        assert consume(broker.bootstrap, "t", 1) == [b"one"]


def test_a_broker_that_went_down_comes_up_with_its_records() -> None:
    """Records sent before `down` are there after `up`."""
    with EmbeddedBroker({"t": 1}) as broker:
        producer = Producer({"bootstrap.servers": broker.bootstrap, "reconnect.backoff.max.ms": 100})
        producer.produce("t", b"before")
        producer.flush(10)
        broker.down()
        with pytest.raises(KafkaException):
            AdminClient({"bootstrap.servers": broker.bootstrap}).list_topics(timeout=0.5)

        broker.up()
        producer.produce("t", b"after")
        producer.flush(10)

        assert consume(broker.bootstrap, "t", 2) == [b"before", b"after"]


def test_the_next_produce_fails_as_told() -> None:
    """An error pushed for Produce reaches the sender as a failed delivery."""
    with EmbeddedBroker({"t": 1}) as broker:
        failures: list[KafkaError | None] = []
        broker.fail_next(0, KafkaError.TOPIC_AUTHORIZATION_FAILED)
        producer = Producer({"bootstrap.servers": broker.bootstrap})

        producer.produce("t", b"x", on_delivery=lambda error, _: failures.append(error))
        producer.flush(10)

        assert [error and error.code() for error in failures] == [KafkaError.TOPIC_AUTHORIZATION_FAILED]


def test_two_brokers_are_two_clusters() -> None:
    """Brokers of two contexts share neither address nor topics, so tests may run side by side."""
    with EmbeddedBroker({"a": 1}) as first, EmbeddedBroker({"b": 1}) as second:
        seen = [
            set(AdminClient({"bootstrap.servers": broker.bootstrap}).list_topics(timeout=10).topics)
            for broker in (first, second)
        ]

        assert seen == [{"a"}, {"b"}]


@pytest.mark.parametrize("topics", [{"t": 0}, {"": 1}])
def test_an_impossible_topic_is_refused(topics: dict[str, int]) -> None:
    """A topic that cannot be made raises instead of leaving a broker without it."""
    with pytest.raises(EmbeddedBrokerError), EmbeddedBroker(topics):
        pass


def test_a_broker_outside_its_context_says_so() -> None:
    """Asking a broker that does not run for its address is an error with what to do."""
    broker = EmbeddedBroker({})

    with pytest.raises(EmbeddedBrokerError, match="context manager"):
        _ = broker.bootstrap
