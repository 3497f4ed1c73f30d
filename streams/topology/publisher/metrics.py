"""The publisher's figures for Prometheus. No label can name a patient."""

from collections.abc import Mapping
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from contracts.publication import Done, PublicationState

UNPUBLISHED: Final[tuple[PublicationState, ...]] = ("pending", "parked", "failing")
ATTEMPT_BUCKETS_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 120.0)


class PublisherMetrics:
    """One registry per process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._lists = Counter("medlist_publisher_lists", "Lists settled, by state.", ["state"], registry=self.registry)
        self._writes = Counter(
            "medlist_publisher_writes", "Writes carried out, by kind.", ["kind"], registry=self.registry
        )
        self._attempts = Counter(
            "medlist_publisher_attempts", "Attempts ended, by how.", ["state"], registry=self.registry
        )
        self._skipped = Counter(
            "medlist_publisher_unchanged", "Lists that ask for what was there already.", registry=self.registry
        )
        self._replaced = Counter("medlist_publisher_replaced", "Lists replaced by a newer one.", registry=self.registry)
        self._seconds = Histogram(
            "medlist_publisher_attempt_seconds",
            "One attempt, from its first request to its last answer.",
            buckets=ATTEMPT_BUCKETS_SECONDS,
            registry=self.registry,
        )
        self._waiting = Gauge("medlist_publisher_waiting", "Patients whose list waits.", registry=self.registry)
        self._patients = Gauge(
            "medlist_publisher_patients",
            "Patients whose newest list is not published, by how they stand now; the partitions of this process.",
            ["state"],
            registry=self.registry,
        )
        self.stand({})
        self._lag = Gauge("medlist_publisher_lag_records", "Lists not yet taken.", registry=self.registry)
        self._breaker = Gauge(
            "medlist_publisher_endpoint_open", "1 while the endpoint is asked.", registry=self.registry
        )

    def settled(self, state: PublicationState) -> None:
        """A list is done with."""
        self._lists.labels(state=state).inc()

    def attempted(self, state: str, operations: tuple[Done, ...], seconds: float) -> None:
        """An attempt ended."""
        self._attempts.labels(state=state).inc()
        self._seconds.observe(seconds)
        for one in operations:
            self._writes.labels(kind=one.kind).inc()

    def unchanged(self) -> None:
        """A list needed no request."""
        self._skipped.inc()

    def replaced(self) -> None:
        """A waiting list gave way to a newer one."""
        self._replaced.inc()

    def stand(self, unpublished: Mapping[PublicationState, int]) -> None:
        """How many patients are in each state but ``published`` now; none where it says nothing."""
        for state in UNPUBLISHED:
            self._patients.labels(state=state).set(unpublished.get(state, 0))

    def looked(self, waiting: int, lag: int, *, asking: bool) -> None:
        """How it stands now."""
        self._waiting.set(waiting)
        self._lag.set(lag)
        self._breaker.set(1 if asking else 0)
