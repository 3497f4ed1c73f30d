"""The intake's figures for Prometheus. Labels are sources and codes of ours, never anything of a message."""

from collections import Counter as Tally
from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from contracts.problems import PROBLEM_CODES
from contracts.quarantine import outcome_of
from streams.topology.intake.interpreting import Interpreted
from streams.topology.intake.standing import Here, Standing

ROUND_BUCKETS_SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
BATCH_BUCKETS_MESSAGES = (1, 2, 5, 10, 25, 50, 100, 250, 500)


class IntakeMetrics:
    """All figures of one intake, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._messages = self._counter("messages", "Messages delivered, by what became of them.", "system", "outcome")
        self._facts = self._counter("facts", "Facts delivered.", "system")
        self._records = self._counter("fact_records", "Records of packed facts delivered.")
        self._problems = self._counter("problems", "Problems of messages, by code.", "system", "problem")
        self._round = Histogram(
            "medlist_intake_round_seconds",
            "From taking messages to their commit.",
            buckets=ROUND_BUCKETS_SECONDS,
            registry=self.registry,
        )
        self._batch = Histogram(
            "medlist_intake_batch_messages",
            "Messages taken at once.",
            buckets=BATCH_BUCKETS_MESSAGES,
            registry=self.registry,
        )
        self._lag = Gauge("medlist_intake_lag_records", "Records not yet done.", registry=self.registry)
        self._behind = Gauge(
            "medlist_intake_behind_seconds", "No message has been waiting for longer.", registry=self.registry
        )

    def settled(self, system: str, messages: Sequence[Interpreted]) -> None:
        """Messages of one source are delivered with all that they became."""
        outcomes = Tally(outcome_of(len(message.facts), len(message.problems)) for message in messages)
        for outcome, count in outcomes.items():
            self._messages.labels(system=system, outcome=outcome).inc(count)
        self._facts.labels(system=system).inc(sum(len(message.facts) for message in messages))
        codes = Tally(problem.code for message in messages for problem in message.problems)
        for code, count in codes.items():
            self._problems.labels(system=system, problem=code if code in PROBLEM_CODES else "other").inc(count)

    def round_done(self, messages: int, records: int, seconds: float) -> None:
        """A batch was taken, delivered and committed."""
        self._batch.observe(messages)
        self._records.inc(records)
        self._round.observe(seconds)

    def looked(self, standings: dict[Here, Standing]) -> None:
        """The watchdog looked."""
        self._lag.set(sum(standing.lag for standing in standings.values()))
        self._behind.set(max((standing.behind_seconds for standing in standings.values()), default=0.0))

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"medlist_intake_{name}", text, labelnames=labels, registry=self.registry)
