"""The one method of faust that we replace: where to go on.

Every seek of faust 0.15.3 "to the committed offset" runs through the consumer's `seek_to_committed`: after a rebalance
is complete, and when the flow was off. Here it seeks to our positions instead, also at 0, also when the group's offset
is ahead, behind, deleted or beyond the end. The pins of faust, mode and aiokafka hold this in place; a test without this
class loses records.
"""

from collections.abc import Mapping

from faust.transport.drivers.aiokafka import Consumer
from faust.types import TP

from streams.topology.ownership import Ownership


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

    return PositionedConsumer
