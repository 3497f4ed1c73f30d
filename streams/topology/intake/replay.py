"""Reading the quarantine, and putting its messages back once the mapping, the source or the message's fault is repaired."""

import time
from collections.abc import Collection, Iterator, Mapping

import msgspec
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, Message, TopicPartition

from connectors.kafka.clients import END_OF_PARTITION, reader_config
from connectors.pseudonym import partition_of
from connectors.settings import Settings
from contracts.quarantine import RECEIVED_AT_HEADER, REPLAY_OF_HEADER, Place, Quarantined, decode_quarantined, joined
from contracts.topics import QUARANTINE, own_topics
from streams.topology.intake.limits import IntakeLimits
from streams.topology.intake.problems import IntakeCode, IntakeError
from streams.topology.intake.sending import Outbox

FETCH_MESSAGES = 500
FETCH_SECONDS = 0.2


def read_quarantine(settings: Settings, limits: IntakeLimits | None = None) -> Iterator[Quarantined | Place]:
    """Yield every record of the quarantine; the order says nothing, and records of one message may come more than once.

    A record that is none of ours, written by a stranger, is yielded as the place where it stands. Raises `IntakeError` (`READ_FAILED`) when the end cannot be reached.
    """
    limits = limits or IntakeLimits()
    for message in _records(settings, range(settings.partitions), limits.request_seconds):
        try:
            yield decode_quarantined(message.value() or b"")
        except msgspec.DecodeError:
            yield Place(topic=message.topic() or "", partition=message.partition() or 0, offset=message.offset() or 0)


def replay_quarantine(
    settings: Settings, ids: Collection[str], limits: IntakeLimits | None = None
) -> Mapping[str, Quarantined]:
    """Put the originals of these quarantined messages back on their topics, and return them whole, by id.

    A message goes back byte for byte, with its key, to its partition; added headers name the quarantine id and when it
    was first received (heeded only with `trust_received_at`). All ids are found before any message is sent: raises
    `IntakeError` that names those that are not, or that stood on a topic of our own and not a vendor's. What is put back
    twice becomes the same facts twice, which is harmless.
    """
    limits = limits or IntakeLimits()
    parts: dict[str, list[Quarantined]] = {quarantined_id: [] for quarantined_id in ids}
    for record in _read(settings, parts, limits):
        parts[record.id].append(record)
    whole = _whole(parts)
    _require_vendors_own(settings, whole)
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


def _require_vendors_own(settings: Settings, whole: Mapping[str, Quarantined]) -> None:
    """What a stranger wrote to a topic of ours must never be written there again, and least of all by us."""
    specs = own_topics(settings.partitions)
    ours = {name for spec in specs for name in (spec.name, settings.topic(spec.name))}
    refused = sorted(name for name, message in whole.items() if message.place.topic in ours)
    if refused:
        raise IntakeError(IntakeCode.NOT_A_VENDORS, f"stood on a topic of medlist's own: {', '.join(refused)}")


def _read(settings: Settings, ids: Collection[str], limits: IntakeLimits) -> Iterator[Quarantined]:
    """Every record of these ids; each is the key of its records. What else stands in the quarantine is passed over."""
    keys = {quarantined_id.encode() for quarantined_id in ids}
    partitions = {partition_of(quarantined_id, settings.partitions) for quarantined_id in ids}
    for message in _records(settings, partitions, limits.request_seconds):
        if message.key() in keys:
            yield decode_quarantined(message.value() or b"")


def _records(settings: Settings, partitions: Collection[int], quiet_seconds: float) -> Iterator[Message]:
    topic = settings.topic(QUARANTINE)
    consumer = Consumer(reader_config(settings, "replay"))
    try:
        consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING) for partition in partitions])
        yield from _to_the_end(consumer, partitions, quiet_seconds)
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
