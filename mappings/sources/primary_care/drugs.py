"""The drug of a record: ``DrugChoiceType`` holds exactly one of five kinds of naming it."""

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from contracts.systems import ARTICLE_NUMBER, ATC, NPL_ID, NPL_PACK_ID, SNOMED_CT
from contracts.values import Identifier, Ingredient, Medication, Quantity, Reason
from mappings.codes.forms import form_from_word
from mappings.codes.numbers import read_decimal
from mappings.codes.routes import route_from_snomed, route_from_word
from mappings.codes.substances import is_atc, substance_from_word
from mappings.codes.units import quantity
from mappings.sources.primary_care.identities import read_coded
from mappings.sources.primary_care.xml_input import Element

_FOURTEEN_DIGITS = re.compile(r"\d{14}", re.ASCII)


def read_medication(choice: Element) -> Medication | None:
    """Return the drug of a choice that names exactly one."""
    named = [(name, element) for name in _KINDS for element in [choice.child(name)] if element is not None]
    if not named:
        choice.problems.add("missing", choice.place, f"name the drug: one of {', '.join(_KINDS)}")
    if len(named) > 1:
        choice.problems.add("contradiction", choice.place, f"name the drug once: one of {', '.join(_KINDS)}")
    if len(named) != 1:
        return None
    name, element = named[0]
    return _KINDS[name](element)


def read_route(coded: Element | None) -> str | None:
    """Return the slug of a route, by its code or its word; ``None`` for one that no table names."""
    route = read_coded(coded)
    if route is None:
        return None
    by_code = route_from_snomed(route.code.value) if route.code and route.code.system == SNOMED_CT else None
    return by_code or (route_from_word(route.text) if route.text else None)


def read_strength(element: Element | None) -> tuple[Quantity | None, Quantity | None]:
    """Return a strength and what it is per: ``50 mg`` has no *per*, ``10 mg/ml`` is 10 mg per 1 ml."""
    if element is None:
        return None, None
    value, unit = element.decimal("value", required=True), element.text("unit", required=True)
    if value is None or unit is None:
        return None, None
    upper, slash, lower = unit.partition("/")
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)?\s*(\S.*?)\s*", lower)
    if not slash or found is None:
        return quantity(value, unit), None
    per = element.problems.keep(read_decimal(found[1] or "1", element.at("unit")))
    return quantity(value, upper.strip()), None if per is None else quantity(per, found[2])


def _unstructured(element: Element) -> Medication | None:
    text = element.text("unstructuredInformation", required=True)
    return None if text is None else Medication(kind="free-text", text=text)


def _merchandise(element: Element) -> Medication | None:
    number, text = _code(element, "articleNumber", ARTICLE_NUMBER), _words(element, "articleNumber")
    if number is None and text is None:
        return None
    return Medication(kind="merchandise", text=text, article_number=number)


def _article(element: Element) -> Medication | None:
    pack, text = _code(element, "nplPackId", NPL_PACK_ID), _words(element, "nplPackId")
    if pack is None:
        return None
    if _FOURTEEN_DIGITS.fullmatch(pack) is None:
        element.problems.add("unreadable", f"{element.at('nplPackId')}/code", "an NPL pack id has 14 digits")
        return None
    return Medication(kind="registered", text=text, npl_pack_id=pack)


def _drug(element: Element) -> Medication | None:
    npl_id = _code(element, "nplId", NPL_ID) if element.child("nplId") is not None else None
    atc = _code(element, "atcCode", ATC) if element.child("atcCode") is not None else None
    text = _words(element, "nplId") or _words(element, "atcCode")
    if npl_id is not None and _FOURTEEN_DIGITS.fullmatch(npl_id) is None:
        element.problems.add("unreadable", f"{element.at('nplId')}/code", "an NPL id has 14 digits")
    if atc is not None and not is_atc(atc):
        element.problems.add("unreadable", f"{element.at('atcCode')}/code", "an ATC code looks like C07AB02")
    if npl_id is None and atc is None:
        element.problems.add("missing", element.at("nplId"), "a drug has an NPL id or an ATC code")
    form, strength = _later_form(element), _later_strength(element)
    return Medication(
        kind="registered",
        text=text,
        npl_id=npl_id,
        atc=atc,
        form=form_from_word(form) if form else None,
        form_text=form,
        strength_text=strength,
    )


def _generics(element: Element) -> Medication | None:
    substance, form = element.text("substance", required=True), element.text("form")
    pq = element.child("strength")
    strength, per = read_strength(pq)
    if substance is None:
        return None
    ingredient = Ingredient(
        substance=substance_from_word(substance) or substance.casefold(), strength=strength, per=per
    )
    return Medication(
        kind="registered",
        text=substance,
        ingredients=(ingredient,),
        form=form_from_word(form) if form else None,
        form_text=form,
        strength_text=None if pq is None else f"{pq.text('value') or ''} {pq.text('unit') or ''}".strip(),
    )


def _code(element: Element, name: str, system: str) -> str | None:
    """Return the code of a required ``CVType`` whose code system, where it is stated, must be the expected one."""
    coded = element.child(name, required=True)
    if coded is None:
        return None
    reason = _coded_with_default(coded, system)
    if reason is None or reason.code is None:
        coded.problems.add("missing", coded.at("code"), "is required")
        return None
    if reason.code.system != system:
        coded.problems.add("unknown-code", coded.at("codeSystem"), f"must be the code system of {name}")
        return None
    return reason.code.value


def _coded_with_default(coded: Element, system: str) -> Reason | None:
    """Read a code whose place leaves only one code system, so that sources leave it out (``articleNumber``)."""
    if coded.text("codeSystem") is not None:
        return read_coded(coded)
    code = coded.text("code")
    return None if code is None else Reason(code=Identifier(system=system, value=code))


def _words(element: Element, name: str) -> str | None:
    coded = element.child(name)
    return None if coded is None else coded.text("displayName") or coded.text("originalText")


def _later_form(element: Element) -> str | None:
    """Return the form that minor versions after 2.0 state beside the NPL id."""
    return _words(element, "pharmaceuticalForm")


def _later_strength(element: Element) -> str | None:
    """Return the strength that minor versions after 2.0 state beside the NPL id, as it is written."""
    strength = element.child("strength")
    if strength is None:
        return None
    return f"{strength.text('value', required=True) or ''} {strength.text('unit', required=True) or ''}".strip()


_KINDS: Final[Mapping[str, Callable[[Element], Medication | None]]] = MappingProxyType(
    {
        "unstructuredDrugInformation": _unstructured,
        "merchandise": _merchandise,
        "drugArticle": _article,
        "drug": _drug,
        "generics": _generics,
    }
)
