"""Sending records and knowing that they arrived."""

import time
from collections.abc import Sequence
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from connectors.kafka.clients import producer_config
from connectors.settings import Settings
from streams.topology.intake.problems import IntakeCode, IntakeError

QUEUE_FULL_WAIT_SECONDS = 0.05

Headers = Sequence[tuple[str, bytes]]


class Outbox:
    """Queues records and waits until every one of them is acknowledged. For one thread.

    Raises `IntakeError` (`SEND_FAILED`) as soon as one delivery is known to have failed; then it is of no more use.
    """

    def __init__(self, settings: Settings, delivery_seconds: float) -> None:
        # Only failures are called back, since `flush` counts what is under way; this halves the cost of a record.
        self._producer = Producer(producer_config(settings) | {"delivery.report.only.error": True})
        self._delivery_seconds = delivery_seconds
        self._failure: str | None = None

    def put(self, topic: str, value: bytes, headers: Headers, *, key: bytes | None = None, partition: int = -1) -> None:
        """Queue one record, waiting for room where needed. Partition -1: chosen by the key."""
        deadline = time.monotonic() + self._delivery_seconds
        while True:
            try:
                self._producer.produce(
                    topic, value=value, key=key, partition=partition, headers=list(headers), on_delivery=self._delivered
                )
            except BufferError:
                self._producer.poll(QUEUE_FULL_WAIT_SECONDS)
                self._raise_failure()
                if time.monotonic() > deadline:
                    raise IntakeError(IntakeCode.SEND_FAILED, f"topic {topic}: no room for a record") from None
            except KafkaException as error:
                raise IntakeError(IntakeCode.SEND_FAILED, f"topic {topic}: {_name(error.args[0])}") from error
            else:
                return

    def settle(self) -> None:
        """Wait until everything that was put is acknowledged by the brokers."""
        left = self._producer.flush(self._delivery_seconds)
        self._raise_failure()
        if left:
            raise IntakeError(
                IntakeCode.SEND_FAILED, f"{left} records not acknowledged in {self._delivery_seconds:.0f} s"
            )

    def _delivered(self, error: KafkaError | None, message: Message) -> None:
        if error is not None and self._failure is None:
            self._failure = f"topic {message.topic()}: {_name(error)}"

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise IntakeError(IntakeCode.SEND_FAILED, self._failure)


def _name(error: Any) -> str:
    return error.name() if isinstance(error, KafkaError) else type(error).__name__
