"""Records of the list topic to records of the FHIR topic. Pure.

Of several lists of a patient in one batch only the newest is translated. A Bundle that no broker takes is replaced by one
that says so: an older Bundle must not stand in its place.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

import msgspec
from confluent_kafka import TIMESTAMP_NOT_AVAILABLE, Message

from contracts.medication_list import MedicationList, decode_list
from mappings.fhir.exact_json import JsonObject, write_json
from mappings.fhir.regional import Edition, list_version, regional_bundle
from streams.reconcile.findings import finding
from streams.topology.publisher.consuming import place_of
from streams.topology.publisher.problems import PublisherCode, PublisherError

BUNDLE_BYTES: Final = 900_000
"""A Bundle is at most this large: below what brokers take by default (1 MiB), with room for headers."""


class Translated(msgspec.Struct, frozen=True, kw_only=True):
    """What goes onto the FHIR topic; ``value`` is ``None`` where the patient's list is gone. ``bundle``: the same, unwritten."""

    partition: int
    key: bytes
    version: str = ""
    value: bytes | None = None
    bundle: JsonObject | None = None


def newest(messages: Iterable[Message]) -> list[Message]:
    """Return the last message of each patient, in the order in which they stand in the log."""
    last: dict[tuple[int, bytes | str | None], Message] = {}
    for message in messages:
        slot = (place_of(message)[0], message.key())
        last.pop(slot, None)
        last[slot] = message
    return list(last.values())


def translated(message: Message) -> Translated:
    """Return what a list becomes. Raises ``PublisherError`` for what is no list of the patient of its key."""
    partition, offset = place_of(message)
    value, key = message.value(), message.key()
    if not isinstance(key, bytes):
        raise _unreadable(partition, offset)
    if value is None:
        return Translated(partition=partition, key=key)
    try:
        one = decode_list(value)
    except msgspec.DecodeError as error:
        raise _unreadable(partition, offset) from error
    if key != one.patient.encode():
        raise _unreadable(partition, offset)
    edition = Edition(version=list_version(value), put_out_at=written_at(message))
    bundle = regional_bundle(one, edition)
    written = write_json(bundle)
    if len(written) > BUNDLE_BYTES:
        bundle = regional_bundle(too_large(one), edition)
        written = write_json(bundle)
    return Translated(partition=partition, key=key, version=edition.version, value=written, bundle=bundle)


def written_at(message: Message) -> datetime | None:
    """Return when a record was written, to the millisecond; ``None`` where it does not say."""
    kind, milliseconds = message.timestamp()
    if kind == TIMESTAMP_NOT_AVAILABLE:
        return None
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def too_large(one: MedicationList) -> MedicationList:
    """Return the list without its lines, and with the finding that it cannot be shown."""
    told = finding("list-too-large", (), (), {"lines": str(len(one.items))})
    return MedicationList(patient=one.patient, rules=one.rules, person=one.person, findings=(told,))


def _unreadable(partition: int, offset: int) -> PublisherError:
    return PublisherError(PublisherCode.LIST_UNREADABLE, f"partition {partition} offset {offset}")
