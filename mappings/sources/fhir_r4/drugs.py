"""The drug of a resource: ``medicationCodeableConcept``, or a Medication that the message holds (FHIR R4 11.4)."""

import re
from collections.abc import Sequence
from typing import Final

from contracts.systems import ARTICLE_NUMBER, ATC, NPL_ID, NPL_PACK_ID
from contracts.values import Identifier, Ingredient, Medication
from mappings.codes.forms import form_from_word
from mappings.codes.json_input import JsonObject
from mappings.codes.substances import is_atc, substance_from_word
from mappings.collecting import Problems
from mappings.sources.fhir_r4.elements import Coding, amount, codings, words
from mappings.sources.fhir_r4.resources import Resource

_REGISTERS: Final = frozenset({NPL_ID, NPL_PACK_ID, ARTICLE_NUMBER, ATC})
_FOURTEEN_DIGITS = re.compile(r"\d{14}", re.ASCII)


def read_medication(resource: Resource, source: str) -> Medication | None:
    """Return the drug of a resource, or note why there is none."""
    body, problems = resource.body, resource.problems
    concept, reference = body.child("medicationCodeableConcept"), body.child("medicationReference")
    if concept is not None and reference is not None:
        problems.add("contradiction", body.at("medicationReference"), "name the drug once: by code or by reference")
        return None
    if concept is not None:
        return _medication(concept, None, source)
    if reference is None:
        problems.add("missing", body.at("medicationCodeableConcept"), "name the drug")
        return None
    held = resource.follow(reference, "Medication")
    if held is None:
        problems.add(
            "missing", reference.at("reference"), "send the Medication with the message, contained or as an entry"
        )
        return None
    code = held.child("code", required=True)
    return None if code is None else _medication(code, held, source)


def _medication(concept: JsonObject, held: JsonObject | None, source: str) -> Medication | None:
    coded, text, problems = codings(concept), words(concept), concept.problems
    if not coded and text is None:
        problems.add("missing", concept.place, "name the drug, by code or by words")
        return None
    form = None if held is None else held.child("form")
    form_text, ingredients = words(form), _ingredients(held, coded)
    is_known = bool(ingredients) or any(coding.system in _REGISTERS for coding in coded)
    return Medication(
        kind="registered" if is_known else "free-text",
        text=text,
        npl_id=_fourteen_digits(coded, NPL_ID, problems),
        npl_pack_id=_fourteen_digits(coded, NPL_PACK_ID, problems),
        article_number=_code(coded, ARTICLE_NUMBER, problems),
        local_codes=tuple(
            dict.fromkeys(
                Identifier(system=coding.system or source, value=coding.code)
                for coding in coded
                if coding.system not in _REGISTERS
            )
        ),
        atc=_atc(coded, problems),
        ingredients=ingredients,
        form=None if form_text is None else form_from_word(form_text),
        form_text=form_text,
    )


def _code(coded: Sequence[Coding], system: str, problems: Problems) -> str | None:
    found = [coding for coding in coded if coding.system == system]
    if len({coding.code for coding in found}) > 1:
        problems.add("contradiction", found[1].place, "another code of the same system stands before it; send one")
        return None
    return found[0].code if found else None


def _fourteen_digits(coded: Sequence[Coding], system: str, problems: Problems) -> str | None:
    code = _code(coded, system, problems)
    if code is None or _FOURTEEN_DIGITS.fullmatch(code):
        return code
    place = next(coding.place for coding in coded if coding.system == system)
    problems.add("unreadable", place, "an NPL id or NPL pack id has 14 digits")
    return None


def _atc(coded: Sequence[Coding], problems: Problems) -> str | None:
    code = _code(coded, ATC, problems)
    if code is None or is_atc(code):
        return code
    problems.add("unreadable", next(c.place for c in coded if c.system == ATC), "an ATC code looks like C07AB02")
    return None


def _ingredients(held: JsonObject | None, coded: Sequence[Coding]) -> tuple[Ingredient, ...]:
    """Return the active ingredients that the Medication lists, else the substance that the ATC coding's display names."""
    stated = () if held is None else held.children("ingredient")
    found = [_ingredient(body) for body in stated if body.flag("isActive") is not False]
    if found:
        return tuple(ingredient for ingredient in found if ingredient is not None)
    displays = [coding.display for coding in coded if coding.system == ATC and coding.display is not None]
    substance = substance_from_word(displays[0]) if displays else None
    return () if substance is None else (Ingredient(substance=substance),)


def _ingredient(body: JsonObject) -> Ingredient | None:
    concept = body.child("itemCodeableConcept", required=True)
    word = words(concept)
    ratio = body.child("strength")
    numerator = None if ratio is None else amount(ratio.child("numerator", required=True))
    denominator = None if ratio is None else amount(ratio.child("denominator"))
    is_one_unit = denominator is not None and denominator.value == 1 and denominator.unit.startswith("{")
    if word is None:
        body.problems.add("missing", body.at("itemCodeableConcept"), "name the substance in words")
        return None
    return Ingredient(
        substance=substance_from_word(word) or word.casefold(),
        strength=numerator,
        per=None if is_one_unit else denominator,
    )
