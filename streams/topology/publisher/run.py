"""The publisher put together: ``run_publisher`` in a thread of anything, ``publisher_process`` as a process of its own."""

import threading
from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from connectors.kafka.newest import newest_values
from connectors.nll.connection import connect, identity_of
from connectors.nll.requests import Identity
from connectors.settings import Settings
from contracts.publication import Publication, decode_publication
from contracts.sources import SourceSystem
from contracts.topics import LIST, PUBLISH
from streams.publish.execute import Executor
from streams.publish.policy import Policy, policy_of
from streams.topology.publisher.consuming import ListConsumer
from streams.topology.publisher.hands import Hands
from streams.topology.publisher.health import HealthThread
from streams.topology.publisher.limits import PublisherLimits
from streams.topology.publisher.loop import Clock, Loop, Wires
from streams.topology.publisher.requests import Requests
from streams.topology.publisher.stopping import PublisherStop
from streams.topology.publisher.telling import Teller
from streams.topology.settings import Isolation
from streams.topology.signals import asked_to_stop

STOPPED_STATUS = 0


@dataclass(frozen=True, kw_only=True)
class PublisherParts:
    """What a test or the demo may exchange; everybody else takes it as it is.

    ``isolation`` ``none`` is for the embedded broker only. ``token`` is a bearer token that never changes, in place of client
    credentials. ``identity`` is what the settings name unless given, ``policy`` is what the sources say of themselves unless given.
    """

    identity: Identity | None = None
    isolation: Isolation = "transactions"
    token: str | None = None
    policy: Policy | None = None
    limits: PublisherLimits = field(default_factory=PublisherLimits)
    stop: PublisherStop = field(default_factory=PublisherStop)


class Publisher:
    """One publisher, put together; nothing connects before ``run``.

    Needs the settings ``kafka`` and ``nll_base_url``, and either client credentials or ``parts.token``.
    """

    def __init__(
        self, settings: Settings, sources: Sequence[SourceSystem], clock: Clock, parts: PublisherParts
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._parts = parts
        policy = parts.policy or policy_of(sources)
        limits = parts.limits
        publish_topic = settings.topic(PUBLISH)

        @asynccontextmanager
        async def executor() -> AsyncIterator[Executor]:
            async with connect(settings, parts.identity or identity_of(settings), parts.token) as client:
                yield Executor(client, policy, clock)

        self._hands = Hands(executor, limits.attempt_seconds)
        self._consumer = ListConsumer(settings, settings.topic(LIST), limits, parts.isolation)
        teller = Teller(settings, publish_topic, limits.delivery_seconds)
        requests = Requests(settings, limits, parts.isolation)
        self._others = [publish_topic, requests.topic]

        def told_before(partitions: Collection[int]) -> Iterable[Publication]:
            told = newest_values(settings, PUBLISH, partitions, heard=self.loop.waiting)
            return map(decode_publication, told.values())

        self.loop = Loop(Wires(self._consumer, requests, teller, told_before), self._hands, policy, limits)

    def run(self, stop_event: threading.Event) -> None:
        """Publish until ``stop_event`` is set; finish or cut what is under way, commit, leave.

        Raises ``CodedError`` when it cannot begin. From then on a fault ends the process (``PublisherStop``).
        """
        with self._hands:
            self._consumer.subscribe(self._others, self.loop)
            try:
                self.loop.run(self._clock, stop_event)
            except Exception as error:  # noqa: BLE001 - does not continue: it leaves
                self._parts.stop(error)


def run_publisher(
    settings: Settings,
    sources: Sequence[SourceSystem],
    clock: Clock,
    stop_event: threading.Event,
    parts: PublisherParts | None = None,
) -> None:
    """Run a publisher in this thread until ``stop_event`` is set, without health endpoint. Raises as ``Publisher`` does."""
    Publisher(settings, sources, clock, parts or PublisherParts()).run(stop_event)


def publisher_process(
    settings: Settings, sources: Sequence[SourceSystem], clock: Clock, parts: PublisherParts | None = None
) -> int:
    """Run a publisher as this process until SIGTERM or SIGINT, with its health endpoint; return the exit status.

    To be called from the main thread. Raises as ``Publisher`` does.
    """
    stop_event = asked_to_stop()
    chosen = parts or PublisherParts()
    publisher = Publisher(settings, sources, clock, chosen)
    with HealthThread(settings, publisher.loop, chosen.stop):
        publisher.run(stop_event)
    return STOPPED_STATUS
