"""Dosage to ``MedicationRequest.dosageInstruction`` (NLLDosage, ``nll-reference`` section 3.3).

One element per step. Equal ``sequence`` means parallel, rising means one after the other. Each step says when it applies, as
``boundsPeriod``: the treatment's period, or, where steps have lengths in days, the part of it that its place in the order
gives. Where the start is not known a length stands as ``boundsDuration``.
The whole text for the patient stands on the first element. Every element has words of its own (G.008): those of its step,
else those of the dosage; ``patientInstruction`` is at most 512 characters.
"""

import re
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import groupby
from typing import Final

import msgspec

from contracts.problems import Problem
from contracts.systems import SNOMED_CT, UCUM
from contracts.values import Dosage, DosageStep, Period, Quantity
from mappings.codes.routes import ROUTES
from mappings.codes.units import UNITS
from mappings.fhir.exact_json import JsonObject
from mappings.fhir.times import SWEDEN, written_period
from mappings.fhir.vocabulary import ADMINISTERING_INSTRUCTION, CYCLE

INSTRUCTION_LENGTH: Final = 512
_TIME_OF_DAY: Final = re.compile(r"([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?", re.ASCII)
_UCUM_CODES: Final = frozenset(UNITS.values())


class Directions(msgspec.Struct, frozen=True, kw_only=True):
    """What the dosage elements are made from: the dosage, its period, its route, and the words as the patient reads them."""

    dosage: Dosage
    period: Period = Period()
    route: str | None = None
    text: str | None = None
    administering: str | None = None


def dosage_instruction(directions: Directions) -> list[JsonObject]:
    """Return the dosage elements in order; one element with the words alone when there are no steps."""
    steps = sorted(directions.dosage.steps, key=lambda step: step.sequence)
    periods = _periods(steps, directions.period)
    elements = [_element(step, directions, period) for step, period in zip(steps, periods, strict=True)]
    elements = elements or [_words_only(directions)]
    words: JsonObject = {"text": directions.text} if directions.text is not None else {}
    if directions.administering is not None:
        words["extension"] = [{"url": ADMINISTERING_INSTRUCTION, "valueString": directions.administering}]
    elements[0] = _joined(words, elements[0])
    return elements


def dosage_problems(directions: Directions) -> list[Problem]:
    """Return what of a dosage has no place in the resource, every problem named."""
    problems: list[Problem] = []
    texts = [("dosage.text", directions.dosage.text), ("administering", directions.administering)]
    texts += [(f"dosage.steps[{index}].text", step.text) for index, step in enumerate(directions.dosage.steps)]
    for place, text in texts:
        if text is not None and len(text) > INSTRUCTION_LENGTH:
            told = f"is longer than {INSTRUCTION_LENGTH} characters; shorten it at its source"
            problems.append(Problem(code="too-long", place=place, text=told))
    worded = [step.text is not None for step in directions.dosage.steps]
    if directions.dosage.text is None and not (worded and all(worded)):
        problems.append(Problem(code="missing", place="dosage.text", text="the words for the patient are required"))
    for index, step in enumerate(directions.dosage.steps):
        if not all(_TIME_OF_DAY.fullmatch(one) for one in step.times_of_day):
            place = f"dosage.steps[{index}].times_of_day"
            problems.append(Problem(code="unreadable", place=place, text="is no time of day as HH:MM or HH:MM:SS"))
    if is_contradictory(directions):
        told = "ends before it begins, or before it was issued"
        problems.append(Problem(code="contradiction", place="period", text=told))
    if directions.route is not None and directions.route not in ROUTES:
        problems.append(Problem(code="unknown-code", place="route", text="has no SNOMED CT code in mappings/codes"))
    return problems


def is_contradictory(directions: Directions) -> bool:
    """Return whether the period, or that of a step, would end before it begins: FHIR has no form for it (Period, per-1)."""
    steps = sorted(directions.dosage.steps, key=lambda step: step.sequence)
    return any(map(ends_before_it_begins, (directions.period, *_periods(steps, directions.period))))


def ends_before_it_begins(period: Period) -> bool:
    """Return whether there is nothing between the two ends."""
    return period.start is not None and period.end is not None and period.end <= period.start


def quantity(value: Quantity) -> JsonObject:
    """Return a FHIR Quantity: with a UCUM code where the unit is one, else with the source's word alone."""
    told: JsonObject = {"value": _number(value.value), "unit": value.unit}
    return told | {"system": UCUM, "code": value.unit} if value.unit in _UCUM_CODES else told


