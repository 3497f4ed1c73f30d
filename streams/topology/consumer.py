"""What we replace of faust's consumer: whence records come, from where on, how its client is asked, and how it waits.

Every seek of faust 0.15.3 "to the committed offset" runs through the consumer's `seek_to_committed`: after a rebalance
is complete, and when the flow was off. Here our reader goes on at our positions instead, also at 0, also when the group's offset
is ahead, behind, deleted or beyond the end; faust's own client is paused. The pins of faust, mode and
aiokafka hold this in place; a test without this class loses records.

For every record faust begins four tasks: the handing over, and what may call it off (the flow is suspended, the consumer stopped or
crashed). Nearly always the record is handed over in the first step, and there is nothing to wait for.
"""

import time
from collections.abc import Coroutine, Generator, Mapping
from functools import partial
from inspect import iscoroutine
from typing import Any, Final

import aiokafka
from confluent_kafka import Message
from faust.transport.drivers.aiokafka import Consumer
from faust.types import TP
from faust.types.tuples import ConsumerMessage
from mode.services import WaitResults

from streams.topology.failstop import FailStop
from streams.topology.ownership import Ownership
from streams.topology.reading import FactReader, timestamp

POLL_SECONDS: Final = 1.0
"""How often faust's client is asked for records, although it has none: a member that never asks leaves its group, and takes nothing
over any more."""
NO_PARTITION: Final = frozenset({TP("", 0)})

_HANDED_OVER_OR_CALLED_OFF = 2
"""What faust waits for when it hands a record over; of whatever else it may wait for in the same way nothing is changed."""


class ReadingConsumer(Consumer):
    """Faust's consumer, whose records are those of `reader`, from the positions of `ownership` on."""

    def __init__(
        self,
        *arguments: Any,
        reader: FactReader,
        ownership: Ownership,
        fact_topic: str,
        stop: FailStop,
        **more: Any,
    ) -> None:
        super().__init__(*arguments, **more)
        self._reader = reader
        self._ownership = ownership
        self._fact_topic = fact_topic
        self._stop_process = stop
        self._polled_at = 0.0

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Let the reader go on at the next record of every owned partition that its core has not seen."""
        await self._thread.call_thread(self._pause_all)
        positions = {
            tp: self._ownership.owned[tp.partition].received
            for tp in self.assignment()
            if tp.topic == self._fact_topic and tp.partition in self._ownership.owned
        }
        await self._stop_process.guard(self._reader.go_on({tp.partition: offset for tp, offset in positions.items()}))
        return positions

    def highwater(self, tp: TP) -> int | None:
        """The end of a partition as the reader knows it."""
        return self._reader.end(tp.partition)

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Not here: it would tell of a client that fetches nothing. Our watchdog looks at positions."""

    async def on_stop(self) -> None:
        """Stop, the reader too."""
        await super().on_stop()
        await self._reader.close()

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

    async def _wait_next_records(self, timeout: float) -> Any:  # noqa: ASYNC109 -- faust's signature
        now = time.monotonic()
        if now - self._polled_at > POLL_SECONDS:
            # Also without any partition, where faust asks for nothing. While the flow is suspended this does not reach the client:
            # no handing over may take as long as `broker_max_poll_interval`. What it raises crashes the worker, which ends it.
            self._polled_at = now
            await super()._getmany(NO_PARTITION, 0)
        return await super()._wait_next_records(timeout)

    async def _getmany(
        self,
        active_partitions: Any,  # noqa: ARG002 -- faust's signature
        timeout: float,  # noqa: ARG002, ASYNC109
    ) -> Mapping[TP, list[Message]]:
        try:
            found = await self._reader.read()
        except Exception as exc:  # noqa: BLE001 -- does not continue: it leaves
            self._stop_process(exc)
        return {TP(self._fact_topic, partition): records for partition, records in found.items()}

    def _to_message(self, tp: TP, record: Message) -> ConsumerMessage:
        return ConsumerMessage(
            topic=tp.topic,
            partition=tp.partition,
            offset=record.offset(),
            timestamp=timestamp(record),
            timestamp_type=0,
            headers=None,
            key=None,  # nobody asks for it: a fact names its patient
            value=record.value(),
            checksum=None,
            tp=tp,
            generation_id=self.app.consumer_generation_id,
        )

    async def _pause_all(self) -> None:
        client: aiokafka.AIOKafkaConsumer = self._thread._consumer  # noqa: SLF001 -- faust's driver hides it
        client.pause(*client.assignment())


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
