"""The whole path as a bare loop: `python -m tests.benchmarks._bare_path KIND MESSAGES`, settings as for `medlist run`.

KIND `intake` makes facts and answers of all messages that are there; `path` makes state and lists of them too, in the same
process: nothing between the two but a function call. The readers, the packing and the core are the real ones; there is no
group, no health, no metrics. Prints how long it took (`Took`, with messages as records), and ends.

Guarantees: `intake` commits offsets after the broker has acknowledged everything; `path` writes facts, rows, lists, changes,
answers and offsets in one transaction per batch.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import msgspec
from confluent_kafka import OFFSET_BEGINNING, Consumer, Message, Producer, TopicPartition

from connectors.kafka.clients import consumer_config, producer_config
from connectors.pseudonym import pseudonymiser
from connectors.settings import load_settings
from connectors.telemetry import configure
from contracts.quarantine import Place, encode_record
from contracts.topics import FACT, STATE
from mappings.sources.readers import READERS
from streams.command.composition import Composition
from streams.topology.core import Send
from streams.topology.intake.answering import answer
from streams.topology.intake.interpreting import Edge, Interpreted, interpret
from streams.topology.intake.limits import IntakeLimits
from streams.topology.intake.loop import BATCH_HEADERS, received_of
from streams.topology.intake.packing import pack
from streams.topology.intake.routes import routes
from streams.topology.writer import produce_one
from tests.benchmarks._engine_process import Took

TIMEOUT_SECONDS = 60.0
END_SECONDS = 30.0


class BarePath:
    """The clients and the pure parts, put together without anything around them."""

    def __init__(self, *, transactional: bool) -> None:
        self._composition = Composition(settings=load_settings(os.environ))
        settings = self._settings = self._composition.settings
        limits = IntakeLimits()
        self._edge = Edge(pseudonym=pseudonymiser(settings.pseudonym_secret()), trust_received_at=False, limits=limits)
        self._routes = routes(self._composition.sources, READERS, settings.topic)
        self._make = self._composition.core_factory()
        self._cores = {number: self._make(number) for number in range(settings.partitions)}
        self._consumer = Consumer(consumer_config(settings, f"{settings.intake_group}-bare"))
        own = {"transactional.id": f"{settings.intake_group}-bare"} if transactional else {}
        self._producer = Producer(producer_config(settings) | {"delivery.report.only.error": True} | own)
        if transactional:
            self._producer.init_transactions(TIMEOUT_SECONDS)

    def assign(self) -> int:
        """Take all source topics from their beginning; how many messages there are."""
        places = [
            TopicPartition(topic, number, OFFSET_BEGINNING)
            for topic in self._routes
            for number in range(self._settings.partitions)
        ]
        count = sum(self._consumer.get_watermark_offsets(place, timeout=END_SECONDS)[1] for place in places)
        self._consumer.assign(places)
        return count

    def take(self, most: int) -> list[Message]:
        """What is there."""
        return [message for message in self._consumer.consume(most, 0.1) if message.error() is None]

    def intake(self, messages: Sequence[Message]) -> None:
        """Facts and answers, acknowledged; then the offsets."""
        self._packed(messages)
        if self._producer.flush(TIMEOUT_SECONDS):
            raise TimeoutError("not acknowledged")
        self._consumer.commit(offsets=self._consumer.position(self._consumer.assignment()), asynchronous=False)

    def path(self, messages: Sequence[Message]) -> None:
        """Everything that follows from the messages, in one transaction."""
        self._producer.begin_transaction()
        for partition, values in self._packed(messages).items():
            decision = self._cores[partition].apply(values)
            for key, value in decision.rows.items():
                self._put(Send(self._settings.topic(STATE), key, value), partition)
            for send in decision.sends:
                self._put(send, partition)
        self._producer.send_offsets_to_transaction(
            self._consumer.position(self._consumer.assignment()),
            self._consumer.consumer_group_metadata(),
            TIMEOUT_SECONDS,
        )
        self._producer.commit_transaction(TIMEOUT_SECONDS)

    def close(self) -> None:
        """Stop."""
        self._consumer.close()

    def _packed(self, messages: Sequence[Message]) -> dict[int, list[bytes]]:
        now = datetime.now(UTC)
        read = [self._interpreted(message, now) for message in messages]
        facts = [fact for _, message in read for fact in message.facts]
        packed = pack(facts, self._settings.partitions, self._edge.limits)
        for partition, values in packed.items():
            for value in values:
                self._put(Send(self._settings.topic(FACT), None, value, BATCH_HEADERS), partition)
        for topic, message in read:
            route = self._routes[topic]
            told = encode_record(answer(message, route.source.id, self._edge.limits))
            self._put(Send(route.answers, None, told), 0)
        return packed

    def _interpreted(self, message: Message, now: datetime) -> tuple[str, Interpreted]:
        topic = message.topic() or ""
        place = Place(topic=topic, partition=message.partition() or 0, offset=message.offset() or 0)
        found = interpret(received_of(message, place, now), self._routes[topic], self._edge)
        if found.problems:
            raise ValueError(f"a message of the benchmark is refused: {found.problems[0]}")
        return topic, found

    def _put(self, send: Send, partition: int) -> None:
        produce_one(self._producer, send, partition, None)


def run(kind: str, batch_messages: int) -> Took:
    """Through everything that is there."""
    bare = BarePath(transactional=kind == "path")
    work: Callable[[Sequence[Message]], None] = bare.path if kind == "path" else bare.intake
    count = left = bare.assign()
    started, cpu = 0.0, time.process_time()
    while left:
        messages = bare.take(batch_messages)
        started = started or time.monotonic()
        if messages:
            work(messages)
            left -= len(messages)
    took = Took(time.monotonic() - started, time.process_time() - cpu, count)
    bare.close()
    return took


def main() -> int:
    """Run one kind."""
    kind, batch_messages = sys.argv[1:]
    configure("warning")
    print(json.dumps(msgspec.to_builtins(run(kind, int(batch_messages)))), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
