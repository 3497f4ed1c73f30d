"""A worker for delivery tests: a core that is not idempotent, so that a record lost or applied twice shows.

Started as a process: `python counter_worker.py SETTINGS_JSON [FAULT...]`. Each fault takes out one part of the engine, or
makes the core fail, and so proves that the tests can fail.
"""

import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import msgspec
from aiokafka import codec
from faust.transport.drivers.aiokafka import Consumer

from connectors.settings import Settings
from connectors.telemetry import configure
from streams.topology import app, flow
from streams.topology.contiguity import Place, place
from streams.topology.core import Decision, Send
from streams.topology.settings import EngineSettings, Isolation
from streams.worker import run_reconciler

TICK_KEY = b"tick"
DUE = datetime(2026, 1, 1, tzinfo=UTC)


class Plan(msgspec.Struct, kw_only=True):
    """What the test asks of this worker."""

    kafka: str
    group: str
    fact_topic: str
    state_topic: str
    instance: str | None = None
    isolation: Isolation = "transactions"
    watchdog_seconds: float = 60.0
    out_topic: str | None = None
    fail_every: int = 0
    """The core raises at every so many records, each time once per process."""
    slow_seconds: float = 0.0
    ticks: int = 0
    """How many ticks each partition wants to be told, all of them due at once."""
    faults: tuple[str, ...] = ()


class Counter:
    """Appends each record `key:number` to the row of its key: a second application shows as a second number."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._rows: dict[bytes, list[int]] = {}
        self._applied = 0

    def load(self, rows: Mapping[bytes, bytes]) -> None:
        """Take over the stored rows."""
        self._rows = {key: msgspec.json.decode(value, type=list[int]) for key, value in rows.items()}

    def apply(self, records: Sequence[bytes]) -> Decision:
        """Append; raises before anything has changed when the plan asks for it."""
        self._applied += len(records)
        if self._plan.fail_every and self._applied > self._plan.fail_every:
            raise RuntimeError("the core fails as planned")
        time.sleep(self._plan.slow_seconds * len(records))
        touched: dict[bytes, bytes | None] = {}
        sends = []
        for record in records:
            key, number = record.split(b":")
            numbers = self._rows.setdefault(key, [])
            numbers.append(int(number))
            touched[key] = b""
            if self._plan.out_topic:
                sends.append(Send(topic=self._plan.out_topic, key=key, value=number))
        return Decision(rows={key: msgspec.json.encode(self._rows[key]) for key in touched}, sends=sends)

    def next_wake(self) -> datetime | None:
        """Due until the plan's number of ticks has been applied."""
        return DUE if len(self._rows.get(TICK_KEY, [])) < self._plan.ticks else None


def no_gap_check(offset: int, expected: int, *, stale: bool) -> Place:
    """The contiguity check with its teeth out: what lies beyond a gap is applied as well."""
    found = place(offset, expected, stale=stale)
    return Place.NEXT if found is Place.GAP else found


def engine_settings(plan: Plan) -> EngineSettings:
    """The engine's settings for the plan."""
    connection = Settings(kafka=plan.kafka, instance_id=plan.instance, watchdog_seconds=plan.watchdog_seconds)
    return EngineSettings(
        connection=connection,
        group=plan.group,
        fact_topic=plan.fact_topic,
        state_topic=plan.state_topic,
        isolation=plan.isolation,
    )


def tick(at: datetime) -> bytes:
    """The record that tells a partition the time; the counter does not care which."""
    return TICK_KEY + b":%d" % at.year


def main() -> None:
    """Run the worker that the plan describes."""
    plan = msgspec.json.decode(sys.argv[1], type=Plan)
    configure()
    if "stock-seek" in plan.faults:
        setattr(app, "positioned_consumer", lambda _ownership, _topic: Consumer)  # noqa: B010 -- not exported, mypy knows
    if "no-gap-check" in plan.faults:
        setattr(flow, "place", no_gap_check)  # noqa: B010 -- the same
    if "no-codec" in plan.faults:
        codec.has_lz4 = lambda: False
    sys.exit(run_reconciler(engine_settings(plan), lambda _number: Counter(plan), tick))


if __name__ == "__main__":
    main()
