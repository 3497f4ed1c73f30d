"""The drug of an order or administration: codes, words, strength, form, route, components (RXE, RXA, RXC, RXR)."""

import re
from collections.abc import Sequence
from typing import Final

import msgspec

from contracts.systems import ARTICLE_NUMBER, ATC, NPL_ID, NPL_PACK_ID
from contracts.values import Identifier, Ingredient, Medication, MedicationKind, Quantity
from mappings.codes.forms import form_from_word
from mappings.codes.routes import route_from_hl7, route_from_snomed, route_from_word
from mappings.codes.substances import is_atc, substance_from_word
from mappings.codes.units import quantity
from mappings.collecting import Problems
from mappings.sources.hospital.fields import Field, Segment
from mappings.sources.hospital.identities import Coding, codings

LICENCE_TABLE: Final = "99LICENS"
EXTEMPORE_TABLE: Final = "99EXTEMPORE"
_NATIONAL = frozenset({NPL_ID, NPL_PACK_ID, ARTICLE_NUMBER, ATC})
_FOURTEEN_DIGITS = re.compile(r"\d{14}", re.ASCII)


class DrugFields(msgspec.Struct, frozen=True, kw_only=True):
    """Where a segment states its drug: numbers of the fields of one kind of segment."""

    code: int
    form: int
    strength: int
    strength_unit: int
    volume: int
    volume_unit: int
    more_codes: int | None = None


RXE: Final = DrugFields(code=2, form=6, strength=25, strength_unit=26, volume=33, volume_unit=34, more_codes=31)
RXA: Final = DrugFields(code=5, form=8, strength=13, strength_unit=14, volume=24, volume_unit=25)


def read_medication(
    segment: Segment, where: DrugFields, components: Sequence[Segment], source: str
) -> Medication | None:
    """Return the drug as the message states it; ``components`` are the RXC segments of a mixture."""
    problems = segment.problems
    named = codings(segment.field(where.code))
    if not named:
        problems.add("missing", segment.at(where.code), "name the drug, by code or by words")
        return None
    more = () if where.more_codes is None else segment.fields(where.more_codes)
    every = (*named, *(coding for field in more for coding in codings(field)))
    form, strength = segment.field(where.form), _strength(segment, where)
    parts = tuple(part for component in components if (part := _component(component)) is not None)
    return Medication(
        kind=_kind(every, has_parts=bool(components)),
        text=_words(every),
        npl_id=_fourteen_digits(every, NPL_ID, problems),
        npl_pack_id=_fourteen_digits(every, NPL_PACK_ID, problems),
        article_number=_code(every, ARTICLE_NUMBER, problems),
        local_codes=_local_codes(every, source),
        atc=_atc(every, problems),
        ingredients=parts or _ingredients(every, strength),
        form=_form(form),
        form_text=None if form is None else form.text(2) or form.text(1),
        strength_text=_strength_text(strength),
    )


def read_route(segment: Segment | None) -> str | None:
    """Return the slug of RXR-1; a code or word that no table knows gives ``None``."""
    for coding in codings(None if segment is None else segment.field(1)):
        code, text = coding.code or "", coding.text or ""
        slug = route_from_hl7(code) or route_from_snomed(code) or route_from_word(text) or route_from_word(code)
        if slug is not None:
            return slug
    return None


def amount(segment: Segment, number: int, unit_number: int) -> Quantity | None:
    """Return an amount and its unit; an amount other than zero without unit cannot be used."""
    value = segment.decimal(number)
    unit = _unit(segment.field(unit_number))
    if value is None:
        return None
    if unit is None:
        if value:
            segment.problems.add("missing", segment.at(unit_number), f"state the unit of {segment.at(number)}")
        return None
    return quantity(value, unit)


def _unit(field: Field | None) -> str | None:
    return None if field is None else field.text(1) or field.text(2)


