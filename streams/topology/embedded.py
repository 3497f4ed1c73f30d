"""What the embedded broker needs of faust: it answers a waiting fetch only when the wait is over, whatever came meanwhile.

faust's driver waits 1.5 s at most, which no real broker ever uses up when a record comes; there it stays as it is.
"""

import asyncio
from typing import Any, Final

from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Consumer

FETCH_WAIT_MILLISECONDS: Final = 50


class _ImpatientThread(AIOKafkaConsumerThread):
    def _create_consumer(self, loop: asyncio.AbstractEventLoop) -> Any:
        consumer = super()._create_consumer(loop)
        consumer._fetch_max_wait_ms = FETCH_WAIT_MILLISECONDS  # noqa: SLF001 -- faust's driver fixes it, and hides it
        return consumer


def impatient(kind: type[Consumer]) -> type[Consumer]:
    """The consumer class `kind`, for a broker that lets every fetch wait to its end."""

    class ImpatientConsumer(kind):
        """Faust's consumer, asking often."""

        def _new_consumer_thread(self) -> AIOKafkaConsumerThread:
            return _ImpatientThread(self, loop=self.loop, beacon=self.beacon)

    return ImpatientConsumer
