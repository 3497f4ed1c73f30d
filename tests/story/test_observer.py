"""What an outsider may conclude while a transaction is on its way."""

from collections.abc import Callable, Mapping

import pytest
from confluent_kafka import Producer

from connectors.settings import Settings
from contracts.topics import LIST
from streams.command.composition import Composition
from streams.command.demo.observer import Observer
from tests.streams.topology.publisher.wire import eventually

pytestmark = pytest.mark.kafka

ANSWER_SECONDS = 30


def test_a_list_that_is_written_and_not_yet_shown_is_waited_for(
    kafka: str, topic_prefix: str, make_topics: Callable[[Mapping[str, int]], dict[str, str]]
) -> None:
    """A commit shows in one partition before it shows in another: who has seen the position has not yet seen the list."""
    composition = Composition(settings=Settings(kafka=kafka, topic_prefix=topic_prefix, partitions=1))
    make_topics({one.name.removeprefix(topic_prefix): one.partitions for one in composition.topics})
    observer = Observer(composition)
    writer = Producer({"bootstrap.servers": kafka, "transactional.id": f"{topic_prefix}writer"})
    writer.init_transactions(ANSWER_SECONDS)

    def caught_up() -> bool:
        observer.read()
        return observer.is_caught_up()

    eventually(caught_up, "nothing was sent, so there is nothing to wait for")
    writer.begin_transaction()
    writer.produce(f"{topic_prefix}{LIST}", b"list", b"patient", partition=0)
    assert writer.flush(ANSWER_SECONDS) == 0
    before_the_commit = caught_up()
    writer.commit_transaction(ANSWER_SECONDS)
    eventually(caught_up, "the list is read")
    observer.close()

    assert not before_the_commit
    assert observer.lists == {"patient": b"list"}
