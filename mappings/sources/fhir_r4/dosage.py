"""FHIR R4 ``Dosage`` and ``Timing.repeat`` (2.28, 2.24.0.15) into dosage steps, with the NLL profile's words.

What the steps cannot carry stays as the step's text; nothing is turned into another frequency.
"""

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Final, Literal

import msgspec

from contracts.values import Dosage, DosageStep, PeriodUnit, Quantity
from mappings.codes.json_input import JsonObject
from mappings.codes.times import read_time_of_day
from mappings.sources.fhir_r4.elements import amount

PERIOD_UNITS: Final[Mapping[str, PeriodUnit]] = MappingProxyType({"h": "h", "d": "d", "wk": "wk", "mo": "mo"})
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: Final[Mapping[str, Weekday]] = MappingProxyType(
    {"mon": "mon", "tue": "tue", "wed": "wed", "thu": "thu", "fri": "fri", "sat": "sat", "sun": "sun"}
)
_DAYS: Final = {"d": 1, "wk": 7}


def read_dosage(instructions: tuple[JsonObject, ...]) -> Dosage:
    """Return the dosage of ``dosageInstruction``; its words are those that the patient reads."""
    texts = [body.text("patientInstruction") or body.text("text") for body in instructions]
    most = [found for body in instructions if (found := _most_per_day(body)) is not None]
    if len(set(most)) > 1:
        instructions[0].problems.add("contradiction", instructions[0].at("maxDosePerPeriod"), "state one most per day")
    return Dosage(
        text="\n".join(text for text in texts if text is not None) or None,
        steps=tuple(step for body in instructions if (step := _step(body)) != DosageStep()),
        max_per_day=most[0] if most else None,
    )


def _step(body: JsonObject) -> DosageStep:
    """Return the step of one instruction; one that says nothing structured equals an empty step."""
    low, high = _dose(body)
    timing = body.child("timing")
    repeat = None if timing is None else timing.child("repeat")
    sequence = body.whole("sequence")
    base = DosageStep(
        sequence=1 if sequence is None else sequence,
        dose=low,
        dose_high=high,
        as_needed=body.flag("asNeededBoolean") or "asNeededCodeableConcept" in body,
    )
    if repeat is None:
        return DosageStep() if base == DosageStep(sequence=base.sequence) else base
    times = (repeat.problems.keep(read_time_of_day(text, repeat.at("timeOfDay"))) for text in repeat.texts("timeOfDay"))
    days = [day for text in repeat.texts("dayOfWeek") if (day := _weekday(text, repeat)) is not None]
    rate = _rate(repeat)
    return msgspec.structs.replace(
        base,
        frequency=rate.frequency,
        period=rate.period,
        period_unit=rate.period_unit,
        times_of_day=tuple(sorted({time for time in times if time is not None})),
        weekdays=tuple(days),
        duration_days=_duration(repeat.child("boundsDuration")),
        once=repeat.whole("count") == 1 and rate.frequency is None,
        text=" ".join(repeat.texts("when")) or None,
    )


def _dose(body: JsonObject) -> tuple[Quantity | None, Quantity | None]:
    rates = body.children("doseAndRate")
    if len(rates) > 1:
        body.problems.add("contradiction", body.at("doseAndRate"), "state one dose; several steps have sequences")
    if len(rates) != 1:
        return None, None
    span = rates[0].child("doseRange")
    if span is None:
        return amount(rates[0].child("doseQuantity")), None
    return amount(span.child("low", required=True)), amount(span.child("high", required=True))


class _Rate(msgspec.Struct, frozen=True, kw_only=True):
    frequency: int | None = None
    period: Decimal | None = None
    period_unit: PeriodUnit | None = None


def _rate(repeat: JsonObject) -> _Rate:
    for name in ("frequencyMax", "periodMax", "countMax"):
        if name in repeat:
            repeat.problems.add(
                "unsupported", repeat.at(name), "an interval of times cannot be carried; state one number"
            )
    frequency, period, unit = repeat.whole("frequency"), repeat.decimal("period"), repeat.text("periodUnit")
    if period is None and unit is None and frequency is None:
        return _Rate()
    known = None if unit is None else PERIOD_UNITS.get(unit)
    if unit is not None and known is None:
        repeat.problems.add("unsupported", repeat.at("periodUnit"), f"state one of: {', '.join(PERIOD_UNITS)}")
    if period is None or unit is None:
        repeat.problems.add("missing", repeat.at("period"), "a frequency goes with period and periodUnit")
    for name, value in (("frequency", frequency), ("period", period)):
        if value is not None and value <= 0:
            repeat.problems.add("unreadable", repeat.at(name), "must be greater than zero")
    return _Rate(frequency=1 if frequency is None else frequency, period=period, period_unit=known)


def _weekday(text: str, repeat: JsonObject) -> Weekday | None:
    day = WEEKDAYS.get(text)
    if day is None:
        repeat.problems.add("unknown-code", repeat.at("dayOfWeek"), f"state one of: {', '.join(WEEKDAYS)}")
    return day


def _duration(bounds: JsonObject | None) -> int | None:
    stated = amount(bounds)
    if bounds is None or stated is None:
        return None
    days = stated.value * _DAYS.get(stated.unit, 0)
    if days <= 0 or days != days.to_integral_value():
        bounds.problems.add("unsupported", bounds.place, "state the duration in whole days or weeks")
        return None
    return int(days)


def _most_per_day(body: JsonObject) -> Quantity | None:
    ratio = body.child("maxDosePerPeriod")
    if ratio is None:
        return None
    numerator, denominator = (
        amount(ratio.child("numerator", required=True)),
        amount(ratio.child("denominator", required=True)),
    )
    if denominator is not None and denominator != Quantity(value=Decimal(1), unit="d"):
        ratio.problems.add("unsupported", ratio.at("denominator"), "state the most per one day, {value: 1, code: d}")
    return numerator
