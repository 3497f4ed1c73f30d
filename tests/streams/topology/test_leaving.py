"""On a real Kafka: a member that is stopped in the very moment in which partitions come to it leaves, and does not hang.

In a process of its own: the client hangs in it with the interpreter's lock in its hand, and nothing else would ever run.
"""

import multiprocessing
import time
from collections.abc import Callable, Mapping
from typing import Literal

import pytest
from confluent_kafka import ConsumerGroupState
from confluent_kafka.admin import AdminClient

from connectors.settings import Settings
from contracts.topics import FACT, LIST
from streams.topology.intake.consuming import SourceConsumer
from streams.topology.intake.limits import IntakeLimits
from streams.topology.intake.standing import Standings
from streams.topology.listing.limits import ListingLimits
from streams.topology.listing.loop import Loop
from streams.topology.listing.run import ListingTopics
from streams.topology.listing.sending import TransactionalSender
from streams.topology.publisher.consuming import ListConsumer
from streams.topology.publisher.limits import PublisherLimits

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

PARTITIONS = 4
DEADLINE_SECONDS = 30.0


def leave_as_partitions_come(settings: Settings, kind: Literal["intake", "lists"]) -> None:
    """Join the group, and close once the broker says that the partitions are this member's, before that was heard of."""
    if kind == "intake":
        source = SourceConsumer(settings, IntakeLimits(), Standings())
        source.subscribe([settings.topic(FACT)], [], lambda: None)
        _wait_for_partitions(settings, settings.intake_group)
        source.close()
        return
    lists = ListConsumer(settings, settings.topic(LIST), PublisherLimits(), "transactions")
    sender = TransactionalSender(settings, ListingTopics(settings.topic(LIST), settings.topic(LIST)), ListingLimits())
    lists.subscribe([], Loop(lists, sender, ListingLimits()))
    _wait_for_partitions(settings, settings.publisher_group)
    lists.close()


def _wait_for_partitions(settings: Settings, group: str) -> None:
    admin = AdminClient(settings.kafka_client())
    deadline = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < deadline:
        found = admin.describe_consumer_groups([group])[group].result()
        shares = [member.assignment.topic_partitions for member in found.members]
        if found.state == ConsumerGroupState.STABLE and sum(map(len, shares)) == PARTITIONS:
            return
        time.sleep(0.05)
    raise TimeoutError(group)


@pytest.mark.parametrize("kind", ["intake", "lists"])
def test_a_member_that_is_stopped_as_partitions_come_leaves(
    kafka: str, topic_prefix: str, make_topics: Callable[[Mapping[str, int]], dict[str, str]], kind: str
) -> None:
    """Asked then where they begin, the client would never answer: it serves no questions any more."""
    make_topics({LIST: PARTITIONS, FACT: PARTITIONS})
    groups = {"intake_group": f"{topic_prefix}intake", "publisher_group": f"{topic_prefix}publisher"}
    settings = Settings.for_demo(kafka, topic_prefix=topic_prefix).model_copy(update=groups)
    member = multiprocessing.get_context("spawn").Process(target=leave_as_partitions_come, args=(settings, kind))

    member.start()
    member.join(2 * DEADLINE_SECONDS)
    left = member.exitcode
    member.kill()

    assert left == 0
