"""Person identifiers: Swedish personnummer, samordningsnummer, reserve numbers; checked, in one written form.

Rules (Skatteverket, *Rättslig vägledning*, personnummer; HL7 Sweden base profiles ``patient.fsh``):

1. Personnummer and samordningsnummer leave here with 12 digits ``YYYYMMDDNNNK``; the date exists and is not after the
   message's receipt, K is the mod-10 (Luhn) digit of the last ten, a samordningsnummer has 60 added to its day.
2. With 10 digits the sign tells the century: ``-``, or ``+`` from the year in which the person turns 100. Without a
   sign it is not known and nothing is guessed.
3. A national reserve number has 12 characters and at least one letter among the last four; no check digit is known.
4. Other systems are a region's own reserve numbers: an OID as ``urn:oid:...`` and 4-20 letters, digits or hyphens.
"""

import re
from collections.abc import Mapping
from datetime import date, timedelta
from types import MappingProxyType
from typing import Final

from stdnum import luhn

from contracts.problems import Problem
from contracts.systems import NATIONAL_RESERVE_NUMBER, PERSONNUMMER, SAMORDNINGSNUMMER
from contracts.values import Identifier

PERSON_SYSTEM_BY_OID: Final[Mapping[str, str]] = MappingProxyType(
    {
        "1.2.752.129.2.1.3.1": PERSONNUMMER,
        "1.2.752.129.2.1.3.3": SAMORDNINGSNUMMER,
        "1.2.752.74.9.1": NATIONAL_RESERVE_NUMBER,
    }
)
"""OID (Inera's list) -> system."""

_TWELVE = re.compile(r"(\d{4})(\d{2})(\d{2})[-+]?(\d{4})", re.ASCII)
_TEN = re.compile(r"(\d{2})(\d{2})(\d{2})([-+])(\d{4})", re.ASCII)
_TEN_WITHOUT_SIGN = re.compile(r"\d{10}", re.ASCII)
_RESERVE = re.compile(r"\d{8}(?=[0-9]*[A-Z])[0-9A-Z]{4}", re.ASCII)
_REGIONAL = re.compile(r"[0-9A-Za-z-]{4,20}", re.ASCII)
_OID = re.compile(r"[0-2](\.\d{1,20}){1,30}", re.ASCII)
_CENTURY_YEARS = 100
_COORDINATION_DAYS = 60


def person_system(system: str) -> str | None:
    """Return the system for an OID (``1.2...``, ``urn:oid:1.2...``) or a system URI, or ``None`` if it is neither."""
    oid = system.removeprefix("urn:oid:")
    if _OID.fullmatch(oid):
        return PERSON_SYSTEM_BY_OID.get(oid, f"urn:oid:{oid}")
    return system if system in PERSON_SYSTEM_BY_OID.values() else None


def read_person(value: str, system: str | None, place: str, received_on: date) -> Identifier | Problem:
    """Read a person identifier into its written form and system.

    ``system`` is what the message states: a URI or an OID; ``None`` if it states none, then the number itself tells.
    ``received_on`` is the day of receipt: nobody is born after it, and it settles the century of 10-digit forms.
    """
    text = value.strip().replace(" ", "").upper()
    stated = None if system is None else person_system(system)
    if system is not None and stated is None:
        return Problem(code="unknown-code", place=place, text="no known system of person identifiers; state its OID")
    if stated is not None and stated.startswith("urn:oid:"):
        return _regional(value.strip(), stated, place)
    if _RESERVE.fullmatch(text):
        found: Identifier | Problem = Identifier(system=NATIONAL_RESERVE_NUMBER, value=text)
    else:
        found = _national(text, place, received_on)
    if isinstance(found, Identifier) and stated not in {None, found.system}:
        return _invalid(place, "the number is not of the kind that its system says; correct one of them")
    return found


def _regional(text: str, system: str, place: str) -> Identifier | Problem:
    if _REGIONAL.fullmatch(text) is None:
        return _invalid(place, "a regional reserve number has 4-20 letters, digits or hyphens")
    return Identifier(system=system, value=text)


def _national(text: str, place: str, received_on: date) -> Identifier | Problem:
    if _TEN_WITHOUT_SIGN.fullmatch(text):
        return _invalid(place, "ten digits without a sign do not tell the century; write twelve digits")
    if found := _TEN.fullmatch(text):
        year, month, day, serial = _full_year(found[1], found[4], received_on), found[2], found[3], found[5]
    elif found := _TWELVE.fullmatch(text):
        year, month, day, serial = int(found[1]), found[2], found[3], found[4]
    else:
        return _invalid(place, "write a personnummer or samordningsnummer with twelve digits, or state its system")
    is_coordination = int(day) > _COORDINATION_DAYS
    if not _is_birth_date(year, int(month), int(day) - _COORDINATION_DAYS * is_coordination, received_on):
        return _invalid(place, "the date of the number does not exist, or lies after the receipt")
    number = f"{year:04}{month}{day}{serial}"
    if not luhn.is_valid(number[2:]):
        return _invalid(place, "the check digit is wrong; look for a mistyped digit")
    return Identifier(system=SAMORDNINGSNUMMER if is_coordination else PERSONNUMMER, value=number)


def _full_year(two_digits: str, sign: str, received_on: date) -> int:
    newest = received_on.year if sign == "-" else received_on.year - _CENTURY_YEARS
    return newest - (newest - int(two_digits)) % _CENTURY_YEARS


def _is_birth_date(year: int, month: int, day: int, received_on: date) -> bool:
    try:
        born = date(year, month, day)
    except ValueError:
        return False
    return date(1840, 1, 1) <= born <= received_on + timedelta(days=1)


def _invalid(place: str, text: str) -> Problem:
    return Problem(code="person-invalid", place=place, text=text)
