"""Dosage and period of an order: TQ1 segments, and the amounts and instructions of RXE (chapter 4.5.4, 4.14.4).

Rules this module owns:

1. Each TQ1 is a dosage step. TQ1-12 parts them: ``S`` the next follows this one, ``A`` the next goes beside it (table 0472).
2. An amount with a unit in TQ1-2 is the step's dose; else RXE-3, and RXE-4 if it is another, with the unit of RXE-5.
3. The period is from the first TQ1-7 to the last TQ1-8; without TQ1-8 it ends TQ1-6 whole days after TQ1-7.
4. What would change the dosage and cannot be carried is refused by name: RXE-1, TQ1-5, TQ1-14 without an end.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from contracts.sources import SourceSystem
from contracts.values import Dosage, DosageStep, Period, Quantity
from mappings.codes.times import to_utc
from mappings.codes.units import quantity
from mappings.sources.hospital import times
from mappings.sources.hospital.drugs import amount
from mappings.sources.hospital.fields import Field, Segment
from mappings.sources.hospital.frequency import AS_NEEDED, read_frequency

FOLLOWS: Final = "S"
BESIDE: Final = "A"
MAX_DAYS: Final = 3_660

_DAYS: Final = {
    "d": 1,
    "day": 1,
    "days": 1,
    "dag": 1,
    "dagar": 1,
    "wk": 7,
    "week": 7,
    "weeks": 7,
    "vecka": 7,
    "veckor": 7,
}


class Timing(msgspec.Struct, frozen=True, kw_only=True):
    """What an order's segments say about dose and time."""

    dosage: Dosage
    period: Period


class _Part(msgspec.Struct, frozen=True, kw_only=True):
    """What one TQ1 says."""

    step: DosageStep
    start: datetime | None
    end: datetime | None
    joint: str | None


def read_timing(rxe: Segment, timings: Sequence[Segment], source: SourceSystem) -> Timing:
    """Return dosage and period of an order."""
    rxe.refuse(1, "send the timing in TQ1 segments")
    parts = [_part(timing, source) for timing in timings]
    _check_joints(parts, timings)
    steps = _steps(rxe, parts)
    as_needed = any(step.as_needed for step in steps)
    most = _composite(rxe.field(19)) if as_needed else None
    return Timing(
        dosage=Dosage(text=_instructions(rxe.fields(7)), steps=steps, max_per_day=most),
        period=_period(parts),
    )


def _steps(rxe: Segment, parts: Sequence[_Part]) -> tuple[DosageStep, ...]:
    low, high = amount(rxe, 3, 5), amount(rxe, 4, 5)
    if high == low:
        high = None
    if low is not None and high is not None and high.value < low.value:
        rxe.problems.add("contradiction", rxe.at(4), "the greatest amount is less than the least, RXE-3")
    rate = _rate(rxe)
    sequence = 1
    steps: list[DosageStep] = []
    for part in parts or [_Part(step=DosageStep(), start=None, end=None, joint=None)]:
        own = part.step.dose
        step = msgspec.structs.replace(
            part.step,
            sequence=sequence,
            dose=own or low,
            dose_high=None if own else high,
            text=_joined(part.step.text, rate),
        )
        if step != DosageStep(sequence=sequence):
            steps.append(step)
        sequence += part.joint == FOLLOWS
    return tuple(steps)


