"""Dosages of the simulated world, and the intakes that follow from them."""

from datetime import date, datetime
from decimal import Decimal

import msgspec

from contracts.values import Dosage, DosageStep, Quantity
from streams.simulate.clock import local, local_day
from streams.simulate.formulary import Therapy

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WORDS = {
    "{tablet}": "tablett", "{capsule}": "kapsel", "{puff}": "inhalation", "{sachet}": "dospåse", "{vial}": "flaska",
    "{syringe}": "spruta", "[iU]": "enheter", "[drp]": "droppe", "ml": "ml", "{patch}": "plåster",
}  # fmt: skip


class Intake(msgspec.Struct, frozen=True, kw_only=True):
    """One planned intake: when, and how much."""

    at: datetime
    dose: Quantity


def regular(therapy: Therapy, units: Decimal, unit: str) -> Dosage:
    """Return the regular dosage of a therapy: daily, on weekdays, or on the first days of a cycle."""
    dose = Quantity(value=units, unit=unit)
    words = f"{_number(units)} {_WORDS[unit]} kl {', '.join(therapy.clocks)}"
    if therapy.weekdays:
        step = _weekly(therapy, dose)
        words = f"{words} en gång i veckan"
    elif therapy.cycle is not None:
        days, taken = therapy.cycle
        step = msgspec.structs.replace(_daily(therapy, dose), cycle_days=days, days_in_cycle=tuple(range(1, taken + 1)))
        words = f"{words} dag 1-{taken} av {days}"
    else:
        step = _daily(therapy, dose)
    return Dosage(text=words, steps=(step,))


def when_needed(therapy: Therapy, units: Decimal, unit: str) -> Dosage:
    """Return the dosage of a drug that is taken when needed (vid behov). Raises ``ValueError`` without a maximum."""
    if therapy.most_per_day is None:
        raise ValueError(f"{therapy.name} has no most per day")
    most = Decimal(therapy.most_per_day)
    return Dosage(
        text=f"{_number(units)} {_WORDS[unit]} vid behov, högst {_number(most)} per dygn",
        steps=(DosageStep(dose=Quantity(value=units, unit=unit), as_needed=True),),
        max_per_day=Quantity(value=most, unit=unit),
    )


def tapering(therapy: Therapy, unit: str, days_per_step: int) -> Dosage:
    """Return a dosage that goes down through all amounts of the therapy, some days on each."""
    steps = tuple(
        msgspec.structs.replace(
            _daily(therapy, Quantity(value=Decimal(units), unit=unit)), sequence=place, duration_days=days_per_step
        )
        for place, units in enumerate(therapy.units, start=1)
    )
    words = ", sedan ".join(f"{units} {_WORDS[unit]} dagligen i {days_per_step} dagar" for units in therapy.units)
    return Dosage(text=words, steps=steps)


def intakes_on(dosage: Dosage, begun: datetime, day: date) -> list[Intake]:
    """Return the planned intakes of a day, when the dosage applies since ``begun``; none for one taken when needed."""
    number = (day - local_day(begun)).days
    return [
        Intake(at=local(day, clock), dose=step.dose)
        for step in _steps_on(dosage, number)
        if step.dose is not None and not step.as_needed and _falls_on(step, number, day)
        for clock in step.times_of_day
    ]


def _steps_on(dosage: Dosage, number: int) -> list[DosageStep]:
    if not any(step.duration_days for step in dosage.steps):
        return list(dosage.steps)
    first = 0
    for step in dosage.steps:
        first += step.duration_days or 0
        if number < first:
            return [step]
    return []


def _falls_on(step: DosageStep, number: int, day: date) -> bool:
    if step.weekdays:
        return _WEEKDAYS[day.weekday()] in step.weekdays
    if step.cycle_days is not None:
        return number % step.cycle_days + 1 in step.days_in_cycle
    return True


def _daily(therapy: Therapy, dose: Quantity) -> DosageStep:
    return DosageStep(
        dose=dose, frequency=len(therapy.clocks), period=Decimal(1), period_unit="d", times_of_day=therapy.clocks
    )


def _weekly(therapy: Therapy, dose: Quantity) -> DosageStep:
    return DosageStep(
        dose=dose,
        frequency=len(therapy.clocks),
        period=Decimal(1),
        period_unit="wk",
        times_of_day=therapy.clocks,
        weekdays=therapy.weekdays,
    )


def _number(value: Decimal) -> str:
    return str(value.normalize() if value != value.to_integral() else value.to_integral()).replace(".", ",")
