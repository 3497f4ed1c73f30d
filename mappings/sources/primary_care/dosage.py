"""Dosages of RIVTA: ``DosageType`` into words, steps and the most per day.

Rules this module owns:

1. The words are the dosage instructions (the short notation where there is none), one line per dosage.
2. Several dosages follow one another when each but the last states its length; otherwise they are taken side by side.
3. A ramp becomes one step per level; it needs levels that the dose step meets exactly.
4. A structure that our steps cannot carry (a maximum per week, a ramp between schedules) leaves no half structure: the
   dosage is read as its words alone, and is ``unsupported`` if it has none.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Final

import msgspec

from contracts.values import Dosage, DosageStep, Quantity
from mappings.codes.schedules import LONGEST_CYCLE_DAYS, MOST_OCCASIONS, Occasion, steps_of
from mappings.codes.times import read_time_of_day
from mappings.collecting import Problems
from mappings.sources.primary_care.amounts import (
    period_unit_of,
    read_interval,
    read_rate,
    read_span,
    times,
    whole_days,
)
from mappings.sources.primary_care.ramp import read_ramp
from mappings.sources.primary_care.xml_input import Element

Stages = tuple[tuple[DosageStep, ...], ...]
"""Stages follow one another; the steps of a stage are taken side by side."""


def read_dosage(drug: Element | None, starts: datetime | None) -> Dosage:
    """Return the dosage of a drug choice. ``starts`` is the local time at which the treatment starts, if stated."""
    if drug is None:
        return Dosage()
    elements = drug.children("dosage")
    words = [words for element in elements for words in [_words(element)] if words]
    uncarried = Problems()
    read = [_stages(element, starts, uncarried) for element in elements]
    most = [most for element in elements for most in [_most_per_day(element, uncarried)] if most is not None]
    if len(most) > 1:
        uncarried.add("unsupported", drug.place, "state one maximum dosage, or the dosage in words")
    text = "\n".join(words) or None
    if uncarried:
        for problem in uncarried.found if text is None else ():
            drug.problems.keep(problem)
        return Dosage(text=text)
    return Dosage(
        text=text,
        steps=_numbered(read, follow=all(stages_end(stages) for stages in read[:-1])),
        max_per_day=most[0] if most else None,
    )


def stages_end(stages: Stages) -> bool:
    """Tell whether stages come to an end by themselves."""
    return bool(stages) and all(step.duration_days is not None for step in stages[-1])


def _numbered(read: list[Stages], *, follow: bool) -> tuple[DosageStep, ...]:
    """Give the steps their sequence: dosage after dosage, or side by side."""
    numbered: list[DosageStep] = []
    sequence = 1
    for stages in read:
        for offset, stage in enumerate(stages):
            numbered.extend(msgspec.structs.replace(step, sequence=sequence + offset) for step in stage)
        sequence += len(stages) if follow else 0
    return tuple(numbered)


def _words(dosage: Element) -> str | None:
    instruction, notation = dosage.text("dosageInstruction"), dosage.text("shortNotation")
    return instruction or notation


def _stages(dosage: Element, starts: datetime | None, uncarried: Problems) -> Stages:
    length = _length(dosage, uncarried)
    fixed = _schedule(dosage.child("setDosage"), starts, uncarried)
    conditional = dosage.child("conditionalDosage")
    when = None if conditional is None else conditional.text("conditionDescription", required=True)
    needed = _schedule(conditional, starts, uncarried) or (((DosageStep(),),) if conditional is not None else ())
    if max(len(fixed), len(needed)) > 1 and (length is not None or min(len(fixed), len(needed)) > 0):
        uncarried.add("unsupported", dosage.place, "a ramp stands alone in its dosage; write the rest in words")
    if len(fixed) > 1:
        return fixed
    stage = tuple(step for part in fixed for step in part) + tuple(
        msgspec.structs.replace(step, as_needed=True, text=step.text or when) for part in needed for step in part
    )
    return (tuple(msgspec.structs.replace(step, duration_days=length) for step in stage),) if stage else ()


def _length(dosage: Element, uncarried: Problems) -> int | None:
    element = dosage.child("lengthOfTreatment")
    is_maximum = dosage.flag("isMaximumTreatmentTime")
    if element is None:
        return None
    low, high, unit = element.decimal("low"), element.decimal("high"), element.text("unit", required=True)
    stated = {value for value in (low, high) if value is not None}
    value = high if is_maximum and high is not None else stated.pop() if len(stated) == 1 else None
    period_unit = None if unit is None else period_unit_of(unit)
    days = whole_days(value, period_unit) if value is not None and period_unit is not None else None
    if days is None or days <= 0:
        uncarried.add("unsupported", element.place, "state one length of treatment, in whole days or weeks")
        return None
    return days


def _schedule(holder: Element | None, starts: datetime | None, uncarried: Problems) -> Stages:
    """Return the schedule of a set, maximum or conditional dosage, which holds exactly one."""
    if holder is None:
        return ()
    present = [(name, child) for name in KINDS for child in [holder.child(name)] if child is not None]
    if len(present) > 1:
        holder.problems.add("contradiction", holder.place, f"hold one of {', '.join(KINDS)}")
    if len(present) != 1:
        return ()
    name, element = present[0]
    if name == "singleDose":
        return _single(element, starts)
    return SCHEDULES[name](element, uncarried)


def _unstructured(element: Element, _: Problems) -> Stages:
    text = element.text("text", required=True)
    return ((DosageStep(text=text),),) if text else ()


def _frequency(element: Element, _: Problems) -> Stages:
    dose = read_interval(element.child("dose", required=True))
    rate = read_rate(element.child("frequency", required=True))
    if dose is None or rate is None:
        return ()
    step = DosageStep(
        dose=dose.low, dose_high=dose.high, frequency=rate.times, period=rate.period, period_unit=rate.unit
    )
    return ((step,),)


def _period(element: Element, _: Problems) -> Stages:
    dose = read_interval(element.child("dose", required=True))
    span = read_span(element.child("period", required=True))
    if dose is None or span is None:
        return ()
    step = DosageStep(dose=dose.low, dose_high=dose.high, frequency=1, period=span[0], period_unit=span[1])
    return ((step,),)


def _single(element: Element, starts: datetime | None) -> Stages:
    dose, at = read_interval(element.child("dose", required=True)), element.local_time("time")
    if at is not None and (starts is None or starts.date() != at.date()):
        element.problems.add(
            "contradiction", element.at("time"), "a single dose is given on the day that the treatment starts"
        )
    if dose is None:
        return ()
    at_times = () if at is None else (f"{at:%H:%M}",)
    return ((DosageStep(dose=dose.low, dose_high=dose.high, once=True, times_of_day=at_times),),)


def _occasions(element: Element, uncarried: Problems) -> Stages:
    span = read_span(element.child("period", required=True))
    occasions = element.children("administration")
    if not occasions:
        element.problems.add("missing", element.at("administration"), "needs at least one entry")
    if len(occasions) > MOST_OCCASIONS:
        element.problems.add("too-long", element.at("administration"), f"has more than {MOST_OCCASIONS} entries")
    cycle = None if span is None else whole_days(*span)
    if cycle is not None and cycle > LONGEST_CYCLE_DAYS:
        element.problems.add("too-long", element.at("period"), f"a schedule repeats within {LONGEST_CYCLE_DAYS} days")
        return ()
    if cycle is None:
        if span is not None:
            uncarried.add("unsupported", element.place, "state the period in whole days")
        return ()
    read = [_occasion(occasion, cycle) for occasion in occasions]
    return (steps_of([found for found in read if found is not None], cycle),) if all(read) else ()


def _occasion(element: Element, cycle: int) -> Occasion | None:
    dose = read_interval(element.child("dose", required=True))
    day = element.whole("dayOfPeriod", required=True)
    stated = element.text("time")
    is_clock = stated is not None and stated[0].isdigit()
    time = element.problems.keep(read_time_of_day(stated, element.at("time"))) if stated and is_clock else None
    if day is not None and not 1 <= day <= cycle:
        element.problems.add("contradiction", element.at("dayOfPeriod"), "lies outside the period")
        return None
    if dose is None or day is None or (is_clock and time is None):
        return None
    return Occasion(dose=dose.low, dose_high=dose.high, day=day, time=time, words=None if is_clock else stated)


def _most_per_day(dosage: Element, uncarried: Problems) -> Quantity | None:
    """Return the most per day of a maximum dosage that is stated per day."""
    holder = dosage.child("maximumDosage")
    stages = _schedule(holder, None, uncarried)
    if holder is None:
        return None
    steps = [step for stage in stages for step in stage]
    step = steps[0] if len(steps) == 1 else DosageStep()
    amount = step.dose_high or step.dose
    if amount is None or step.frequency is None or (step.period, step.period_unit) != (Decimal(1), "d"):
        uncarried.add("unsupported", holder.place, "state the maximum per day, or the dosage in words")
        return None
    return times(amount, step.frequency, holder.place)


SCHEDULES: Final[Mapping[str, Callable[[Element, Problems], Stages]]] = MappingProxyType(
    {
        "frequencyDosage": _frequency,
        "periodDosage": _period,
        "occasionDosage": _occasions,
        "rampedDosage": read_ramp,
        "unstructuredDosageInformation": _unstructured,
    }
)
KINDS: Final = (*SCHEDULES, "singleDose")
"""A single dose alone is about a point in time, and so needs to know when the treatment starts."""
