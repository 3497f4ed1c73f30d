"""What the loop that reads NLL says of itself while it has only begun to read lists."""

import contextlib
import threading
from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from typing import Any, cast

from confluent_kafka import Message

from streams.topology.nll_source.limits import NllSourceLimits
from streams.topology.nll_source.looking import Looker
from streams.topology.nll_source.loop import Loop, Wires
from streams.topology.nll_source.sending import Sender
from streams.topology.nll_source.written import Publications
from streams.topology.publisher.consuming import ListConsumer
from tests.streams.publish.cases import NOW
from tests.streams.topology.fakes import ListRecord

ON_THE_TOPIC, AT_ONCE = 5, 2


class Lists:
    """A list topic that is given out two records at a time; the stop comes once so many were."""

    def __init__(self, until: int, ours: frozenset[int] = frozenset({0})) -> None:
        self.ours = ours
        self.stop = threading.Event()
        self._until = until
        self._next = 0

    def take(self, _wait_seconds: float) -> list[Message]:
        """The next ones."""
        found = [
            ListRecord(str(offset), offset=offset)
            for offset in range(self._next, min(self._next + AT_ONCE, ON_THE_TOPIC))
        ]
        self._next += len(found)
        if self._next >= self._until:
            self.stop.set()
        return cast("list[Message]", found)

    def lag(self, positions: Mapping[int, int]) -> int:
        """What stands between these positions and the end."""
        return sum(ON_THE_TOPIC - position for position in positions.values())

    def close(self) -> None:
        """Nothing to close."""


def loop_over(lists: Lists) -> Loop:
    """A loop that holds partition 0, and has nobody to look at."""

    @contextlib.asynccontextmanager
    async def nobody() -> AsyncIterator[Looker]:
        yield cast("Looker", None)

    def no_watermarks(_partitions: Collection[int]) -> dict[str, Any]:
        return {}

    def nothing(_starts: Mapping[int, int]) -> Iterator[Message]:
        return iter(())

    wires = Wires(cast("ListConsumer", lists), no_watermarks, cast("Sender", None), nobody, Publications(nothing))
    made = Loop(wires, 3600.0, NllSourceLimits(), lambda: NOW)
    made.assigned([0])
    return made


def test_lists_that_were_not_yet_taken_are_told() -> None:
    """It has not caught up before it knows of everybody; then it has."""
    begun, done = Lists(until=1), Lists(until=ON_THE_TOPIC)
    first, last = loop_over(begun), loop_over(done)

    first.run(begun.stop)
    last.run(done.stop)

    assert (first.lag, last.lag) == (ON_THE_TOPIC - AT_ONCE, 0)
    assert first.metrics.registry.get_sample_value("medlist_nll_lag_records") == ON_THE_TOPIC - AT_ONCE


def test_a_partition_that_went_is_no_lag_of_ours() -> None:
    """Its next owner reads it."""
    lists = Lists(until=AT_ONCE + 1, ours=frozenset())
    loop = loop_over(lists)
    loop.gone([0])

    loop.run(lists.stop)

    assert loop.lag == 0