def _part(timing: Segment, source: SourceSystem) -> _Part:
    timing.refuse(5, "relative times cannot be carried; state start and end in TQ1-7 and TQ1-8")
    begin, end = times.start(timing, 7, source), times.end(timing, 8, source)
    days = _whole_days(timing.field(6))
    if begin is not None and end is None and days is not None:
        end = _after(begin, days, source, timing)
    if begin is not None and end is not None and end <= begin:
        timing.problems.add("contradiction", timing.at(8), "the end is not after the start, TQ1-7")
    step = read_frequency(timing)
    occurrences = timing.whole(14)
    if occurrences is not None and occurrences != 1 and end is None:
        timing.problems.add("unsupported", timing.at(14), "state the end (TQ1-8) or the duration (TQ1-6) as well")
    step = msgspec.structs.replace(
        step,
        dose=_composite(timing.field(2)),
        as_needed=step.as_needed or AS_NEEDED in {field.text(1) for field in timing.fields(9)},
        once=step.once or occurrences == 1,
        duration_days=days or _days_between(begin, end, source),
        text=_joined(step.text, timing.text(10), timing.text(11)),
    )
    return _Part(step=step, start=begin, end=end, joint=timing.text(12))


def _check_joints(parts: Sequence[_Part], timings: Sequence[Segment]) -> None:
    for part, timing in list(zip(parts, timings, strict=True))[:-1]:
        if part.joint not in {FOLLOWS, BESIDE}:
            code = "missing" if part.joint is None else "unknown-code"
            timing.problems.add(code, timing.at(12), "state S (the next TQ1 follows) or A (it goes beside this one)")


def _period(parts: Sequence[_Part]) -> Period:
    starts = [part.start for part in parts if part.start is not None]
    ends = [part.end for part in parts if part.end is not None]
    ends_with_the_last = bool(parts) and parts[-1].end is not None
    ends_with_all = len(ends) == len(parts)
    followed = any(part.joint == FOLLOWS for part in parts[:-1])
    has_end = ends_with_the_last if followed else ends_with_all
    return Period(start=min(starts, default=None), end=max(ends, default=None) if has_end else None)


def _composite(field: Field | None) -> Quantity | None:
    """Return a CQ: amount, and unit in component 2. ``1`` without unit is no dose (TQ1-2 counts services by default)."""
    if field is None:
        return None
    value, unit = field.amount(1), field.part(2, 1)
    if value is not None and unit is None and value != 1:
        field.problems.add("missing", field.at(2), "state the unit")
    return None if value is None or unit is None else quantity(value, unit)


def _whole_days(field: Field | None) -> int | None:
    if field is None:
        return None
    value, unit = field.amount(1), field.part(2, 1)
    if value is None:
        return None
    days = value * _DAYS[unit.casefold()] if unit is not None and unit.casefold() in _DAYS else None
    if days is None or days != days.to_integral_value() or not 0 < days <= MAX_DAYS:
        field.problems.add("unreadable", field.place, "write the duration in whole days or weeks, such as 10^d")
        return None
    return int(days)


def _after(begin: datetime, days: int, source: SourceSystem, timing: Segment) -> datetime | None:
    local = begin.astimezone(ZoneInfo(source.zone)).replace(tzinfo=None) + timedelta(days=days)
    return timing.problems.keep(to_utc(local, source.zone, timing.at(6)))


def _days_between(begin: datetime | None, end: datetime | None, source: SourceSystem) -> int | None:
    if begin is None or end is None:
        return None
    zone = ZoneInfo(source.zone)
    local_begin, local_end = begin.astimezone(zone).replace(tzinfo=None), end.astimezone(zone).replace(tzinfo=None)
    span = local_end - local_begin
    return span.days if span > timedelta(0) and span == timedelta(days=span.days) else None


def _rate(rxe: Segment) -> str | None:
    """Return the rate of an infusion as words: it tells how fast a dose is given, not how much."""
    rate, unit, per = rxe.text(23), rxe.text(24), rxe.text(22)
    if rate is None:
        return None
    return " ".join(part for part in (rate, unit, None if per is None else f"/ {per}") if part is not None)


def _instructions(fields: Sequence[Field]) -> str | None:
    words = [field.text(2) or field.text(1) for field in fields]
    return "\n".join(word for word in words if word is not None) or None


def _joined(*texts: str | None) -> str | None:
    return "; ".join(text for text in texts if text is not None) or None
