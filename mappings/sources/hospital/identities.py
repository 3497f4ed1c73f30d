"""Identifiers, people and codes of HL7 v2: CX, XCN, XON, EI, CE/CWE."""

from collections.abc import Iterable
from datetime import date

import msgspec

from contracts.systems import NLL_PRESCRIPTION, PERSON_SYSTEMS, WORKPLACE_CODE
from contracts.values import Identifier, Practitioner, Reason
from mappings.codes.coding_systems import system_from_name
from mappings.codes.persons import person_system, read_person
from mappings.sources.hospital.fields import Field, Segment

_CE_PARTS = (1, 4)
"""Components at which the two codings of a CE or CWE begin."""
_REGIONAL = "RRI"
"""Identifier type of a regional registry's number (HL7 v2.5.1 table 0203)."""


class Coding(msgspec.Struct, frozen=True, kw_only=True):
    """One coding of a CE/CWE: ``system`` is a FHIR system, or ``None`` where the message names none that is known."""

    code: str | None
    text: str | None
    system: str | None
    local_name: str | None
    place: str


def codings(field: Field | None) -> tuple[Coding, ...]:
    """Return the coding and the alternate coding of a CE or CWE, those that say something."""
    if field is None:
        return ()
    found = []
    for first in _CE_PARTS:
        code, text, name = (field.text(first + offset) for offset in range(3))
        if code is not None or text is not None:
            system = None if name is None else system_from_name(name)
            found.append(Coding(code=code, text=text, system=system, local_name=name, place=field.at(first)))
    return tuple(found)


def reason(field: Field | None, source: str) -> Reason | None:
    """Return a coded or worded reason; a code of a local table belongs to the source."""
    for coding in codings(field):
        code = None if coding.code is None else Identifier(system=coding.system or source, value=coding.code)
        return Reason(code=code, text=coding.text)
    return None


def person(segment: Segment, number: int, received_on: date) -> Identifier | None:
    """Return the person number of a CX field: the one whose assigning authority issues person numbers.

    Without one, a regional reserve number (component 5 ``RRI``) is it. Other ids (a record number of the hospital) are
    passed over; none, or two that differ, is a problem.
    """
    fields = segment.fields(number)
    national = [field for field in fields if _issuer(field) in PERSON_SYSTEMS]
    regional = [field for field in fields if field.text(5) == _REGIONAL and field not in national]
    if not national and not regional:
        text = "send the person number, with the OID of its issuer in component 4"
        segment.problems.add("missing", segment.at(number), text)
        return None
    found = [_person_number(field, received_on) for field in national or regional]
    if len(set(found)) > 1:
        segment.problems.add("contradiction", segment.at(number), "names several persons; send the one that is valid")
        return None
    return found[0]


def _person_number(field: Field, received_on: date) -> Identifier | None:
    value = field.text(1)
    if value is None:
        field.problems.add("missing", field.at(1), "is required")
        return None
    return field.problems.keep(read_person(value, _issuer(field), field.at(1), received_on))


def _issuer(field: Field) -> str | None:
    oid = field.part(4, 2)
    return None if oid is None else person_system(oid)


def record_id(field: Field | None) -> str | None:
    """Return the id of a record (EI.1); its namespace is the source itself."""
    return None if field is None else field.part(1, 1)


def parent_id(field: Field | None, source: str) -> Identifier | None:
    """Return the id of a parent (EIP.1: an EI in subcomponents): NLL's where that is its namespace, else the source's."""
    if field is None or (value := field.part(1, 1)) is None:
        return None
    issuer = field.part(1, 3) or field.part(1, 2)
    known = None if issuer is None else system_from_name(issuer)
    return Identifier(system=NLL_PRESCRIPTION if known == NLL_PRESCRIPTION else source, value=value)


def global_id(field: Field | None, system: str) -> Identifier | None:
    """Return an id (EI) that the stated namespace issued, ``None`` for one of another namespace."""
    if field is None:
        return None
    value = field.text(1)
    issuer = field.text(3) or field.text(2)
    if value is None or issuer is None or system_from_name(issuer) != system:
        return None
    return Identifier(system=system, value=value)


def practitioner(people: Iterable[Field], unit: Segment | None, source: str) -> Practitioner | None:
    """Return who acted by codes only (XCN), and in which unit (XON of ORC-21); names are never read."""
    identifiers = tuple(found for field in people if (found := _staff_id(field, source)) is not None)
    care_unit = None if unit is None else _unit_id(unit.fields(21), source)
    if not identifiers and care_unit is None:
        return None
    return Practitioner(identifiers=tuple(dict.fromkeys(identifiers)), care_unit=care_unit)


def workplace_code(unit: Segment) -> str | None:
    """Return the workplace code (arbetsplatskod) among the organisation ids of ORC-21."""
    for field in unit.fields(21):
        if _authority(field, 6) == WORKPLACE_CODE:
            return field.text(10) or field.text(3)
    return None


def _staff_id(field: Field, source: str) -> Identifier | None:
    """Return a code of staff; a person number is not one, and is not kept."""
    value, authority = field.text(1), field.part(9, 2)
    if value is None or (authority is not None and person_system(authority) in PERSON_SYSTEMS):
        return None
    return Identifier(system=_authority(field, 9) or source, value=value)


def _unit_id(fields: tuple[Field, ...], source: str) -> Identifier | None:
    for field in fields:
        value = field.text(10) or field.text(3)
        system = _authority(field, 6) or source
        if value is not None and system != WORKPLACE_CODE:
            return Identifier(system=system, value=value)
    return None


def _authority(field: Field, component: int) -> str | None:
    name = field.part(component, 2) or field.part(component, 1)
    return None if name is None else system_from_name(name)
