"""What the publisher's loop does with partitions that go while lists are taken."""

import threading
from collections.abc import Callable, Collection, Mapping
from typing import Any, cast
from unittest.mock import Mock

from confluent_kafka import Message

from contracts.publication import Publication
from streams.topology.publisher.consuming import ListConsumer
from streams.topology.publisher.hands import Hands
from streams.topology.publisher.limits import PublisherLimits
from streams.topology.publisher.loop import Loop, Wires
from streams.topology.publisher.requests import Requests
from streams.topology.publisher.telling import Teller
from tests.streams.publish.cases import NOW, POLICY
from tests.streams.topology.fakes import ListRecord


class Lists:
    """A member of the group: each turn is a list of records that come, and what happens to partitions while they are taken."""

    def __init__(self, *turns: tuple[list[ListRecord], Callable[[Loop], object]]) -> None:
        self.ours: frozenset[int] = frozenset()
        self.stop = threading.Event()
        self.loop: Loop
        self._turns = list(turns)

    def take(self, _wait_seconds: float) -> list[Message]:
        """The next turn."""
        records, happens = self._turns.pop(0)
        happens(self.loop)
        if not self._turns:
            self.stop.set()
        return cast("list[Message]", records)

    def lag(self, _positions: Mapping[int, int]) -> int:
        """Nothing more."""
        return 0

    def hold(self, *, hold: bool) -> None:
        """It may go on."""
        assert not hold

    def holds(self, _patient: str) -> bool:
        """Not any more."""
        return False

    def commit(self, _offsets: Mapping[int, int]) -> bool:
        """Done."""
        return True

    def close(self) -> None:
        """Nothing to close."""


def run(*turns: tuple[list[ListRecord], Callable[[Loop], object]]) -> tuple[list[str], list[set[int]]]:
    """Run a loop through these turns; return of whom it began attempts, and of which partitions it read what was told before."""
    lists = Lists(*turns)
    requests = Mock(Requests, searching=False, taken=list, found=list)
    hands = Mock(Hands, results=list, announcements=list)
    read: list[set[int]] = []

    def told_before(partitions: Collection[int]) -> list[Publication]:
        read.append(set(partitions))
        return []

    wires = Wires(cast("ListConsumer", lists), requests, cast("Teller", Mock(Teller)), told_before)
    limits = PublisherLimits(drain_seconds=0.0)
    lists.loop = Loop(wires, cast("Hands", hands), POLICY, limits)
    lists.loop.run(lambda: NOW, lists.stop)
    begun: list[Any] = [call.args[0].patient for call in hands.begin.call_args_list]
    return begun, read


def test_a_list_of_a_partition_that_went_while_it_was_taken_is_its_next_owners() -> None:
    """The client hands out what it had fetched, and only then tells that the partition goes."""
    begun, _ = run(
        ([], lambda loop: loop.assigned([0, 1])),
        ([ListRecord("0", partition=0), ListRecord("1", partition=1)], lambda loop: loop.gone([0])),
    )

    assert begun == ["1"]


def test_of_a_partition_that_went_before_it_was_looked_at_nothing_is_read() -> None:
    """How its patients stand is for its next owner to tell."""

    def comes_and_goes(loop: Loop) -> None:
        loop.assigned([0, 1])
        loop.gone([0])

    _, read = run(([], comes_and_goes))

    assert read == [{1}]
