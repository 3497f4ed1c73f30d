"""Where the fact partitions end: asked from the broker by a client of its own, beside the event loop."""

import asyncio
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor

from confluent_kafka import Consumer

from connectors.kafka.ends import known_ends
from streams.topology.client import reader_config
from streams.topology.heard import Heard
from streams.topology.settings import EngineSettings

ANY_PARTITION = 0

Ends = Mapping[int, int]


class Watermarks:
    """Asks for ends; one thread, one question at a time. All who come while one is under way share the next."""

    def __init__(self, settings: EngineSettings) -> None:
        self._settings = settings
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="watermarks")
        self._consumer: Consumer | None = None
        self._closing = False
        self._turn = asyncio.Lock()
        self._next: asyncio.Future[Ends | None] | None = None
        self.heard = Heard()
        """When the client last said anything about any partition."""

    async def ends(self, partitions: Collection[int]) -> Ends | None:
        """The end of each partition of which a broker tells it; `None` when none does: then there is nothing to decide.

        The broker is asked also when there are no partitions to ask about. The answer is never older than the question. A
        partition that has no leader just now misses in it, and so may one that is asked about only here, where others asked just
        before.
        """
        if self._next is None:
            self._next = asyncio.ensure_future(self._in_turn(tuple(partitions)))
        return await asyncio.shield(self._next)

    async def close(self) -> None:
        """Close the client and its thread; a question under way asks about no further partition."""
        self._closing = True
        await asyncio.get_running_loop().run_in_executor(self._thread, self._close)
        self._thread.shutdown(wait=False)

    async def _in_turn(self, partitions: Collection[int]) -> Ends | None:
        async with self._turn:
            self._next = None  # who comes from here on comes too late for this question
            return await asyncio.get_running_loop().run_in_executor(self._thread, self._ask, partitions)

    def _ask(self, partitions: Collection[int]) -> Ends | None:
        if self._consumer is None:
            self._consumer = Consumer(reader_config(self._settings, "watch"))
        places = [(self._settings.fact_topic, number) for number in partitions or (ANY_PARTITION,)]
        found = known_ends(self._consumer, places, self.heard, lambda: not self._closing)
        if self._closing or not found:
            return None
        return {number: end for (_, number), end in found.items() if number in partitions}

    def _close(self) -> None:
        if self._consumer is not None:
            self._consumer.close()
            self._consumer = None
