"""Telling how patients stand: publications, onto the publish topic, acknowledged before anything is committed."""

from typing import Final

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from connectors.kafka.clients import producer_config
from connectors.settings import Settings
from contracts.publication import Publication, encode_publication
from streams.topology.publisher.problems import PublisherCode, PublisherError

_QUEUE_FULL_SECONDS: Final = 0.05
_HEADERS: Final[list[tuple[str, str | bytes | None]]] = [("content-type", b"application/json")]


class Teller:
    """Queues records and waits for their acknowledgement. For one thread. Raises ``PublisherError`` when one failed."""

    def __init__(self, settings: Settings, topic: str, delivery_seconds: float) -> None:
        self._producer = Producer(producer_config(settings) | {"delivery.report.only.error": True})
        self._topic = topic
        self._delivery_seconds = delivery_seconds
        self._failure: str | None = None
        self._pending = False

    def tell(self, publication: Publication, partition: int) -> None:
        """Queue a patient's publication for the partition that the patient has in every topic of ours."""
        self._put(publication.patient, encode_publication(publication), partition)

    def erase(self, patient: str, partition: int) -> None:
        """Queue the removal of a patient's publication."""
        self._put(patient, None, partition)

    def settle(self) -> None:
        """Wait until everything that was queued is acknowledged."""
        if not self._pending:
            return
        left = self._producer.flush(self._delivery_seconds)
        if self._failure is not None:
            raise PublisherError(PublisherCode.SEND_FAILED, f"topic {self._topic}: {self._failure}")
        if left:
            raise PublisherError(PublisherCode.SEND_FAILED, f"topic {self._topic}: {left} records not acknowledged")
        self._pending = False

    def _put(self, patient: str, value: bytes | None, partition: int) -> None:
        self._pending = True
        for _ in range(int(self._delivery_seconds / _QUEUE_FULL_SECONDS)):
            try:
                self._producer.produce(
                    self._topic,
                    value=value,
                    key=patient.encode(),
                    partition=partition,
                    headers=_HEADERS,
                    on_delivery=self._delivered,
                )
            except BufferError:
                self._producer.poll(_QUEUE_FULL_SECONDS)
            except KafkaException as error:
                raise PublisherError(
                    PublisherCode.SEND_FAILED, f"topic {self._topic}: {_name(error.args[0])}"
                ) from error
            else:
                return
        raise PublisherError(PublisherCode.SEND_FAILED, f"topic {self._topic}: no room for a record")

    def _delivered(self, error: KafkaError | None, _message: Message) -> None:
        if error is not None and self._failure is None:
            self._failure = error.name()


def _name(error: object) -> str:
    return error.name() if isinstance(error, KafkaError) else type(error).__name__
