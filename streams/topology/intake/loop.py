"""The loop: take, interpret, send, settle, commit.

Batches are sent as soon as they are interpreted, while earlier ones are still on their way; they are settled and committed
together, when nothing more is waiting, or when they have become many or old. So at low load nothing waits for a commit, and
in catch-up the commits are few.
"""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from confluent_kafka import Message

from connectors.pseudonym import partition_of
from connectors.settings import Settings
from contracts.envelope import CONTENT_TYPE_BATCH, CONTENT_TYPE_JSON
from contracts.quarantine import CODES_HEADER, Place, encode_record
from contracts.topics import FACT, QUARANTINE
from streams.topology.intake.answering import answer, quarantine
from streams.topology.intake.consuming import SourceConsumer, here_of, offset_of
from streams.topology.intake.interpreting import Edge, Interpreted, Received, interpret
from streams.topology.intake.metrics import IntakeMetrics
from streams.topology.intake.packing import pack
from streams.topology.intake.routes import Route
from streams.topology.intake.sending import Outbox
from streams.topology.intake.standing import Here

BATCH_HEADERS = (("content-type", CONTENT_TYPE_BATCH.encode()),)
JSON_HEADERS = (("content-type", CONTENT_TYPE_JSON.encode()),)

Clock = Callable[[], datetime]
"""Gives the time, with its zone."""


class _Batch(msgspec.Struct):
    """Messages taken together, interpreted, and the offsets to commit once they are settled."""

    messages: Mapping[str, Sequence[Interpreted]]
    offsets: Mapping[Here, int]
    taken_at: float
    records: int = 0

    @property
    def count(self) -> int:
        return sum(map(len, self.messages.values()))


class Loop:
    """Moves messages until told to stop. Raises `IntakeError`, and what a bug raises; then nothing more may be done with it."""

    def __init__(
        self,
        settings: Settings,
        routes: Mapping[str, Route],
        edge: Edge,
        consumer: SourceConsumer,
        metrics: IntakeMetrics,
    ) -> None:
        self._settings = settings
        self._routes = routes
        self._edge = edge
        self._limits = edge.limits
        self._consumer = consumer
        self._metrics = metrics
        self._outbox = Outbox(settings, edge.limits.delivery_seconds)
        self._fact_topic = settings.topic(FACT)
        self._quarantine_topic = settings.topic(QUARANTINE)
        self._under_way: list[_Batch] = []

    def begin(self) -> None:
        """Check that every topic is there, and join the group. Raises `IntakeError`."""
        answers = [route.answers for route in self._routes.values()]
        self._consumer.subscribe([*self._routes], [self._fact_topic, self._quarantine_topic, *answers], self._settle)

    def run(self, clock: Clock, stop: threading.Event) -> None:
        """Move messages until `stop` is set; then finish what was taken, commit, and leave the group."""
        while not stop.is_set():
            messages = self._consumer.take(
                self._limits.idle_seconds if not self._under_way else self._limits.settle_soon_seconds
            )
            batch = self._interpret(messages, clock()) if messages else None
            if batch is None or self._is_much_under_way():
                self._settle()
            if batch is not None:
                self._send(batch)
        self._settle()
        self._consumer.close()

    def _is_much_under_way(self) -> bool:
        if not self._under_way:
            return False
        age_seconds = time.monotonic() - self._under_way[0].taken_at
        count = sum(batch.count for batch in self._under_way)
        return count >= self._limits.under_way_messages or age_seconds >= self._limits.under_way_seconds

    def _interpret(self, messages: Sequence[Message], now: datetime) -> _Batch:
        started = time.monotonic()
        by_topic: dict[str, list[Interpreted]] = {}
        offsets: dict[Here, int] = {}
        for message in messages:
            here, offset = here_of(message), offset_of(message)
            received = received_of(message, Place(topic=here[0], partition=here[1], offset=offset), now)
            by_topic.setdefault(here[0], []).append(interpret(received, self._routes[here[0]], self._edge))
            offsets[here] = offset + 1
        self._consumer.took(offsets)
        return _Batch(messages=by_topic, offsets=offsets, taken_at=started)

    def _send(self, batch: _Batch) -> None:
        facts = [fact for messages in batch.messages.values() for message in messages for fact in message.facts]
        for partition, records in pack(facts, self._settings.partitions, self._limits).items():
            for value in records:
                self._outbox.put(self._fact_topic, value, BATCH_HEADERS, partition=partition)
            batch.records += len(records)
        for topic, messages in batch.messages.items():
            route = self._routes[topic]
            for message in messages:
                self._send_quarantine(message, route.source.id)
                self._send_answer(message, route)
        self._under_way.append(batch)

    def _send_quarantine(self, message: Interpreted, source: str) -> None:
        if not message.problems:
            return
        codes = ",".join(sorted({problem.code for problem in message.problems}))
        headers = (*JSON_HEADERS, ("medlist-source", source.encode()), (CODES_HEADER, codes.encode()))
        for record in quarantine(message, source, self._limits):
            partition = partition_of(record.id, self._settings.partitions)
            self._outbox.put(
                self._quarantine_topic, encode_record(record), headers, key=record.id.encode(), partition=partition
            )

    def _send_answer(self, message: Interpreted, route: Route) -> None:
        place = message.received.place
        value = encode_record(answer(message, route.source.id, self._limits))
        # The key keeps the answers of one partition in its order; it holds nothing of the message.
        self._outbox.put(route.answers, value, JSON_HEADERS, key=f"{place.topic}/{place.partition}".encode())

    def _settle(self) -> None:
        """Wait for everything that is under way, then commit it; also called before partitions go."""
        batches, self._under_way = self._under_way, []
        if not batches:
            self._consumer.commit_left()
            return
        self._outbox.settle()
        offsets: dict[Here, int] = {}
        for batch in batches:
            offsets |= batch.offsets
        self._consumer.commit(offsets)
        for batch in batches:
            for topic, messages in batch.messages.items():
                self._metrics.settled(self._routes[topic].source.id, messages)
            self._metrics.round_done(batch.count, batch.records, time.monotonic() - batch.taken_at)


def received_of(message: Message, place: Place, now: datetime) -> Received:
    """Return a consumed message as data; a header or value that is null counts as empty."""
    return Received(
        place=place,
        value=message.value() or b"",
        at=now,
        key=message.key(),
        headers=_pairs(message.headers()),
    )


def _pairs(headers: Any) -> tuple[tuple[str, bytes], ...]:
    """The client's headers, as they come from the wire: text and bytes, or nothing."""
    return tuple((name, value or b"") for name, value in headers or ())
