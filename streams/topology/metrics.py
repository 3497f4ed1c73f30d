"""The engine's own figures for Prometheus. Labels are partition numbers and codes, never keys."""

import contextlib
from collections.abc import Mapping, Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from streams.topology.progress import Standing
from streams.topology.rows import Rows

COMMIT_BUCKETS_SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
DELAY_BUCKETS_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0, 3600.0)


class EngineMetrics:
    """All figures of one worker, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        registry = self.registry
        self._records = Counter("medlist_engine_records", "Records applied.", registry=registry)
        self._skipped = Counter(
            "medlist_engine_skipped", "Records not applied, by why.", labelnames=["why"], registry=registry
        )
        self._fold = Histogram(
            "medlist_engine_fold_seconds", "Applying one batch.", buckets=COMMIT_BUCKETS_SECONDS, registry=registry
        )
        self._commit = Histogram(
            "medlist_engine_commit_seconds",
            "Making one batch durable.",
            buckets=COMMIT_BUCKETS_SECONDS,
            registry=registry,
        )
        self._restored = Counter("medlist_engine_restored_partitions", "Partitions read back.", registry=registry)
        self._restore = Histogram(
            "medlist_engine_restore_seconds",
            "Taking an assignment over.",
            buckets=DELAY_BUCKETS_SECONDS,
            registry=registry,
        )
        self._stalls = Counter(
            "medlist_engine_stalls",
            "Looks that found input waiting and the position standing still since the look before.",
            labelnames=["partition"],
            registry=registry,
        )
        self._ticks = Counter("medlist_engine_ticks", "Partitions told the time.", registry=registry)
        self._position = self._gauge("position", "Next offset to apply, durable.")
        self._lag = self._gauge("lag_records", "Records not yet durable.")
        self._behind = self._gauge("behind_seconds", "How long input has been waiting without pause.")
        self._oldest = self._gauge("oldest_seconds", "Age of the oldest record that is not yet durable.")
        self._delay = Histogram(
            "medlist_engine_delay_seconds",
            "From the time of a record to when what it did was durable.",
            buckets=DELAY_BUCKETS_SECONDS,
            registry=registry,
        )
        self._state_rows = self._gauge(
            "state_rows",
            "State rows read back, and written since; one written again counts again until it is compacted and read back.",
        )
        self._state_bytes = self._gauge("state_bytes", "Keys and values of those rows.")
        self._conflicts = Counter(
            "medlist_engine_conflicts",
            "Conflicts on lists as they were sent, by the code of the finding.",
            labelnames=["finding"],
            registry=registry,
        )

    def applied(self, records: int, seconds: float) -> None:
        """A batch was folded."""
        self._records.inc(records)
        self._fold.observe(seconds)

    def skipped(self, why: str) -> None:
        """A record was not applied."""
        self._skipped.labels(why=why).inc()

    def committed(self, seconds: float) -> None:
        """A batch became durable."""
        self._commit.observe(seconds)

    def settled(self, partition: int, ages_seconds: Sequence[float], rows: Mapping[bytes, bytes | None]) -> None:
        """Records of these ages became durable, with these rows."""
        for age in ages_seconds:
            self._delay.observe(age)
        self._state_rows.labels(partition=str(partition)).inc(len(rows))
        self._state_bytes.labels(partition=str(partition)).inc(size_of(rows))

    def conflicted(self, conflicts: Mapping[str, int]) -> None:
        """Lists with conflicts are about to be sent."""
        for code, count in conflicts.items():
            self._conflicts.labels(finding=code).inc(count)

    def restored(self, partitions: int, seconds: float) -> None:
        """An assignment was taken over."""
        self._restored.inc(partitions)
        self._restore.observe(seconds)

    def read_back(self, partition: int, rows: Rows) -> None:
        """A partition's state was read back."""
        self._state_rows.labels(partition=str(partition)).set(rows.count)
        self._state_bytes.labels(partition=str(partition)).set(rows.size)

    def given_up(self, partition: int) -> None:
        """A partition's state is not held here any more."""
        for gauge in (self._state_rows, self._state_bytes):
            with contextlib.suppress(KeyError):
                gauge.remove(str(partition))

    def stalled(self, partition: int) -> None:
        """Input waits and the position stood still since the last look."""
        self._stalls.labels(partition=str(partition)).inc()

    def ticked(self) -> None:
        """A partition was told the time."""
        self._ticks.inc()

    def progress(self, standing: Standing, oldest_seconds: float) -> None:
        """Where a partition stands."""
        label = str(standing.partition)
        self._position.labels(partition=label).set(standing.position)
        self._lag.labels(partition=label).set(standing.lag)
        self._behind.labels(partition=label).set(standing.behind_seconds)
        self._oldest.labels(partition=label).set(oldest_seconds)

    def forget(self, partition: int) -> None:
        """A partition is not ours any more: another worker speaks for it."""
        for gauge in (self._position, self._lag, self._behind, self._oldest):
            gauge.remove(str(partition))

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(f"medlist_engine_{name}", text, labelnames=["partition"], registry=self.registry)


def size_of(rows: Mapping[bytes, bytes | None]) -> int:
    """Bytes of keys and values."""
    return sum(len(key) + len(value or b"") for key, value in rows.items())
