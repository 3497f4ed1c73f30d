"""What the consumer of the source topics tells while it waits."""

import time
from collections.abc import Callable, Sequence
from typing import cast

import pytest
from confluent_kafka import Consumer, TopicPartition

from connectors.kafka import positions
from connectors.settings import Settings
from streams.topology.intake.consuming import SourceConsumer
from streams.topology.intake.limits import IntakeLimits
from streams.topology.intake.standing import Standings

STAYS, COMES = ("t", 0), ("t", 1)
LONG_AGO = 1000.0


class Member:
    """As much of a client as a partition that comes needs."""

    def incremental_assign(self, partitions: Sequence[TopicPartition]) -> None:
        """Read from there."""
        assert [one.offset for one in partitions] == [7]


def test_partitions_that_stay_are_not_stuck_while_the_group_cannot_tell_where_others_begin(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The watchdog would end a process that waits for a slow broker, and its restart begins another rebalance."""
    standings, begun = Standings(), time.monotonic() - LONG_AGO
    standings.assign({STAYS: 0}, begun)
    standings.look({STAYS: 1}, begun)

    def slow(
        _consumer: Consumer, partitions: Sequence[TopicPartition], waiting: Callable[[], None]
    ) -> list[TopicPartition]:
        waiting()
        return [TopicPartition(one.topic, one.partition, 7) for one in partitions]

    monkeypatch.setattr(positions, "committed_offsets", slow)
    source = SourceConsumer(Settings(kafka="127.0.0.1:1"), IntakeLimits(), standings)

    source._assigned(cast("Consumer", Member()), [TopicPartition(*COMES)])

    found = standings.look({STAYS: 1, COMES: 7}, time.monotonic())
    assert found[STAYS].still_seconds < LONG_AGO
    assert found[STAYS].behind_seconds >= LONG_AGO
    source.close()
