"""The intake's loop around facts without medicine: `python -m tests.benchmarks._packing_process KAFKA PREFIX`, until stopped.

Reads single facts from `PREFIXin` as a member of a group, packs them with the intake's own `pack`, sends them to `PREFIXfact`
with its own `Outbox`, and commits with its own `SourceConsumer`, under its limits and in its order (`intake.loop`). What it
leaves out is what only a vendor's message has: reading and checking it, and the answer to its sender; no peer does these.
"""

import signal
import sys
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec
from confluent_kafka import Message

from connectors.settings import Settings
from connectors.telemetry import configure
from streams.topology.intake.consuming import SourceConsumer, here_of, offset_of
from streams.topology.intake.interpreting import EncodedFact
from streams.topology.intake.limits import IntakeLimits
from streams.topology.intake.loop import BATCH_HEADERS
from streams.topology.intake.packing import pack
from streams.topology.intake.sending import Outbox
from streams.topology.intake.standing import Here, Standings
from tests.benchmarks._engine_process import PARTITIONS


class Named(msgspec.Struct):
    """What the packing needs to know of a fact."""

    patient: str
    fact_key: str
    version: int


_decode = msgspec.json.Decoder(Named).decode


class Packing:
    """Takes what waits, packs it, sends it, and commits once it is acknowledged."""

    def __init__(self, kafka: str, prefix: str) -> None:
        self._limits = IntakeLimits()
        settings = Settings(kafka=kafka, intake_group=group_of(prefix))
        self._source, self._target = f"{prefix}in", f"{prefix}fact"
        self._consumer = SourceConsumer(settings, self._limits, Standings())
        self._outbox = Outbox(settings, self._limits.delivery_seconds)
        self._under_way: dict[Here, int] = {}
        self._count = 0
        self._since = 0.0

    def run(self, stop: threading.Event) -> None:
        """Go on until `stop`."""
        self._consumer.subscribe([self._source], [self._target], self._settle)
        while not stop.is_set():
            wait = self._limits.settle_soon_seconds if self._under_way else self._limits.idle_seconds
            messages = self._consumer.take(wait)
            if not messages or self._is_much_under_way():
                self._settle()
            if messages:
                self._send(messages)
        self._settle()
        self._consumer.close()

    def _send(self, messages: Sequence[Message]) -> None:
        now = datetime.now(UTC)
        facts: list[EncodedFact] = []
        for message in messages:
            value = message.value() or b""
            named = _decode(value)
            facts.append(EncodedFact(f"{named.patient}|{named.fact_key}|{named.version}", (named.patient,), now, value))
            self._under_way[here_of(message)] = offset_of(message) + 1
        self._since = self._since or time.monotonic()
        self._count += len(messages)
        for partition, records in pack(facts, PARTITIONS, self._limits).items():
            for record in records:
                self._outbox.put(self._target, record, BATCH_HEADERS, partition=partition)

    def _is_much_under_way(self) -> bool:
        return self._count >= self._limits.under_way_messages or (
            self._count > 0 and time.monotonic() - self._since >= self._limits.under_way_seconds
        )

    def _settle(self) -> None:
        self._outbox.settle()
        if self._under_way:
            self._consumer.commit(self._under_way)
        self._under_way, self._count, self._since = {}, 0, 0.0


def group_of(prefix: str) -> str:
    """The group that it reads in."""
    return f"{prefix}packing"


def main() -> int:
    """Run until SIGTERM."""
    kafka, prefix = sys.argv[1:]
    configure()
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda _number, _frame: stop.set())
    Packing(kafka, prefix).run(stop)
    return 0


if __name__ == "__main__":
    sys.exit(main())
