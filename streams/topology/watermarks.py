"""Where the fact partitions end: asked from the broker by a client of its own, beside the event loop."""

import asyncio
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor

from confluent_kafka import Consumer, KafkaException, TopicPartition

from streams.topology.client import reader_config
from streams.topology.settings import EngineSettings

ASK_SECONDS = 5.0
ANY_PARTITION = 0


class Watermarks:
    """Asks for ends; one thread, so one question at a time."""

    def __init__(self, settings: EngineSettings) -> None:
        self._settings = settings
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="watermarks")
        self._consumer: Consumer | None = None

    async def ends(self, partitions: Collection[int]) -> Mapping[int, int] | None:
        """The end of each partition; `None` when no broker answers: then there is nothing to decide.

        The broker is asked also when there are no partitions to ask about.
        """
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._ask, tuple(partitions))

    async def close(self) -> None:
        """Close the client and its thread."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._close)
        self._thread.shutdown(wait=False)

    def _ask(self, partitions: Collection[int]) -> Mapping[int, int] | None:
        if self._consumer is None:
            self._consumer = Consumer(reader_config(self._settings, "watch"))
        topic = self._settings.fact_topic
        try:
            ends = {
                p: self._consumer.get_watermark_offsets(TopicPartition(topic, p), timeout=ASK_SECONDS)[1]
                for p in partitions or (ANY_PARTITION,)
            }
        except KafkaException:
            return None
        return {p: ends[p] for p in partitions}

    def _close(self) -> None:
        if self._consumer is not None:
            self._consumer.close()
            self._consumer = None
