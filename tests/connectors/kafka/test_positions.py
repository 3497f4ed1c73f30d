"""Asking where a group goes on, within a limit."""

from typing import Any, cast

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from connectors.kafka import positions
from connectors.kafka.positions import PATIENCE_SECONDS, committed_offsets

ASKED = [TopicPartition("t", 0)]


class Broker:
    """A broker that takes the whole time of every question, and cannot tell before `knows_at`; its own clock."""

    def __init__(self, knows_at: float) -> None:
        self.now = 0.0
        self._knows_at = knows_at

    def monotonic(self) -> float:
        """The time."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Time passes."""
        self.now += seconds

    def committed(self, partitions: list[TopicPartition], timeout: float) -> list[TopicPartition]:
        """Answer, or let the time of the question go by."""
        if self.now < self._knows_at:
            self.now += timeout
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
        return [TopicPartition(one.topic, one.partition, 17) for one in partitions]


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Makes one, whose clock counts."""

    def make(knows_at: float) -> Broker:
        made = Broker(knows_at)
        monkeypatch.setattr(positions, "time", made)
        return made

    return make


def test_it_asks_until_the_broker_can_tell(broker: Any) -> None:
    """And says in between that it lives."""
    made, lived = broker(40.0), []

    (found,) = committed_offsets(cast("Consumer", made), ASKED, lambda: lived.append(made.now))

    assert found.offset == 17
    assert len(lived) > 5


def test_all_questions_together_end_in_time(broker: Any) -> None:
    """The last one is no longer than what is left."""
    made = broker(1e9)

    with pytest.raises(KafkaException):
        committed_offsets(cast("Consumer", made), ASKED)

    assert PATIENCE_SECONDS - 1 < made.now <= PATIENCE_SECONDS


def test_no_question_lasts_for_ever(broker: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The client takes a negative time for no limit; a machine that is busy wakes us after the end."""
    made = broker(1e9)
    asked: list[float] = []

    def unreachable(_partitions: list[TopicPartition], timeout: float) -> list[TopicPartition]:
        asked.append(timeout)
        raise KafkaException(KafkaError(KafkaError._TRANSPORT))

    def oversleep(_seconds: float) -> None:
        made.now += PATIENCE_SECONDS + 1

    monkeypatch.setattr(made, "committed", unreachable)
    monkeypatch.setattr(made, "sleep", oversleep)

    with pytest.raises(KafkaException):
        committed_offsets(cast("Consumer", made), ASKED)

    assert len(asked) == 2
    assert min(asked) >= 0.0
