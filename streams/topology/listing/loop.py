"""The loop: take lists, translate the newest of each patient, store Bundles and position together. One thread owns all of it."""

import threading
import time
from collections.abc import Collection
from typing import Final

from confluent_kafka import Message

from connectors.telemetry import declare, get_logger
from mappings.fhir.validation import fhir_problems, in_sample
from streams.topology.listing.limits import ListingLimits
from streams.topology.listing.metrics import ListingMetrics
from streams.topology.listing.sending import Sender
from streams.topology.listing.translating import Translated, newest, translated
from streams.topology.publisher.consuming import ListConsumer, place_of

EVENTS: Final = declare({"listing.suspicious": "LST-102"})

_log = get_logger()


class Loop:
    """Translates until told to stop. Raises ``PublisherError``, and what a bug raises; then nothing more may be done with it."""

    def __init__(self, consumer: ListConsumer, sender: Sender, limits: ListingLimits) -> None:
        self._consumer = consumer
        self._sender = sender
        self._limits = limits
        self.metrics = ListingMetrics()
        self._positions: dict[int, int] = {}
        self.beat = time.monotonic()
        self.lag = 0
        self.ready = False

    @property
    def idle(self) -> bool:
        """Whether everything that was taken is stored: always, between two turns."""
        return True

    def run(self, stop: threading.Event) -> None:
        """Translate until ``stop`` is set, then leave the group."""
        self._sender.begin()
        while not stop.is_set():
            self.turn()
        self._consumer.close()

    def turn(self) -> None:
        """Take what waits, and store what it becomes."""
        self.beat = time.monotonic()
        taken = self._consumer.take(self._limits.idle_seconds)
        # A partition may have gone while the batch was being taken: its lists are the next owner's.
        ours = [message for message in taken if place_of(message)[0] in self._consumer.ours]
        if ours:
            self._store(ours)
        self.lag = self._consumer.lag(self._positions)
        self.metrics.looked(self.lag)

    def _store(self, messages: list[Message]) -> None:
        batch = [translated(message) for message in newest(messages)]
        reached = {partition: offset + 1 for partition, offset in map(place_of, messages)}
        self._sender.store(batch, reached, self._consumer)
        self._positions |= reached
        self.metrics.stored([len(one.value) for one in batch if one.value is not None], len(messages))
        for one in batch:
            self._check(one)

    def _check(self, one: Translated) -> None:
        """Let another implementation read a sample of what is out already; it can only warn."""
        if one.bundle is None or not in_sample(one.version, self._limits.checked_share):
            return
        problems = fhir_problems(one.bundle)
        self.metrics.checked(good=not problems)
        if problems:
            _log.warning("listing.suspicious", list_hash=one.version, problems=len(problems))

    def waiting(self) -> None:
        """A broker is asked where partitions begin: that is no standstill."""
        self.beat = time.monotonic()

    def assigned(self, partitions: Collection[int]) -> None:  # noqa: ARG002 - the consumer tells which
        """Partitions came."""
        self.ready = True

    def revoking(self, partitions: Collection[int]) -> None:
        """Partitions are about to go: every batch is stored before the next is taken, so nothing is under way."""

    def gone(self, partitions: Collection[int]) -> None:
        """Partitions went."""
        for number in partitions:
            self._positions.pop(number, None)
