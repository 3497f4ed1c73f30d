"""The envelope: CloudEvents 1.0 with the Kafka protocol binding.

Attributes: ``time`` is ``occurred_at``; the extensions ``recordedat``, ``receivedat``, ``sourceid`` and
``sourceversion`` carry the rest; ``subject`` is the patient's pseudonym (never a person number, since attributes become
headers in binary mode). Binary mode (attributes as ``ce_*`` headers, data as value) is preferred; structured mode
(``content-type: application/cloudevents+json``) is accepted; the JSON batch format carries packed facts.

Sources: CloudEvents 1.0.2 (core), JSON format 1.0.2 sections 3 and 4, Kafka protocol binding 1.0.2 section 3.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final, Generic, Literal, TypeVar

import msgspec

from contracts.fact import FACT_TYPES, Fact
from contracts.facts.base import Content
from contracts.problems import Problem

CONTENT_TYPE_JSON: Final = "application/json"
CONTENT_TYPE_STRUCTURED: Final = "application/cloudevents+json"
CONTENT_TYPE_BATCH: Final = "application/cloudevents-batch+json"


Data = TypeVar("Data")


class CloudEvent(msgspec.Struct, Generic[Data], frozen=True, kw_only=True, omit_defaults=True):
    """A structured-mode event as it stands in JSON; ``data`` stays undecoded until its type is known."""

    specversion: Literal["1.0"]
    id: str
    source: str
    type: str
    subject: str
    receivedat: datetime
    sourceid: str
    data: Data
    datacontenttype: str | None = None
    time: datetime | None = None
    recordedat: datetime | None = None
    sourceversion: int | None = None
    forwardedto: str | None = None


class UnreadableEventError(ValueError):
    """An event that is no fact of ours; ``problems`` names everything that is wrong with it, and where."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("; ".join(f"{p.code} at {p.place}: {p.text}" for p in problems))
        self.problems = problems


_encoder = msgspec.json.Encoder(order="deterministic")
_event_decoder = msgspec.json.Decoder(CloudEvent[msgspec.Raw])
_batch_decoder = msgspec.json.Decoder(list[CloudEvent[msgspec.Raw]])
_content_decoders = {name: msgspec.json.Decoder(cls) for name, cls in FACT_TYPES.items()}
_DATETIME_ATTRIBUTES = ("time", "recordedat", "receivedat")


def to_event(fact: Fact) -> CloudEvent[Content]:
    """Return the structured-mode event of a fact."""
    return CloudEvent(
        specversion="1.0",
        id=fact.id,
        source=fact.source,
        type=fact.type,
        subject=fact.patient,
        time=fact.occurred_at,
        recordedat=fact.recorded_at,
        receivedat=fact.received_at,
        sourceid=fact.source_id,
        sourceversion=fact.version,
        forwardedto=fact.forwarded_to,
        datacontenttype=CONTENT_TYPE_JSON,
        data=fact.content,
    )


def encode_fact(fact: Fact) -> bytes:
    """Return one structured-mode JSON event: one line, deterministic bytes."""
    return _encoder.encode(to_event(fact))


def encode_batch(facts: Iterable[Fact]) -> bytes:
    """Return a JSON batch (CloudEvents JSON format section 4): the value of one record of ``medlist.fact.v1``."""
    return _encoder.encode([to_event(fact) for fact in facts])


def decode_fact(data: bytes) -> Fact:
    """Read one structured-mode event. Raises ``UnreadableEventError`` that names what is wrong and where."""
    try:
        event = _event_decoder.decode(data)
    except msgspec.DecodeError as error:
        raise UnreadableEventError((_problem(error, "event"),)) from None
    return from_event(event)


def decode_batch(data: bytes) -> list[Fact]:
    """Read a JSON batch. Raises ``UnreadableEventError`` that names what is wrong and where."""
    try:
        events = _batch_decoder.decode(data)
    except msgspec.DecodeError as error:
        raise UnreadableEventError((_problem(error, "batch"),)) from None
    return [from_event(event) for event in events]


def from_event(event: CloudEvent[msgspec.Raw]) -> Fact:
    """Return the fact of an event. Raises ``UnreadableEventError`` for an unknown type or content that does not fit."""
    decoder = _content_decoders.get(event.type)
    if decoder is None:
        raise UnreadableEventError((Problem(code="unknown-code", place="type", text="no fact type of this name"),))
    try:
        content = decoder.decode(event.data)
    except msgspec.DecodeError as error:
        raise UnreadableEventError((_problem(error, "data"),)) from None
    return Fact(
        id=event.id,
        source=event.source,
        source_id=event.sourceid,
        version=event.sourceversion,
        forwarded_to=event.forwardedto,
        patient=event.subject,
        occurred_at=event.time,
        recorded_at=event.recordedat,
        received_at=event.receivedat,
        content=content,
    )


def to_binary(fact: Fact) -> tuple[list[tuple[str, bytes]], bytes]:
    """Return headers and value of the Kafka binding's binary mode."""
    event = to_event(fact)
    headers = [("content-type", CONTENT_TYPE_JSON.encode())]
    for name in sorted(set(CloudEvent.__struct_fields__) - {"data", "datacontenttype"}):
        value = getattr(event, name)
        if value is not None:
            headers.append((f"ce_{name}", str(msgspec.to_builtins(value)).encode()))
    return headers, _encoder.encode(event.data)


def read_event(headers: Mapping[str, bytes], value: bytes) -> Fact:
    """Read a Kafka message in binary or structured mode. Raises ``UnreadableEventError`` with every problem found."""
    content_type = headers.get("content-type", b"").decode("ascii", "replace").split(";")[0].strip()
    if content_type == CONTENT_TYPE_STRUCTURED:
        return decode_fact(value)
    attributes: dict[str, object] = {
        name[3:]: raw.decode("utf-8", "replace") for name, raw in headers.items() if name.startswith("ce_")
    }
    required = ("specversion", "id", "source", "type", "subject", "receivedat", "sourceid")
    if missing := [name for name in required if name not in attributes]:
        problems = tuple(Problem(code="missing", place=f"header ce_{name}", text="is required") for name in missing)
        raise UnreadableEventError(problems)
    attributes["datacontenttype"] = content_type
    attributes["data"] = msgspec.Raw(value)
    known = {name: attributes[name] for name in CloudEvent.__struct_fields__ if name in attributes}
    try:
        event = msgspec.convert(known, CloudEvent[msgspec.Raw], strict=False)
    except msgspec.ValidationError as error:
        raise UnreadableEventError((_problem(error, "headers"),)) from None
    return from_event(event)


def _problem(error: msgspec.DecodeError, where: str) -> Problem:
    text, _, place = str(error).partition(" - at ")
    return Problem(code="unreadable", place=f"{where} {place.strip('`')}".strip(), text=text)