def _words_only(directions: Directions) -> JsonObject:
    element: JsonObject = {"sequence": 1}
    if directions.dosage.text is not None:
        element["patientInstruction"] = directions.dosage.text
    if bounds := _bounds_period(directions.period):
        element["timing"] = {"repeat": {"boundsPeriod": bounds}}
    return element | _route(directions.route) | _most_per_day(directions.dosage.max_per_day)


def _periods(steps: list[DosageStep], period: Period) -> list[Period]:
    """When each step applies: parallel steps begin together, the next sequence when the longest of them is over."""
    if period.start is None or all(step.duration_days is None for step in steps):
        return [period] * len(steps)
    begins: datetime | None = period.start.astimezone(SWEDEN)  # so that a day is a calendar day
    found: list[Period] = []
    for _, group in groupby(steps, key=lambda step: step.sequence):
        ends = [_after(begins, step.duration_days) for step in group]
        found += [Period(start=begins, end=end or period.end) if begins else Period() for end in ends]
        known = [end for end in ends if end is not None]
        begins = max(known) if len(known) == len(ends) else None
    return found


def _after(begins: datetime | None, days: int | None) -> datetime | None:
    return None if begins is None or days is None else begins + timedelta(days=days)


def _element(step: DosageStep, directions: Directions, period: Period) -> JsonObject:
    element: JsonObject = {"sequence": step.sequence}
    if step.cycle_days is not None:
        element["extension"] = [_cycle(step.cycle_days, step.days_in_cycle)]
    words = step.text or directions.dosage.text
    if words is not None:
        element["patientInstruction"] = words
    if repeat := _repeat(step, period):
        element["timing"] = {"repeat": repeat}
    if step.as_needed:
        element["asNeededBoolean"] = True
    element |= _route(directions.route)
    if step.dose is not None:
        element["doseAndRate"] = [_dose(step.dose, step.dose_high)]
    return element | _most_per_day(directions.dosage.max_per_day)


def _repeat(step: DosageStep, period: Period) -> JsonObject:
    repeat: JsonObject = {}
    if period.start is None and step.duration_days is not None:
        repeat["boundsDuration"] = {"value": step.duration_days, "unit": "d", "system": UCUM, "code": "d"}
    elif bounds := _bounds_period(period):
        repeat["boundsPeriod"] = bounds
    if step.once:
        repeat["count"] = 1
    if step.frequency is not None:
        repeat["frequency"] = step.frequency
    if step.period is not None and step.period_unit is not None:
        repeat["period"] = _number(step.period)
        repeat["periodUnit"] = step.period_unit
    if step.weekdays:
        repeat["dayOfWeek"] = list(step.weekdays)
    if step.times_of_day:
        repeat["timeOfDay"] = [_time_of_day(one) for one in step.times_of_day]
    return repeat


def _bounds_period(period: Period) -> JsonObject:
    return written_period(period.start, period.end)


def _dose(low: Quantity, high: Quantity | None) -> JsonObject:
    if high is None:
        return {"doseQuantity": quantity(low)}
    return {"doseRange": {"low": quantity(low), "high": quantity(high)}}


def _route(route: str | None) -> JsonObject:
    known = ROUTES.get(route) if route is not None else None
    if known is None:
        return {}
    return {"route": {"coding": [{"system": SNOMED_CT, "code": known.snomed[0]}], "text": known.swedish}}


def _most_per_day(most: Quantity | None) -> JsonObject:
    if most is None:
        return {}
    day = {"value": 1, "unit": "d", "system": UCUM, "code": "d"}
    return {"maxDosePerPeriod": {"numerator": quantity(most), "denominator": day}}


def _cycle(days: int, taken: tuple[int, ...]) -> JsonObject:
    parts: list[JsonObject] = [{"url": "length", "valuePositiveInt": days}]
    parts += [{"url": "day", "valuePositiveInt": day} for day in taken]
    return {"url": CYCLE, "extension": parts}


def _joined(words: JsonObject, element: JsonObject) -> JsonObject:
    extensions = [*words.get("extension", ()), *element.get("extension", ())]
    return words | element | ({"extension": extensions} if extensions else {})


def _time_of_day(written: str) -> str:
    return f"{written}:00" if written.count(":") == 1 else written


def _number(value: Decimal) -> int | Decimal:
    """A whole number without a fraction as an int, so that 1 stays 1; any other digit for digit."""
    return int(value) if value == value.to_integral_value() and value.as_tuple().exponent == 0 else value
