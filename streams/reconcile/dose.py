"""The normalised daily dose: exact, in the substance's unit where the strength is known, or the reason why there is none."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Final

import msgspec

from contracts.medication_list import DailyDose
from contracts.values import Dosage, DosageStep, Quantity
from streams.reconcile.profile import Profile, to_base

COUNT_UNIT: Final = "{unit}"
"""The unit of a dose that counts tablets, capsules or pieces whose strength is not known."""

_NOT_STATED = DailyDose(status="not-stated")
_VARIES = DailyDose(status="varies")
_NOT_COMPARABLE = DailyDose(status="not-comparable")
_HOURS_PER: Final = {"h": 1, "d": 24, "wk": 24 * 7, "mo": 24 * 30}
_MICRO = Decimal("0.000001")


class Dose(msgspec.Struct, frozen=True, gc=False):
    """A daily dose as shown, and exactly, for comparing."""

    shown: DailyDose
    exact: Fraction | None = None

    def differs(self, other: "Dose") -> bool | None:
        """Say whether two doses differ; ``None``: they cannot be compared."""
        if self.exact is None or other.exact is None or self.shown.unit != other.shown.unit:
            return None
        return self.exact != other.exact


def daily_dose(dosage: Dosage, profile: Profile, start: datetime | None, when: datetime) -> Dose:
    """Return the daily dose that a dosage means at ``when`` for a treatment that began at ``start``."""
    if not dosage.steps:
        return _as_needed(dosage, profile) if dosage.max_per_day else Dose(_NOT_STATED)
    steps = _steps_at(dosage.steps, start, when)
    if steps is None:
        return Dose(_VARIES)
    regular = [step for step in steps if not step.as_needed]
    if not regular:
        return _as_needed(dosage, profile)
    return _sum(tuple(regular), profile)


@lru_cache(maxsize=50_000)
def _sum(steps: tuple[DosageStep, ...], profile: Profile) -> Dose:
    total = Fraction(0)
    units: set[str] = set()
    for step in steps:
        per_day = _times_per_day(step)
        if step.dose is None or per_day is None:
            return Dose(_VARIES if step.dose is not None and _has_rhythm(step) else _NOT_STATED)
        amount, unit = in_substance(step.dose, profile)
        total += amount * per_day
        units.add(unit)
    if len(units) != 1:
        return Dose(_NOT_COMPARABLE)
    return Dose(DailyDose(status="computed", value=to_decimal(total), unit=units.pop()), total)


def in_substance(dose: Quantity, profile: Profile) -> tuple[Fraction, str]:
    """Return the dose in the substance's unit where one strength is known, else as it was stated."""
    value, unit = to_base(dose.value, dose.unit)
    amount = Fraction(value)
    counted = unit.startswith("{") or unit == "1"
    if len(profile.strengths) == 1:
        _, strength, strength_unit = profile.strengths[0]
        per, slash, of = strength_unit.partition("/")
        if counted and not slash:
            return amount * Fraction(strength), per
        if slash and of == unit:
            return amount * Fraction(strength), per
    return amount, COUNT_UNIT if counted else unit


def to_decimal(value: Fraction) -> Decimal:
    """Return the exact decimal where there is one, else rounded to a millionth."""
    rounded = (Decimal(value.numerator) / Decimal(value.denominator)).quantize(_MICRO).normalize()
    return Decimal(f"{rounded:f}")


def step_boundaries(dosage: Dosage, start: datetime | None) -> Iterator[datetime]:
    """Return the moments at which a stepwise dosage goes on to its next step."""
    if start is None:
        return
    moment = start
    for _, days in _sequence_lengths(dosage.steps):
        if days is None:
            return
        moment += timedelta(days=days)
        yield moment


def _as_needed(dosage: Dosage, profile: Profile) -> Dose:
    if dosage.max_per_day is None:
        return Dose(DailyDose(status="as-needed"))
    amount, unit = in_substance(dosage.max_per_day, profile)
    return Dose(DailyDose(status="as-needed", value=to_decimal(amount), unit=unit), None)


def _sequence_lengths(steps: Iterable[DosageStep]) -> list[tuple[int, int | None]]:
    if isinstance(steps, tuple) and len(steps) == 1:
        return [(steps[0].sequence, steps[0].duration_days)]
    lengths: dict[int, int | None] = {}
    for step in sorted(steps, key=lambda s: s.sequence):
        before = lengths.get(step.sequence, 0)
        unknown = step.duration_days is None or before is None
        lengths[step.sequence] = None if unknown else max(before or 0, step.duration_days or 0)
    return sorted(lengths.items())


def _steps_at(steps: tuple[DosageStep, ...], start: datetime | None, when: datetime) -> list[DosageStep] | None:
    """Return the parallel steps that apply at ``when``; ``None`` if that cannot be known."""
    lengths = _sequence_lengths(steps)
    if len(lengths) == 1:
        return list(steps)
    if start is None:
        return None
    begins = start
    for sequence, days in lengths:
        ends = None if days is None else begins + timedelta(days=days)
        if ends is None or when < ends:
            return [step for step in steps if step.sequence == sequence]
        begins = ends
    return [step for step in steps if step.sequence == lengths[-1][0]]


def _has_rhythm(step: DosageStep) -> bool:
    return bool(step.once or step.frequency or step.times_of_day or step.weekdays or step.days_in_cycle)


def _times_per_day(step: DosageStep) -> Fraction | None:
    """Return doses per day; ``None`` where days differ, the dose is an interval, or no rhythm is stated."""
    if step.once or step.weekdays or step.dose_high is not None:
        return None
    if step.cycle_days is not None and set(step.days_in_cycle) != set(range(1, step.cycle_days + 1)):
        return None
    count = step.frequency or len(step.times_of_day)
    if not count:
        return None
    if step.period is None or step.period_unit is None:
        return Fraction(count) if step.times_of_day or step.cycle_days else None
    hours = Fraction(step.period) * _HOURS_PER[step.period_unit]
    if not hours or hours > _HOURS_PER["d"]:
        return None
    return Fraction(count) * _HOURS_PER["d"] / hours
