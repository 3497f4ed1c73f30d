"""What we replace of faust's consumer: where it goes on, and how it waits while it hands a record over.

Every seek of faust 0.15.3 "to the committed offset" runs through the consumer's `seek_to_committed`: after a rebalance
is complete, and when the flow was off. Here it seeks to our positions instead, also at 0, also when the group's offset
is ahead, behind, deleted or beyond the end. The pins of faust, mode and aiokafka hold this in place; a test without this
class loses records.

For every record faust begins four tasks: the handing over, and what may call it off (the flow is suspended, the consumer stopped or
crashed). Nearly always the record is handed over in the first step, and there is nothing to wait for: a quarter of what the
engine adds to a fold.
"""

from collections.abc import Coroutine, Generator, Mapping
from functools import partial
from inspect import iscoroutine
from typing import Any

from faust.transport.drivers.aiokafka import Consumer
from faust.types import TP
from mode.services import WaitResults

from streams.topology.ownership import Ownership

_HANDED_OVER_OR_CALLED_OFF = 2
"""What faust waits for when it hands a record over; of whatever else it may wait for in the same way nothing is changed."""


def positioned_consumer(ownership: Ownership, fact_topic: str) -> type[Consumer]:
    """The consumer class for faust's transport that goes on at the positions of `ownership`."""

    class PositionedConsumer(Consumer):
        """Faust's consumer, going on at our positions."""

        async def seek_to_committed(self) -> Mapping[TP, int]:
            """Seek every owned partition to the next record that its core has not seen."""
            positions = {
                tp: ownership.owned[tp.partition].received
                for tp in self.assignment()
                if tp.topic == fact_topic and tp.partition in ownership.owned
            }
            if positions:
                await self.seek_wait(positions)
            return positions

        async def wait_first(self, *coros: Any, timeout: Any = None) -> Any:  # noqa: ASYNC109 -- faust's signature
            """Wait for the first of `coros`: the handing over of a record, and whatever would call it off."""
            if len(coros) != _HANDED_OVER_OR_CALLED_OFF or not all(map(iscoroutine, coros)):
                return await super().wait_first(*coros, timeout=timeout)
            handing_over, calling_off = coros
            try:
                begun = Begun(handing_over)
            except BaseException:
                calling_off.close()
                raise
            if not begun.finished:
                return await super().wait_first(begun, calling_off, timeout=timeout)
            calling_off.close()
            return WaitResults([], [], True) if self.should_stop else WaitResults([handing_over], [None], False)

    return PositionedConsumer


class Begun:
    """A coroutine whose first step was taken, at once and in place; to be awaited unless it has `finished` with that.

    Raises what that step raises.
    """

    def __init__(self, work: Coroutine[Any, Any, None]) -> None:
        self._work = work
        self._waits_for: Any = None
        self.finished = False
        try:
            self._waits_for = work.send(None)
        except StopIteration:
            self.finished = True

    def __await__(self) -> Generator[Any, Any, None]:
        waits_for = self._waits_for
        while True:
            try:
                sent = yield waits_for
            except BaseException as thrown:  # noqa: BLE001 -- handed on, as `await` does
                step = partial(self._work.throw, thrown)
            else:
                step = partial(self._work.send, sent)
            try:
                waits_for = step()
            except StopIteration:
                return
