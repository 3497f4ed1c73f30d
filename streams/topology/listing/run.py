"""The listing put together: ``run_listing`` in a thread of anything, ``listing_process`` as a process of its own."""

import threading
from dataclasses import dataclass, field

from connectors.settings import Settings
from contracts.topics import LIST, LIST_FHIR
from streams.topology.listing.limits import ListingLimits
from streams.topology.listing.loop import Loop
from streams.topology.listing.sending import PlainSender, TransactionalSender
from streams.topology.listing.stopping import ListingStop
from streams.topology.publisher.consuming import ListConsumer
from streams.topology.publisher.health import HealthThread
from streams.topology.publisher.limits import PublisherLimits
from streams.topology.settings import Isolation
from streams.topology.signals import asked_to_stop

STOPPED_STATUS = 0


@dataclass(frozen=True, kw_only=True)
class ListingParts:
    """What a test or the demo may exchange. ``isolation`` ``none`` is for the embedded broker only."""

    isolation: Isolation = "transactions"
    limits: ListingLimits = field(default_factory=ListingLimits)
    stop: ListingStop = field(default_factory=ListingStop)


@dataclass(frozen=True)
class ListingTopics:
    """Where it comes from, and where it goes."""

    lists: str
    bundles: str


class Listing:
    """One listing, put together; nothing connects before ``run``. Needs the setting ``kafka``."""

    def __init__(self, settings: Settings, parts: ListingParts) -> None:
        self._parts = parts
        self._topics = ListingTopics(settings.topic(LIST), settings.topic(LIST_FHIR))
        reading = PublisherLimits(batch_messages=parts.limits.batch_messages)
        self._consumer = ListConsumer(settings, self._topics.lists, reading, parts.isolation, settings.listing_group)
        sender = TransactionalSender if parts.isolation == "transactions" else PlainSender
        self.loop = Loop(self._consumer, sender(settings, self._topics, parts.limits), parts.limits)

    def run(self, stop_event: threading.Event) -> None:
        """Translate lists until ``stop_event`` is set; store what was taken, leave.

        Raises ``CodedError`` when it cannot begin. From then on a fault ends the process (``ListingStop``).
        """
        self._consumer.subscribe([self._topics.bundles], self.loop)
        try:
            self.loop.run(stop_event)
        except Exception as error:  # noqa: BLE001 - does not continue: it leaves
            self._parts.stop(error)


def run_listing(settings: Settings, stop_event: threading.Event, parts: ListingParts | None = None) -> None:
    """Run a listing in this thread until ``stop_event`` is set, without health endpoint. Raises as ``Listing`` does."""
    Listing(settings, parts or ListingParts()).run(stop_event)


def listing_process(settings: Settings, parts: ListingParts | None = None) -> int:
    """Run a listing as this process until SIGTERM or SIGINT, with its health endpoint; return the exit status.

    To be called from the main thread. Raises as ``Listing`` does.
    """
    stop_event = asked_to_stop()
    chosen = parts or ListingParts()
    listing = Listing(settings, chosen)
    with HealthThread(settings, listing.loop, chosen.stop):
        listing.run(stop_event)
    return STOPPED_STATUS
