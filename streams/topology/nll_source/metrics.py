"""Figures of reading NLL for Prometheus. No label can name a patient."""

from prometheus_client import CollectorRegistry, Counter, Gauge


class NllSourceMetrics:
    """One registry per process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._looks = Counter("medlist_nll_looks", "Looks at patients, by what came.", ["came"], registry=self.registry)
        self._passed = Counter(
            "medlist_nll_passed_on", "Versions passed on, by resource.", ["resource"], registry=self.registry
        )
        self._echoes = Counter("medlist_nll_echoes", "Versions that are our own writes.", registry=self.registry)
        self._patients = Gauge("medlist_nll_patients", "Patients that are looked for.", registry=self.registry)
        self._lag = Gauge("medlist_nll_lag_records", "Lists not yet taken.", registry=self.registry)
        self._overdue = Gauge("medlist_nll_overdue_seconds", "How late the latest look is.", registry=self.registry)

    def looked(self, came: str) -> None:
        """A look ended: ``changed``, ``unchanged``, ``unknown`` there, or ``failed``."""
        self._looks.labels(came=came).inc()

    def passed(self, kinds: list[str], echoes: int) -> None:
        """Versions of these kinds of resources were passed on, and so many were our own."""
        for kind in kinds:
            self._passed.labels(resource=kind).inc()
        self._echoes.inc(echoes)

    def stands(self, patients: int, overdue_seconds: float, lag: int) -> None:
        """How it stands now."""
        self._patients.set(patients)
        self._overdue.set(overdue_seconds)
        self._lag.set(lag)
