"""Reading NLL put together: ``run_nll_source`` in a thread of anything, ``nll_source_process`` as a process of its own."""

import threading
import time
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime

from confluent_kafka import Message

from connectors.kafka.newest import newest_values, records
from connectors.nll.connection import connect, identity_of
from connectors.settings import Settings
from contracts.nll_watermark import NllWatermark, decode_watermark
from contracts.sources import SourceSystem
from contracts.topics import LIST, NLL_WATERMARK, PUBLISH
from streams.topology.nll_source.limits import NllSourceLimits
from streams.topology.nll_source.looking import Looker
from streams.topology.nll_source.loop import Loop, Wires
from streams.topology.nll_source.pace import Pace
from streams.topology.nll_source.problems import NllSourceCode, NllSourceError
from streams.topology.nll_source.sending import Sender
from streams.topology.nll_source.stopping import NllSourceStop
from streams.topology.nll_source.written import Publications
from streams.topology.publisher.consuming import ListConsumer
from streams.topology.publisher.health import HealthThread
from streams.topology.publisher.limits import PublisherLimits
from streams.topology.settings import Isolation
from streams.topology.signals import asked_to_stop

STOPPED_STATUS = 0
READER = "nll"
Clock = Callable[[], datetime]


@dataclass(frozen=True, kw_only=True)
class NllSourceParts:
    """What a test or the demo may exchange. ``isolation`` ``none`` is for the embedded broker only.

    ``token`` is a bearer token that never changes, in place of client credentials.
    """

    isolation: Isolation = "transactions"
    token: str | None = None
    limits: NllSourceLimits = field(default_factory=NllSourceLimits)
    stop: NllSourceStop = field(default_factory=NllSourceStop)


class NllSource:
    """One process that reads NLL, put together; nothing connects before ``run``.

    Needs the settings ``kafka`` and ``nll_base_url``, and either client credentials or ``parts.token``. Raises
    ``NllSourceError`` when no source is read by the reader ``nll``.
    """

    def __init__(
        self, settings: Settings, sources: Sequence[SourceSystem], clock: Clock, parts: NllSourceParts
    ) -> None:
        self._parts = parts
        source = next((one for one in sources if one.reader == READER), None)
        if source is None:
            raise NllSourceError(NllSourceCode.NO_SOURCE, "no source has the reader nll")
        limits = parts.limits
        reading = PublisherLimits(batch_messages=limits.batch_messages)
        self._consumer = ListConsumer(
            settings, settings.topic(LIST), reading, parts.isolation, settings.nll_source_group
        )

        def watermarks(partitions: Collection[int]) -> dict[str, NllWatermark]:
            return {
                name: decode_watermark(value)
                for name, value in newest_values(settings, NLL_WATERMARK, partitions, heard=self.loop.waiting).items()
            }

        @asynccontextmanager
        async def looker() -> AsyncIterator[Looker]:
            async with connect(settings, identity_of(settings), parts.token) as client:
                pace = Pace(settings.nll_requests_per_second, time.monotonic)
                yield Looker(client, pace, clock, publications.of)

        def read_on(starts: Mapping[int, int]) -> Iterator[Message]:
            return records(settings, PUBLISH, starts.keys(), starts=starts, heard=self.loop.waiting)

        publications = Publications(read_on)
        sender = Sender(settings, source.topic, limits.delivery_seconds)
        self._others = [settings.topic(source.topic), settings.topic(NLL_WATERMARK), settings.topic(PUBLISH)]
        wires = Wires(self._consumer, watermarks, sender, looker, publications)
        self.loop = Loop(wires, settings.nll_look_seconds, limits, clock)

    def run(self, stop_event: threading.Event) -> None:
        """Look until ``stop_event`` is set, then leave.

        Raises ``CodedError`` when it cannot begin. From then on a fault ends the process (``NllSourceStop``).
        """
        self._consumer.subscribe(self._others, self.loop)
        try:
            self.loop.run(stop_event)
        except Exception as error:  # noqa: BLE001 - does not continue: it leaves
            self._parts.stop(error)


def run_nll_source(
    settings: Settings,
    sources: Sequence[SourceSystem],
    clock: Clock,
    stop_event: threading.Event,
    parts: NllSourceParts | None = None,
) -> None:
    """Run in this thread until ``stop_event`` is set, without health endpoint. Raises as ``NllSource`` does."""
    NllSource(settings, sources, clock, parts or NllSourceParts()).run(stop_event)


def nll_source_process(
    settings: Settings, sources: Sequence[SourceSystem], clock: Clock, parts: NllSourceParts | None = None
) -> int:
    """Run as this process until SIGTERM or SIGINT, with a health endpoint; return the exit status.

    To be called from the main thread. Raises as ``NllSource`` does.
    """
    stop_event = asked_to_stop()
    chosen = parts or NllSourceParts()
    made = NllSource(settings, sources, clock, chosen)
    with HealthThread(settings, made.loop, chosen.stop):
        made.run(stop_event)
    return STOPPED_STATUS
