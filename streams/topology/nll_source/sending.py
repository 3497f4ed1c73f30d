"""What was read, onto the input topic; how far, onto the watermark topic: first the one, acknowledged, then the other."""

from typing import Final
from uuid import uuid5

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from connectors.kafka.clients import producer_config
from connectors.settings import Settings
from contracts.fact import NAMESPACE
from contracts.nll_watermark import NllWatermark, encode_watermark
from contracts.quarantine import MESSAGE_ID_HEADER
from contracts.topics import NLL_WATERMARK
from streams.topology.nll_source.messages import Outgoing
from streams.topology.nll_source.problems import NllSourceCode, NllSourceError
from streams.topology.nll_source.roster import Patient

_QUEUE_FULL_SECONDS: Final = 0.05
_CONTENT_TYPE: Final = ("content-type", b"application/fhir+json")
_Headers = tuple[tuple[str, bytes], ...]


class Sender:
    """For one thread. Raises ``NllSourceError`` when something is not acknowledged."""

    def __init__(self, settings: Settings, input_topic: str, delivery_seconds: float) -> None:
        self._producer = Producer(producer_config(settings) | {"delivery.report.only.error": True})
        self._input = settings.topic(input_topic)
        self._watermarks = settings.topic(NLL_WATERMARK)
        self._delivery_seconds = delivery_seconds
        self._failure: str | None = None

    def pass_on(self, patient: Patient, message: Outgoing) -> None:
        """Queue a message; its id is the same however often it is sent."""
        name = str(uuid5(NAMESPACE, f"nll|{message.name}|{message.version}"))
        headers = (_CONTENT_TYPE, (MESSAGE_ID_HEADER, name.encode()))
        self._put(self._input, patient.pseudonym, patient.partition, message.value, headers)

    def mark(self, watermark: NllWatermark, partition: int) -> None:
        """Queue how far was read."""
        self._put(self._watermarks, watermark.patient, partition, encode_watermark(watermark))

    def forget(self, pseudonym: str, partition: int) -> None:
        """Queue that nothing is to be known of a patient any more."""
        self._put(self._watermarks, pseudonym, partition, None)

    def settle(self) -> None:
        """Wait until everything that was queued is acknowledged."""
        left = self._producer.flush(self._delivery_seconds)
        if self._failure is not None or left:
            raise NllSourceError(NllSourceCode.SEND_FAILED, self._failure or f"{left} records not acknowledged")

    def _put(self, topic: str, pseudonym: str, partition: int, value: bytes | None, headers: _Headers = ()) -> None:
        key = pseudonym.encode()
        for _ in range(int(self._delivery_seconds / _QUEUE_FULL_SECONDS)):
            try:
                self._producer.produce(
                    topic, value=value, key=key, partition=partition, headers=list(headers), on_delivery=self._told
                )
            except BufferError:
                self._producer.poll(_QUEUE_FULL_SECONDS)
            except KafkaException as error:
                raise NllSourceError(NllSourceCode.SEND_FAILED, f"topic {topic}") from error
            else:
                return
        raise NllSourceError(NllSourceCode.SEND_FAILED, f"topic {topic}: no room for a record")

    def _told(self, error: KafkaError | None, _message: Message) -> None:
        if error is not None and self._failure is None:
            self._failure = error.name()
