"""Putting quarantined messages back on their topics, once the mapping, the source or the message's fault is repaired."""

import time
from collections.abc import Collection, Iterator, Mapping

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, Message, TopicPartition

from connectors.kafka.clients import END_OF_PARTITION, reader_config
from connectors.pseudonym import partition_of
from connectors.settings import Settings
from contracts.quarantine import RECEIVED_AT_HEADER, REPLAY_OF_HEADER, Quarantined, decode_quarantined, joined
from contracts.topics import QUARANTINE
from streams.topology.intake.limits import IntakeLimits
from streams.topology.intake.problems import IntakeCode, IntakeError
from streams.topology.intake.sending import Outbox

FETCH_MESSAGES = 500
FETCH_SECONDS = 0.2


def replay_quarantine(
    settings: Settings, ids: Collection[str], limits: IntakeLimits | None = None
) -> Mapping[str, Quarantined]:
    """Put the originals of these quarantined messages back on their topics, and return them whole, by id.

    A message goes back byte for byte, with its key, to its partition; added headers name the quarantine id and when it
    was first received (heeded only with `trust_received_at`). All ids are found before any message is sent: raises
    `IntakeError` that names those that are not. What is put back twice becomes the same facts twice, which is harmless.
    """
    limits = limits or IntakeLimits()
    parts: dict[str, list[Quarantined]] = {quarantined_id: [] for quarantined_id in ids}
    for record in _read(settings, parts, limits):
        parts[record.id].append(record)
    whole = _whole(parts)
    outbox = Outbox(settings, limits.delivery_seconds)
    for message in whole.values():
        outbox.put(
            message.place.topic,
            message.original,
            headers_of(message),
            key=message.key,
            partition=message.place.partition,
        )
    outbox.settle()
    return whole


def headers_of(message: Quarantined) -> list[tuple[str, bytes]]:
    """Return the headers of a message that goes back: its own, the quarantine id and the time of its first receipt."""
    own = [(name, value) for name, value in message.headers if name not in {REPLAY_OF_HEADER, RECEIVED_AT_HEADER}]
    received_at = message.received_at.isoformat().encode()
    return [*own, (REPLAY_OF_HEADER, message.id.encode()), (RECEIVED_AT_HEADER, received_at)]


def _whole(parts: Mapping[str, list[Quarantined]]) -> dict[str, Quarantined]:
    whole: dict[str, Quarantined] = {}
    missing: list[str] = []
    for quarantined_id, records in parts.items():
        try:
            whole[quarantined_id] = joined(records)
        except ValueError:
            missing.append(quarantined_id)
    if missing:
        raise IntakeError(
            IntakeCode.NOT_IN_QUARANTINE, f"not in quarantine, or not whole: {', '.join(sorted(missing))}"
        )
    return whole


def _read(settings: Settings, ids: Collection[str], limits: IntakeLimits) -> Iterator[Quarantined]:
    """Every record of these ids; each is the key of its records. What else stands in the quarantine is passed over."""
    topic = settings.topic(QUARANTINE)
    keys = {quarantined_id.encode() for quarantined_id in ids}
    partitions = {partition_of(quarantined_id, settings.partitions) for quarantined_id in ids}
    consumer = Consumer(reader_config(settings, "replay"))
    try:
        consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING) for partition in partitions])
        for message in _to_the_end(consumer, partitions, limits.request_seconds):
            if message.key() in keys:
                yield decode_quarantined(message.value() or b"")
    finally:
        consumer.close()


def _to_the_end(consumer: Consumer, partitions: Collection[int], quiet_seconds: float) -> Iterator[Message]:
    left = set(partitions)
    deadline = time.monotonic() + quiet_seconds
    while left:
        for message in consumer.consume(FETCH_MESSAGES, FETCH_SECONDS):
            deadline = time.monotonic() + quiet_seconds
            error = message.error()
            if error is None:
                yield message
            elif error.code() == END_OF_PARTITION:
                left.discard(message.partition())
            else:
                raise KafkaException(error)
        if time.monotonic() > deadline:
            raise IntakeError(IntakeCode.READ_FAILED, f"nothing to read and no end for {quiet_seconds:.0f} s")
