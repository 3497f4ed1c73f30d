"""The engine's own figures for Prometheus. Labels are partition numbers and codes, never keys."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

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
        self._position = Gauge(
            "medlist_engine_position", "Next offset to apply, durable.", labelnames=["partition"], registry=registry
        )
        self._lag = Gauge(
            "medlist_engine_lag_records", "Records not yet durable.", labelnames=["partition"], registry=registry
        )
        self._behind = Gauge(
            "medlist_engine_behind_seconds",
            "How long input has been waiting without pause.",
            labelnames=["partition"],
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

    def restored(self, partitions: int, seconds: float) -> None:
        """An assignment was taken over."""
        self._restored.inc(partitions)
        self._restore.observe(seconds)

    def stalled(self, partition: int) -> None:
        """Input waits and the position stood still since the last look."""
        self._stalls.labels(partition=str(partition)).inc()

    def ticked(self) -> None:
        """A partition was told the time."""
        self._ticks.inc()

    def progress(self, partition: int, position: int, lag: int, behind_seconds: float) -> None:
        """Where a partition stands."""
        label = str(partition)
        self._position.labels(partition=label).set(position)
        self._lag.labels(partition=label).set(lag)
        self._behind.labels(partition=label).set(behind_seconds)

    def forget(self, partition: int) -> None:
        """A partition is not ours any more: another worker speaks for it."""
        for gauge in (self._position, self._lag, self._behind):
            gauge.remove(str(partition))
