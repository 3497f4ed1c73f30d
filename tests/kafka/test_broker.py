"""The real broker of the tests: it is there, it isolates transactions, and what it acknowledged survives its death."""

import time
from collections.abc import Callable, Mapping

import pytest
from confluent_kafka import Consumer, Producer

from tests.kafka.broker import LocalKafka
from tests.kafka.topics import create_topics

pytestmark = pytest.mark.kafka

DEADLINE_SECONDS = 100.0


def read_all(bootstrap: str, topic: str, until: bytes) -> list[bytes | None]:
    """Values of a one-partition topic up to and including `until`, as a reader of committed records sees them."""
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": f"{topic}-reader",
            "auto.offset.reset": "earliest",
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
        }
    )
    consumer.subscribe([topic])
    values: list[bytes | None] = []
    deadline = time.monotonic() + DEADLINE_SECONDS
    while until not in values and time.monotonic() < deadline:
        message = consumer.poll(0.2)
        if message is not None and message.error() is None:
            values.append(message.value())
    consumer.close()
    return values


def test_an_aborted_transaction_is_never_seen(
    kafka: str, make_topics: Callable[[Mapping[str, int]], dict[str, str]]
) -> None:
    """A reader of committed records sees what was committed, and nothing of what was aborted."""
    topic = make_topics({"transactions": 1})["transactions"]
    producer = Producer({"bootstrap.servers": kafka, "transactional.id": topic})
    producer.init_transactions(DEADLINE_SECONDS)

    producer.begin_transaction()
    producer.produce(topic, b"aborted")
    producer.flush(DEADLINE_SECONDS)
    producer.abort_transaction(DEADLINE_SECONDS)
    producer.begin_transaction()
    producer.produce(topic, b"committed")
    producer.commit_transaction(DEADLINE_SECONDS)

    assert read_all(kafka, topic, until=b"committed") == [b"committed"]


def test_what_was_acknowledged_survives_a_kill(own_kafka: LocalKafka) -> None:
    """Records that a killed broker had acknowledged are there when it is back on the same address."""
    address = own_kafka.bootstrap
    create_topics(address, {"durable": 1})
    producer = Producer({"bootstrap.servers": address, "acks": "all", "enable.idempotence": True})
    producer.produce("durable", b"before")
    assert producer.flush(DEADLINE_SECONDS) == 0

    own_kafka.kill()
    own_kafka.start()
    producer.produce("durable", b"after")
    assert producer.flush(DEADLINE_SECONDS) == 0

    assert own_kafka.bootstrap == address
    assert read_all(address, "durable", until=b"after") == [b"before", b"after"]


def test_a_broker_stops_in_good_order_and_comes_back(own_kafka: LocalKafka) -> None:
    """A restart keeps address and topics, and the old process is gone."""
    create_topics(own_kafka.bootstrap, {"kept": 3})
    before = own_kafka.process_id

    own_kafka.restart()

    assert own_kafka.process_id != before
    with pytest.raises(Exception, match="already exists"):
        create_topics(own_kafka.bootstrap, {"kept": 3})
