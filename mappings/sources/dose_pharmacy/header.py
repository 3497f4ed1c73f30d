"""What every message of the dose pharmacy states: what happened, to whom, and when it was recorded."""

from collections.abc import Mapping
from datetime import date, datetime, time
from types import MappingProxyType
from typing import Final

import msgspec

from contracts.fact import Fact, Origin, make_fact
from contracts.facts.base import Content
from contracts.systems import NATIONAL_RESERVE_NUMBER, PERSONNUMMER, SAMORDNINGSNUMMER
from contracts.values import Identifier
from mappings.codes.json_input import JsonObject
from mappings.codes.persons import read_person
from mappings.codes.times import day_end, day_start, local_end, not_future, read_date, read_iso
from mappings.sources.reading import Context

IDENTITY_KINDS: Final[Mapping[str, str]] = MappingProxyType(
    {"P": PERSONNUMMER, "S": SAMORDNINGSNUMMER, "R": NATIONAL_RESERVE_NUMBER}
)
"""``IdentitetstypEnum`` -> system."""

_DATE_LENGTH = len("2026-03-02")


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """Whom a message is about, and when its sender recorded it."""

    person: Identifier
    patient: str
    recorded_at: datetime


def read_header(message: JsonObject, context: Context) -> Header | None:
    """Read ``Patientinformation`` and ``skapadtid``."""
    person = _person(message.child("Patientinformation", required=True), context)
    recorded_at = read_instant(message, "skapadtid", context, required=True)
    if recorded_at is not None:
        recorded_at = message.problems.keep(not_future(recorded_at, context.received_at, message.at("skapadtid")))
    if person is None or recorded_at is None:
        return None
    return Header(person=person, patient=context.pseudonym(person), recorded_at=recorded_at)


def read_instant(holder: JsonObject, name: str, context: Context, *, required: bool = False) -> datetime | None:
    """Return a date-time, with offset or on the source's clock, as UTC."""
    text = holder.text(name, required=required)
    return None if text is None else holder.problems.keep(read_iso(text, context.source.zone, holder.at(name)))


def read_start(holder: JsonObject, name: str, context: Context, *, required: bool = False) -> datetime | None:
    """Return a start: a date-time, or a date, which begins at local midnight."""
    day = _only_date(holder, name)
    if day is None:
        return read_instant(holder, name, context, required=required)
    return holder.problems.keep(day_start(day, context.source.zone, holder.at(name)))


def read_end(holder: JsonObject, name: str, context: Context, *, required: bool = False) -> datetime | None:
    """Return a half-open end: a date-time, or a date by what end dates mean in the source."""
    source, place = context.source, holder.at(name)
    day = _only_date(holder, name)
    if day is not None:
        return holder.problems.keep(day_end(day, source.zone, source.end_date, place))
    text = holder.text(name)
    if text is None or text[_DATE_LENGTH + 1 :] not in {"00:00:00", "23:59:59", "00:00", "23:59"}:
        return read_instant(holder, name, context, required=required)
    padded = holder.problems.keep(read_date(text[:_DATE_LENGTH], place))
    if padded is None:
        return None
    local = datetime.combine(padded, time.fromisoformat(text[_DATE_LENGTH + 1 :]))
    return holder.problems.keep(local_end(local, source.zone, source.end_date, place))


def fact_of(header: Header, source_id: str, occurred_at: datetime | None, content: Content, context: Context) -> Fact:
    """Return the fact of one record of this message."""
    origin = Origin(
        source=context.source.id,
        source_id=source_id,
        patient=header.patient,
        occurred_at=occurred_at,
        recorded_at=header.recorded_at,
    )
    return make_fact(origin, content, context.received_at)


def _person(patient: JsonObject | None, context: Context) -> Identifier | None:
    if patient is None:
        return None
    number, kind = patient.text("personid", required=True), patient.text("identitetstyp", required=True)
    if kind is not None and kind not in IDENTITY_KINDS:
        patient.problems.add("unknown-code", patient.at("identitetstyp"), "must be P, R or S")
        return None
    if number is None or kind is None:
        return None
    place = patient.at("personid")
    return patient.problems.keep(read_person(number, IDENTITY_KINDS[kind], place, context.received_at.date()))


def _only_date(holder: JsonObject, name: str) -> date | None:
    text = holder.text(name)
    if text is None or len(text) != _DATE_LENGTH:
        return None
    return holder.problems.keep(read_date(text, holder.at(name)))
