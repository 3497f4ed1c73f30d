"""The listing's figures for Prometheus. No label can name a patient."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

BUCKETS_BYTES = (2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000)


class ListingMetrics:
    """One registry per process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._stored = Counter("medlist_listing_bundles", "Bundles stored.", registry=self.registry)
        self._passed = Counter("medlist_listing_replaced", "Lists replaced by a newer one.", registry=self.registry)
        self._bytes = Histogram(
            "medlist_listing_bundle_bytes", "Size of a Bundle.", buckets=BUCKETS_BYTES, registry=self.registry
        )
        self._checked = Counter(
            "medlist_listing_checked",
            "Bundles that another FHIR implementation read too, by its verdict.",
            ["verdict"],
            registry=self.registry,
        )
        self._lag = Gauge("medlist_listing_lag_records", "Lists not yet taken.", registry=self.registry)

    def stored(self, sizes: list[int], taken: int) -> None:
        """A batch was stored: the sizes of its Bundles, of how many lists."""
        self._stored.inc(len(sizes))
        self._passed.inc(taken - len(sizes))
        for size in sizes:
            self._bytes.observe(size)

    def checked(self, *, good: bool) -> None:
        """A Bundle was read by another implementation."""
        self._checked.labels(verdict="good" if good else "suspicious").inc()

    def looked(self, lag: int) -> None:
        """How it stands now."""
        self._lag.set(lag)
