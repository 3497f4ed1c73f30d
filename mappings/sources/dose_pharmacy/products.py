"""Products and dosages in messages of the dose pharmacy."""

import re
from typing import Final

from contracts.systems import NLL_PRESCRIPTION
from contracts.values import Dosage, Identifier, Medication, Quantity, Reference
from mappings.codes.forms import FORMS, form_from_word
from mappings.codes.json_input import JsonObject
from mappings.codes.schedules import MOST_OCCASIONS, Occasion, steps_of
from mappings.codes.substances import is_atc
from mappings.codes.times import read_time_of_day
from mappings.codes.units import quantity

LONGEST_PERIOD_DAYS: Final = 28
"""Longest period of a dosage schedule (NOD: periodlängd 1-28)."""

_FOURTEEN_DIGITS = re.compile(r"\d{14}", re.ASCII)


def read_product(row: JsonObject) -> Medication | None:
    """Return the product of a row: by NPL id, NPL pack id or article number, with the words beside it."""
    npl_id, pack = row.text("nplid"), row.text("NPLpackid")
    article, atc = row.text("varunummer"), row.text("atckod")
    for name, code in (("nplid", npl_id), ("NPLpackid", pack)):
        if code is not None and _FOURTEEN_DIGITS.fullmatch(code) is None:
            row.problems.add("unreadable", row.at(name), "must have 14 digits")
    if atc is not None and not is_atc(atc):
        row.problems.add("unreadable", row.at("atckod"), "an ATC code looks like C07AB02")
    if npl_id is None and pack is None and article is None:
        row.problems.add("missing", row.at("nplid"), "name the product: nplid, NPLpackid or varunummer")
        return None
    form = row.text("lakemedelsform")
    return Medication(
        kind="registered",
        text=row.text("produktnamn"),
        npl_id=npl_id,
        npl_pack_id=pack,
        article_number=article,
        atc=atc,
        form=form_from_word(form) if form else None,
        form_text=form,
        strength_text=row.text("styrka"),
    )


def read_prescription_reference(row: JsonObject) -> tuple[Reference, ...]:
    """Return the prescription that a row is made from; dose prescriptions live in NLL, and so does their id."""
    ordination = row.text("ordinationsid", required=True)
    if ordination is None:
        return ()
    return (Reference(role="prescription", target=Identifier(system=NLL_PRESCRIPTION, value=ordination)),)


def read_dose_unit(row: JsonObject) -> str | None:
    """Return the unit that the row's amounts count: ``dosenhet``, else the dose unit of the form that it states."""
    stated = row.text("dosenhet")
    if stated is not None:
        return stated
    form = form_from_word(row.text("lakemedelsform") or "")
    if form is not None:
        return FORMS[form].dose_unit
    row.problems.add("missing", row.at("dosenhet"), "state what amounts count, or a form that tells it")
    return None


def read_schedule(row: JsonObject, unit: str | None) -> Dosage:
    """Return the dosage of a row: ``doseringsschema`` and ``doseringstext``."""
    text = row.text("doseringstext")
    schedule = row.child("doseringsschema", required=True)
    if schedule is None:
        return Dosage(text=text)
    days = schedule.whole("periodlangd", required=True)
    if days is not None and not 1 <= days <= LONGEST_PERIOD_DAYS:
        schedule.problems.add("contradiction", schedule.at("periodlangd"), f"must be 1-{LONGEST_PERIOD_DAYS} days")
        days = None
    occasions = schedule.children("intagstillfalle", required=True)
    if len(occasions) > MOST_OCCASIONS:
        schedule.problems.add("too-long", schedule.at("intagstillfalle"), f"has more than {MOST_OCCASIONS} entries")
        return Dosage(text=text)
    read = [_occasion(occasion, days, unit) for occasion in occasions]
    known = [occasion for occasion in read if occasion is not None]
    return Dosage(text=text, steps=() if days is None else steps_of(known, days))


def read_amount(row: JsonObject, name: str, unit: str | None) -> Quantity | None:
    """Return an amount above zero in the row's dose unit."""
    amount = row.decimal(name)
    if amount is not None and amount <= 0:
        row.problems.add("unreadable", row.at(name), "must be above 0")
        return None
    return None if amount is None or unit is None else quantity(amount, unit)


def _occasion(occasion: JsonObject, days: int | None, unit: str | None) -> Occasion | None:
    clock, day = occasion.text("klockslag", required=True), occasion.whole("dagIPeriod", required=True)
    dose = read_amount(occasion, "intagsmangd", unit)
    if "intagsmangd" not in occasion:
        occasion.problems.add("missing", occasion.at("intagsmangd"), "is required")
    time = None if clock is None else occasion.problems.keep(read_time_of_day(clock, occasion.at("klockslag")))
    if day is not None and (day < 1 or (days is not None and day > days)):
        occasion.problems.add("contradiction", occasion.at("dagIPeriod"), "lies outside the period")
        return None
    if day is None or dose is None:
        return None
    return Occasion(day=day, dose=dose, time=time)
