"""Where partitions end, asked of brokers of which some are away."""

from typing import cast

import pytest
from confluent_kafka import Consumer

from connectors.kafka import ends
from connectors.kafka.ends import ASK_ON_SECONDS, ASK_SECONDS, GIVE_UP_SECONDS, known_ends
from tests.kafka.leaderless import PartlyLed

PLACES = [("t", number) for number in range(40)]


def test_a_partition_without_a_leader_hides_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of each other we know where it ends, and the whole costs little more for each that is not led."""
    brokers, heard = PartlyLed(PLACES[2:]), []
    monkeypatch.setattr(ends, "time", brokers)

    found = known_ends(cast("Consumer", brokers), PLACES, lambda: heard.append(1))

    assert found == dict.fromkeys(PLACES[2:], 7)
    assert brokers.now == ASK_SECONDS + ASK_ON_SECONDS
    assert len(heard) == len(PLACES)


def test_where_nobody_answers_that_is_known_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many partitions there are."""
    brokers = PartlyLed(())
    monkeypatch.setattr(ends, "time", brokers)

    assert known_ends(cast("Consumer", brokers), PLACES, lambda: None) == {}
    assert brokers.now <= GIVE_UP_SECONDS + ASK_ON_SECONDS


def test_it_asks_no_more_than_it_is_let() -> None:
    """A process that stops does not wait for all of them."""
    brokers, left = PartlyLed(PLACES), [True, True, False]

    assert len(known_ends(cast("Consumer", brokers), PLACES, lambda: None, lambda: left.pop(0))) == 2
