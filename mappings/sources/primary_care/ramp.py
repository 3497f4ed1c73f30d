"""Ramps (``RampedDosageType``): a dose that goes up or down by a step per span of time, as one step per level."""

from decimal import Decimal
from typing import Final

from contracts.values import DosageStep, Quantity
from mappings.codes.units import quantity
from mappings.collecting import Problems
from mappings.sources.primary_care.amounts import Rate, read_interval, read_rate, read_span, whole_days
from mappings.sources.primary_care.xml_input import Element

MOST_LEVELS: Final = 100


def read_ramp(element: Element, uncarried: Problems) -> tuple[tuple[DosageStep, ...], ...]:
    """Return one stage per level, from the start to the end of the ramp; the last has no end of its own."""
    height = _dose_step(element.child("doseStep", required=True))
    span = read_span(element.child("timeStep", required=True))
    start = _level(element.child("rampStart", required=True), uncarried)
    end = _level(element.child("rampEnd", required=True), uncarried)
    if height is None or span is None or start is None or end is None:
        return ()
    days = whole_days(*span)
    if days is None or start[1] != end[1] or len({height.unit, start[0].unit, end[0].unit}) > 1:
        uncarried.add("unsupported", element.place, "a ramp has one unit, one frequency and steps of whole days")
        return ()
    levels = _levels(start[0].value, end[0].value, height.value)
    if not levels:
        element.problems.add("contradiction", element.at("doseStep"), "steps of this height do not lead to the end")
        return ()
    if len(levels) > MOST_LEVELS:
        element.problems.add("too-long", element.place, f"a ramp has at most {MOST_LEVELS} levels")
        return ()
    rate = start[1]
    return tuple(
        (
            DosageStep(
                dose=Quantity(value=level, unit=height.unit),
                frequency=rate.times,
                period=rate.period,
                period_unit=rate.unit,
                duration_days=days if number < len(levels) else None,
            ),
        )
        for number, level in enumerate(levels, start=1)
    )


def _levels(start: Decimal, end: Decimal, height: Decimal) -> list[Decimal]:
    """Return the levels from start to end, none if the height does not meet the end; one more than allowed stops it."""
    distance = abs(end - start)
    if height <= 0 or distance % height != 0:
        return []
    direction = height if end >= start else -height
    count = min(int(distance / height), MOST_LEVELS + 1)
    return [(start + direction * number).normalize() + 0 for number in range(count + 1)]


def _dose_step(element: Element | None) -> Quantity | None:
    if element is None:
        return None
    value, unit = element.decimal("value", required=True), element.text("unit", required=True)
    return None if value is None or unit is None else quantity(abs(value), unit)


def _level(element: Element | None, uncarried: Problems) -> tuple[Quantity, Rate] | None:
    """Return the single dose and frequency of an endpoint; other schedules cannot be stepped through."""
    if element is None:
        return None
    by_frequency, by_period = element.child("frequencyDosage"), element.child("periodDosage")
    holder = by_frequency or by_period
    if holder is None:
        uncarried.add("unsupported", element.place, "a ramp goes between two frequencies; write others in words")
        return None
    dose = read_interval(holder.child("dose", required=True))
    if by_frequency is not None:
        rate = read_rate(by_frequency.child("frequency", required=True))
    else:
        span = read_span(holder.child("period", required=True))
        rate = None if span is None else Rate(times=1, period=span[0], unit=span[1])
    if dose is None or rate is None:
        return None
    if dose.single is None:
        uncarried.add("unsupported", holder.place, "the end of a ramp is one dose, not an interval")
        return None
    return dose.single, rate
