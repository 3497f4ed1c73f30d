"""FHIR R4 data types into ours: identifiers, codes, quantities, people, times (FHIR R4 2.24)."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

import msgspec

from contracts.sources import SourceSystem
from contracts.systems import PERSON_SYSTEMS, SNOMED_CT, UCUM
from contracts.values import Identifier, Practitioner, Quantity, Reason
from mappings.codes.coding_systems import system_from_name
from mappings.codes.json_input import JsonObject
from mappings.codes.persons import person_system, read_person
from mappings.codes.routes import route_from_snomed, route_from_word
from mappings.codes.times import not_future, read_iso
from mappings.codes.units import quantity, ucum
from mappings.sources.fhir_r4.resources import Resource
from mappings.sources.reading import Context

SOURCE_PREFIX: Final = "urn:medlist:source:"
"""``Identifier.system`` that names another of our sources: ``urn:medlist:source:hospital``."""


class Coding(msgspec.Struct, frozen=True, kw_only=True):
    """One coding; ``system`` is a FHIR system as facts carry it."""

    code: str
    system: str | None
    display: str | None
    place: str


def codings(concept: JsonObject | None) -> tuple[Coding, ...]:
    """Return the codings of a CodeableConcept that have a code."""
    found = []
    for coding in () if concept is None else concept.children("coding"):
        code, system = coding.text("code"), coding.text("system")
        if code is not None:
            known = None if system is None else system_from_name(system)
            display = coding.text("display")
            found.append(Coding(code=code, system=known or system, display=display, place=coding.at("code")))
    return tuple(found)


def words(concept: JsonObject | None) -> str | None:
    """Return the words of a CodeableConcept: its text, else the first display."""
    if concept is None:
        return None
    return concept.text("text") or next((coding.display for coding in codings(concept) if coding.display), None)


def reason(concept: JsonObject | None, source: str) -> Reason | None:
    """Return a coded or worded reason; a code without system is the source's own."""
    coded = codings(concept)
    code = Identifier(system=coded[0].system or source, value=coded[0].code) if coded else None
    text = words(concept)
    return None if code is None and text is None else Reason(code=code, text=text)


def route(concept: JsonObject | None) -> str | None:
    """Return the slug of a route, by SNOMED CT or by word; ``None`` for one that no table names."""
    by_code = (route_from_snomed(coding.code) for coding in codings(concept) if coding.system == SNOMED_CT)
    text = words(concept)
    return next((slug for slug in by_code if slug), None) or (None if text is None else route_from_word(text))


def identifier(body: JsonObject | None, source: str) -> Identifier | None:
    """Return an identifier; without system, or with that of one of our sources, it is scoped by the source's id."""
    value = None if body is None else body.text("value")
    if body is None or value is None:
        return None
    system = body.text("system")
    if system is None:
        return Identifier(system=source, value=value)
    if system.startswith(SOURCE_PREFIX):
        return Identifier(system=system.removeprefix(SOURCE_PREFIX), value=value)
    return Identifier(system=system_from_name(system) or system, value=value)


def amount(body: JsonObject | None) -> Quantity | None:
    """Return a Quantity that is not negative, with its unit's UCUM code where it is known."""
    if body is None:
        return None
    value = body.decimal("value", required=True)
    unit, code = body.text("unit"), body.text("code")
    in_ucum = code if code is not None and body.text("system") in {None, UCUM} else None
    if "comparator" in body:
        body.problems.add("unsupported", body.at("comparator"), "state the amount itself")
    if value is not None and value < 0:
        body.problems.add("unreadable", body.at("value"), "an amount is not negative")
        return None
    word = next((word for word in (in_ucum, unit, code) if word is not None and ucum(word)), None)
    word = word or in_ucum or unit or code
    if value is not None and word is None:
        if value:
            body.problems.add("missing", body.at("unit"), "state the unit")
        return None
    return None if value is None or word is None else quantity(value, word)


def subject(resource: Resource, context: Context) -> Identifier | None:
    """Return the person that a resource is about: ``subject.identifier``, or the Patient that the message holds."""
    reference = resource.body.child("subject", required=True)
    if reference is None:
        return None
    stated = reference.child("identifier")
    patient = resource.follow(reference, "Patient")
    candidates = [stated] if stated is not None else () if patient is None else patient.children("identifier")
    persons = [found for found in candidates if person_system(found.text("system") or "") is not None]
    if not persons:
        text = "state the person number, with its system, here or in a Patient that the message holds"
        resource.problems.add("missing", reference.at("identifier"), text)
        return None
    received_on = context.received_at.date()
    read = [
        resource.problems.keep(read_person(value, found.text("system"), found.at("value"), received_on))
        for found in persons
        if (value := found.text("value", required=True)) is not None
    ]
    if len(set(read)) > 1:
        resource.problems.add(
            "contradiction", reference.place, "names several person numbers; send the one that is valid"
        )
        return None
    return read[0] if read else None


def practitioner(resource: Resource, references: Iterable[JsonObject], source: str) -> Practitioner | None:
    """Return who acted, by codes only; names and displays are never read, nor are the person numbers of staff or patient."""
    found: list[Identifier] = []
    for reference in references:
        own = identifier(reference.child("identifier"), source)
        held = resource.follow(reference, "Practitioner")
        inner = () if held is None else held.children("identifier")
        every = [own, *(identifier(body, source) for body in inner)]
        found.extend(known for known in every if known is not None and known.system not in PERSON_SYSTEMS)
    return Practitioner(identifiers=tuple(dict.fromkeys(found))) if found else None


def instant(body: JsonObject, name: str, source: SourceSystem, *, required: bool = False) -> datetime | None:
    """Return a dateTime or instant as UTC; a day alone is refused."""
    text = body.text(name, required=required)
    return None if text is None else body.problems.keep(read_iso(text, source.zone, body.at(name)))


def extension(body: JsonObject, url: str) -> JsonObject | None:
    """Return the extension of a URL."""
    found = [inner for inner in body.children("extension") if inner.text("url") == url]
    if len(found) > 1:
        body.problems.add("contradiction", found[1].place, "this extension stands several times; send it once")
    return found[0] if found else None


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """Which version of its record a resource is (``meta``): a whole ``versionId`` rises, any other does not tell."""

    number: int | None
    recorded_at: datetime | None


def version(resource: Resource, context: Context) -> Version:
    """Return version and time of recording."""
    meta = resource.body.child("meta")
    if meta is None:
        return Version(number=None, recorded_at=None)
    text = meta.text("versionId")
    number = int(text) if text is not None and text.isascii() and text.isdigit() and len(text) <= 12 else None  # noqa: PLR2004 - as for all whole numbers
    recorded_at = instant(meta, "lastUpdated", context.source)
    if recorded_at is not None:
        recorded_at = resource.problems.keep(not_future(recorded_at, context.received_at, meta.at("lastUpdated")))
    return Version(number=number, recorded_at=recorded_at)


def record_id(resource: Resource) -> str | None:
    """Return the id of the record: its only or official identifier's value, else the resource's id."""
    body = resource.body
    identifiers = body.children("identifier")
    official = (
        [found for found in identifiers if found.text("use") == "official"] if len(identifiers) > 1 else identifiers
    )
    if len(official) > 1:
        resource.problems.add("contradiction", body.at("identifier"), "mark one identifier as the official one")
        return None
    chosen = official or identifiers[:1]
    if chosen:
        return chosen[0].text("value", required=True)
    own = body.text("id")
    if own is None:
        resource.problems.add("missing", body.at("identifier"), "state the record's identifier")
    return own