def _kind(every: Sequence[Coding], *, has_parts: bool) -> MedicationKind:
    tables = {coding.local_name for coding in every}
    if LICENCE_TABLE in tables:
        return "licence"
    if EXTEMPORE_TABLE in tables or has_parts:
        return "extempore"
    coded = {coding.system for coding in every if coding.code is not None}
    return "registered" if coded & _NATIONAL else "free-text"


def _words(every: Sequence[Coding]) -> str | None:
    """Return the product's name, else the name of its substance."""
    worded = [coding for coding in every if coding.text is not None]
    product = [coding for coding in worded if coding.system != ATC]
    return next((coding.text for coding in (*product, *worded)), None)


def _code(every: Sequence[Coding], system: str, problems: Problems) -> str | None:
    found = [coding for coding in every if coding.system == system and coding.code is not None]
    if len({coding.code for coding in found}) > 1:
        problems.add("contradiction", found[1].place, "another code of the same system stands before it; send one")
        return None
    return found[0].code if found else None


def _fourteen_digits(every: Sequence[Coding], system: str, problems: Problems) -> str | None:
    code = _code(every, system, problems)
    if code is not None and _FOURTEEN_DIGITS.fullmatch(code) is None:
        place = next(coding.place for coding in every if coding.code == code)
        problems.add("unreadable", place, "an NPL id or NPL pack id has 14 digits")
        return None
    return code


def _atc(every: Sequence[Coding], problems: Problems) -> str | None:
    code = _code(every, ATC, problems)
    if code is not None and not is_atc(code):
        place = next(coding.place for coding in every if coding.code == code)
        problems.add("unreadable", place, "an ATC code looks like C07AB02")
        return None
    return code


def _local_codes(every: Sequence[Coding], source: str) -> tuple[Identifier, ...]:
    local = [coding for coding in every if coding.code is not None and coding.system not in _NATIONAL]
    found = (Identifier(system=coding.system or source, value=coding.code) for coding in local if coding.code)
    return tuple(dict.fromkeys(found))


def _form(field: Field | None) -> str | None:
    for coding in codings(field):
        for word in (coding.text, coding.code):
            if word is not None and (slug := form_from_word(word)) is not None:
                return slug
    return None


class _Strength(msgspec.Struct, frozen=True, kw_only=True):
    strength: Quantity
    per: Quantity | None


def _strength(segment: Segment, where: DrugFields) -> _Strength | None:
    strength = amount(segment, where.strength, where.strength_unit)
    per = amount(segment, where.volume, where.volume_unit)
    if strength is None and per is not None:
        segment.problems.add("missing", segment.at(where.strength), "a strength volume goes with a strength")
    return None if strength is None else _Strength(strength=strength, per=per)


def _strength_text(stated: _Strength | None) -> str | None:
    if stated is None:
        return None
    per = stated.per
    amount_text = f"{stated.strength.value:f} {stated.strength.unit}"
    return amount_text if per is None else f"{amount_text} / {per.value:f} {per.unit}"


def _ingredients(every: Sequence[Coding], stated: _Strength | None) -> tuple[Ingredient, ...]:
    """Return the substance that an ATC coding's own words name, with the strength that the segment states."""
    words = [coding.text for coding in every if coding.system == ATC and coding.text is not None]
    substance = substance_from_word(words[0]) if words else None
    if substance is None:
        return ()
    if stated is None:
        return (Ingredient(substance=substance),)
    return (Ingredient(substance=substance, strength=stated.strength, per=stated.per),)


def _component(segment: Segment) -> Ingredient | None:
    """Return an ingredient of a mixture (RXC): its substance by the words of its code, and how much of it there is."""
    named = codings(segment.field(2))
    if not named:
        segment.problems.add("missing", segment.at(2), "name the component, by code or by words")
        return None
    words = [coding.text for coding in named if coding.text is not None]
    known = next((found for word in words if (found := substance_from_word(word)) is not None), None)
    substance = known or (words[0].casefold() if words else named[0].code)
    strength = amount(segment, 5, 6) or amount(segment, 3, 4)
    return None if substance is None else Ingredient(substance=substance, strength=strength)
