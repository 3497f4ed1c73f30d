"""What a message says once for all its records: what it is, whom it is about, which stay (MSH, PID, PV1)."""

from datetime import datetime
from typing import Final

import msgspec

from contracts.fact import Fact, Origin, make_fact
from contracts.facts.base import Content, Setting
from contracts.sources import SourceSystem
from contracts.values import Identifier, Reference
from mappings.codes.hl7 import PATIENT_CLASS
from mappings.codes.times import not_future
from mappings.collecting import Problems
from mappings.sources.hospital.fields import Segment
from mappings.sources.hospital.hl7 import Tokens
from mappings.sources.hospital.identities import person, record_id
from mappings.sources.hospital.times import instant
from mappings.sources.reading import Context

VERSIONS: Final = frozenset({"2.5", "2.5.1"})
PRODUCTION: Final = "P"
UNLINK: Final = "ADT^A37"
"""The one message that is about two persons."""


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """What all records of a message share. ``kind`` is ``RDE^O11``; ``version`` is MSH-13, the link's sequence number."""

    context: Context
    kind: str
    version: int | None
    person: Identifier | None
    visit: str | None
    setting: Setting | None

    @property
    def source(self) -> SourceSystem:
        """The source system that sent the message."""
        return self.context.source

    @property
    def encounter(self) -> tuple[Reference, ...]:
        """The reference to the stay."""
        if self.visit is None:
            return ()
        return (Reference(role="encounter", target=Identifier(system=self.source.id, value=encounter_id(self.visit))),)


class Stamp(msgspec.Struct, frozen=True, kw_only=True):
    """The record that a fact is a version of, and its two times."""

    source_id: str
    occurred_at: datetime | None
    recorded_at: datetime | None


def encounter_id(visit: str) -> str:
    """Return the source id of a stay."""
    return f"encounter/{visit}"


def read_header(tokens: Tokens, context: Context, problems: Problems) -> Header:
    """Read MSH, PID and PV1; ``problems`` of theirs hold for every record of the message."""
    message = tokens.header
    _check_kind_of_message(message)
    version = message.whole(13)
    if version is not None and version <= 0:
        problems.add("unreadable", "MSH-13", "a sequence number is greater than zero; leave it out otherwise")
    kind = f"{message.text(9, 1) or ''}^{message.text(9, 2) or ''}"
    patient = _first_patient(tokens) if kind == UNLINK else only(tokens, "PID", problems)
    visit = only(tokens, "PV1", problems, required=False)
    stay = None if visit is None else visit.field(19)
    return Header(
        context=context,
        kind=kind,
        version=version,
        person=None if patient is None else person(patient, 3, context.received_at.date()),
        visit=record_id(stay),
        setting=None if visit is None else _setting(visit),
    )


def _first_patient(tokens: Tokens) -> Segment | None:
    return next((segment for segment in tokens.segments if segment.name == "PID"), None)


def only(tokens: Tokens, name: str, problems: Problems, *, required: bool = True) -> Segment | None:
    """Return the only segment of a name."""
    found = [segment for segment in tokens.segments if segment.name == name]
    if len(found) > 1:
        problems.add("contradiction", f"{name}[2]", f"send one {name} segment; a message is about one patient")
    if not found and required:
        problems.add("missing", name, "is required")
    return found[0] if len(found) == 1 else None


def recorded(segment: Segment, number: int, context: Context) -> datetime | None:
    """Return when the source recorded something, unless that is still to come."""
    time = instant(segment, number, context.source)
    return None if time is None else segment.problems.keep(not_future(time, context.received_at, segment.at(number)))


def fact(header: Header, stamp: Stamp, content: Content) -> Fact:
    """Return the fact of a record of this message."""
    origin = Origin(
        source=header.source.id,
        source_id=stamp.source_id,
        patient=header.context.pseudonym(content.person),
        version=header.version,
        occurred_at=stamp.occurred_at,
        recorded_at=stamp.recorded_at,
    )
    return make_fact(origin, content, header.context.received_at)


def _check_kind_of_message(message: Segment) -> None:
    for component in (1, 2):
        message.text(9, component, required=True)
    if message.text(12, required=True) not in {None, *VERSIONS}:
        message.problems.add("unsupported", "MSH-12", f"send HL7 version {' or '.join(sorted(VERSIONS))}")
    if message.text(11, required=True) not in {None, PRODUCTION}:
        message.problems.add("unsupported", "MSH-11", "only production messages (P) say something about a patient")


def _setting(visit: Segment) -> Setting | None:
    code = visit.text(2)
    row = None if code is None else PATIENT_CLASS.get(code)
    return None if row is None else row.encounter_class
