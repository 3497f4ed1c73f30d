"""A worker for delivery tests: a core that is not idempotent, so that a record lost or applied twice shows.

Started as a process: `python counter_worker.py SETTINGS_JSON [FAULT...]`. Each fault takes out one part of the engine
(`unprotected`), or makes the core fail, and so proves that the tests can fail.
"""

import asyncio
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import faust
import msgspec

from connectors.settings import Settings
from connectors.telemetry import configure
from streams.topology import app
from streams.topology.core import Decision, Send
from streams.topology.flow import RecordFlow
from streams.topology.settings import EngineLimits, EngineSettings, Isolation
from streams.topology.writer import TransactionalWriter
from streams.worker import run_reconciler
from tests.streams.topology.unprotected import REMOVALS

TICK_KEY = b"tick"
NO_TEXT = b"\xff"
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
    watch_seconds: float = 10.0
    out_topic: str | None = None
    fail_every: int = 0
    """The core raises at every so many records, each time once per process."""
    slow_seconds: float = 0.0
    fail_at: int | None = None
    """The core raises at this number, if `once` is not there."""
    fail_together_from: int | None = None
    """The core raises at the first batch of several records with a number from here on, if `once` is not there."""
    once: str = ""
    """A file that is made when what should happen once has happened."""
    large_bytes: int = 0
    """Every row is filled up to this size."""
    stuck_at: int | None = None
    """The flow hangs for ever at this offset of any partition."""
    hung_fence: bool = False
    """The client never answers when older owners are to be shut out."""
    ticks: int = 0
    """How many ticks each partition wants to be told, all of them due at once."""
    silent_seconds: float | None = None
    """After how long a member leaves its group that never asks for records."""
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
        if self._fails_once(records) and not Path(self._plan.once).exists():
            Path(self._plan.once).touch()
            raise RuntimeError("the core fails as planned, once")
        if self._plan.fail_every and self._applied > self._plan.fail_every:
            raise RuntimeError("the core fails as planned")
        time.sleep(self._plan.slow_seconds * len(records))
        touched: dict[bytes, bytes | None] = {}
        sends = []
        for record in records:
            key, number = record.split(b":")[0], number_of(record)
            numbers = self._rows.setdefault(key, [])
            numbers.append(number)
            touched[key] = b""
            if self._plan.out_topic:
                sends.append(Send(topic=self._plan.out_topic, key=key, value=b"%d" % number))
        return Decision(rows={key: self._row(key) for key in touched}, sends=sends)

    def _fails_once(self, records: Sequence[bytes]) -> bool:
        numbers = [number_of(record) for record in records]
        begin = self._plan.fail_together_from
        return self._plan.fail_at in numbers or (begin is not None and len(numbers) > 1 and max(numbers) >= begin)

    def _row(self, key: bytes) -> bytes:
        return msgspec.json.encode(self._rows[key]).ljust(self._plan.large_bytes)

    def next_wake(self) -> datetime | None:
        """Due until the plan's number of ticks has been applied."""
        return DUE if len(self._rows.get(TICK_KEY, [])) < self._plan.ticks else None


def number_of(record: bytes) -> int:
    """The number that a record carries; bytes that are no text may stand behind it."""
    return int(record.split(b":")[1].rstrip(NO_TEXT))


def hang_at(stuck_at: int) -> None:
    """Let the flow await something that never comes, when it gets to this offset."""

    async def take(flow: RecordFlow, number: int, offset: int, record: bytes, **told: Any) -> None:
        if offset >= stuck_at:
            await asyncio.Event().wait()
        await whole(flow, number, offset, record, **told)

    whole = RecordFlow.take
    setattr(RecordFlow, "take", take)  # noqa: B010 -- a stuck consumer is nothing that can be asked for


def hang_in_fence(hangs: Path) -> None:
    """Let the client never answer when older owners are to be shut out; the file is made when that has begun."""

    def fence(_writer: TransactionalWriter) -> None:
        hangs.touch()
        time.sleep(3600)

    setattr(TransactionalWriter, "fence", fence)  # noqa: B010 -- a client that hangs


def leave_when_silent_for(seconds: float) -> None:
    """Let faust's client leave its group when it was not asked for so long."""

    def create_app(settings: EngineSettings) -> faust.App:
        made = whole(settings)
        made.conf.broker_max_poll_interval = seconds
        return made

    whole = app.create_app
    setattr(app, "create_app", create_app)  # noqa: B010 -- a figure that nobody configures


def engine_settings(plan: Plan) -> EngineSettings:
    """The engine's settings for the plan."""
    connection = Settings(kafka=plan.kafka, instance_id=plan.instance, watchdog_seconds=plan.watchdog_seconds)
    return EngineSettings(
        connection=connection,
        group=plan.group,
        fact_topic=plan.fact_topic,
        state_topic=plan.state_topic,
        isolation=plan.isolation,
        limits=EngineLimits(watch_seconds=plan.watch_seconds, batch_records=100, pending_records=1000),
    )


def tick(at: datetime) -> bytes:
    """The record that tells a partition the time; the counter does not care which."""
    return TICK_KEY + b":%d" % at.year


def main() -> None:
    """Run the worker that the plan describes."""
    plan = msgspec.json.decode(sys.argv[1], type=Plan)
    configure()
    for fault in plan.faults:
        REMOVALS[fault](Path(plan.once))
    if plan.hung_fence:
        hang_in_fence(Path(plan.once))
    if plan.silent_seconds is not None:
        leave_when_silent_for(plan.silent_seconds)
    if plan.stuck_at is not None:
        hang_at(plan.stuck_at)
    sys.exit(run_reconciler(engine_settings(plan), lambda _number: Counter(plan), tick))


if __name__ == "__main__":
    main()
