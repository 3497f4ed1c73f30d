"""A vendor: sends prescriptions and changes of them, late, out of order and twice; remembers what the broker accepted."""

import random
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from confluent_kafka import KafkaException, Producer

from contracts.quarantine import MESSAGE_ID_HEADER
from tests.system.medlist import PARTITIONS, Medlist
from tests.system.messages import HOSPITAL_TOPIC, dosage_text, prescription

AGAIN = 0.1
"""The share of messages that are an earlier one, sent once more."""

NEW_ORDER = 0.3
SWAPPED = 0.2
"""The share of changes that overtake the change before them."""

FLUSH_SECONDS = 120.0


class Sent(msgspec.Struct, frozen=True):
    """One statement: version of an order of a patient, and its bytes."""

    person: int
    order: str
    version: int
    value: bytes

    @property
    def name(self) -> str:
        """The vendor's message id."""
        return f"{self.order}-{self.version}"

    @property
    def text(self) -> str:
        """The dosage that it states."""
        return dosage_text(self.version)


class Vendor:
    """Sends at a steady rate from a thread of its own, until told to stop."""

    def __init__(self, medlist: Medlist, seed: int, per_second: float) -> None:
        self._medlist = medlist
        self._random = random.Random(seed)
        self._per_second = per_second
        self._topic = medlist.settings.topic(HOSPITAL_TOPIC)
        self._begun_at = datetime.now(UTC) - timedelta(days=1)
        self._orders: list[tuple[int, str, int]] = []
        self._held: list[Sent] = []
        self._stop = threading.Event()
        self._pause = threading.Event()
        self._thread = threading.Thread(target=self._run, name="vendor")
        self.failure: BaseException | None = None
        self.accepted: dict[str, Sent] = {}
        """Message id -> what the broker acknowledged."""
        self.messages = 0
        self.unacknowledged = 0

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Send what was held back, and wait until the broker has acknowledged everything."""
        self._stop.set()
        self._thread.join()
        if self.failure is not None:
            raise self.failure

    def _run(self) -> None:
        try:
            producer = self._producer()
            begun = time.monotonic()
            while not self._stop.is_set():
                self._send(producer, self._next())
                producer.poll(0)
                self._stop.wait(max(begun + self.messages / self._per_second - time.monotonic(), 0))
            for held in self._held:
                self._send(producer, held)
            self.unacknowledged = producer.flush(FLUSH_SECONDS)
        except (KafkaException, BufferError) as failure:
            self.failure = failure

    def _producer(self) -> Producer:
        return Producer(
            self._medlist.settings.kafka_client()
            | {
                "enable.idempotence": True,
                "acks": "all",
                "linger.ms": 5,
                "log_level": 0,
                "delivery.timeout.ms": 120_000,
            }
        )

    def _next(self) -> Sent:
        if self.accepted and self._random.random() < AGAIN:
            return self._random.choice(list(self.accepted.values()))
        if self._held and self._random.random() < SWAPPED:
            return self._held.pop(0)
        if not self._orders or self._random.random() < NEW_ORDER:
            number = len(self._orders)
            self._orders.append((number, f"F{number}", 0))
            return self._statement(number)
        number = self._random.randrange(len(self._orders))
        person, order, version = self._orders[number]
        self._orders[number] = (person, order, version + 1)
        statement = self._statement(number)
        if self._random.random() < SWAPPED:
            self._held.append(statement)
            return self._next()
        return statement

    def _statement(self, number: int) -> Sent:
        person, order, version = self._orders[number]
        at = self._begun_at + timedelta(minutes=version)
        return Sent(person, order, version, prescription(person, order, at, version))

    def _send(self, producer: Producer, sent: Sent) -> None:
        def acknowledged(error: Any, _message: Any) -> None:
            if error is None:
                self.accepted[sent.name] = sent

        headers: list[tuple[str, str | bytes | None]] = [(MESSAGE_ID_HEADER, sent.name.encode())]
        producer.produce(
            self._topic,
            sent.value,
            headers=headers,
            partition=self._random.randrange(PARTITIONS),
            on_delivery=acknowledged,
        )
        self.messages += 1
