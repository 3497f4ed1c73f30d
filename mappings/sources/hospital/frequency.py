"""How often a dose is taken: repeat pattern and clock times of TQ1 (HL7 v2.5.1 table 0335, chapter 4.5.4.3-4).

A pattern that no rule reads stays as the step's text, without a guess at its frequency. Months (``Q1L``, lunar) and seconds
are such patterns. ``PRN`` before a pattern (``PRNQ6H``) makes it as needed.
"""

import re
from decimal import Decimal
from typing import Final, Literal

import msgspec

from contracts.values import DosageStep, PeriodUnit
from mappings.codes.hl7 import REPEAT_PATTERNS
from mappings.codes.times import read_time_of_day
from mappings.sources.hospital.fields import Segment

AS_NEEDED: Final = "PRN"
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: Final[tuple[Weekday, ...]] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_EVERY = re.compile(r"Q(\d{1,3})?([MHDW])", re.ASCII)
_TIMES_A_DAY = re.compile(r"(\d{1,2})ID", re.ASCII)
_WEEKDAY = re.compile(r"Q([1-9])?J([1-7])", re.ASCII)
_UNITS: Final[dict[str, PeriodUnit]] = {"H": "h", "D": "d", "W": "wk"}
_MINUTES_PER_HOUR = 60


def read_frequency(timing: Segment) -> DosageStep:
    """Return a step that tells how often (TQ1-3.1) and at which clock times (TQ1-4), and nothing about the dose."""
    clock = _clock_times(timing)
    pattern = timing.field(3)
    code = None if pattern is None else pattern.part(1, 1)
    step = DosageStep() if code is None else _pattern(code.upper())
    if code is None and clock:
        step = DosageStep(frequency=len(clock), period=Decimal(1), period_unit="d")
    is_daily = (step.period, step.period_unit) == (Decimal(1), "d")
    if clock and is_daily and step.frequency != len(clock):
        timing.problems.add("contradiction", timing.at(4), "the clock times are not as many as TQ1-3 says")
    return msgspec.structs.replace(step, times_of_day=clock)


def _clock_times(timing: Segment) -> tuple[str, ...]:
    times: set[str] = set()
    for field in timing.fields(4):
        text = field.text(1)
        time = None if text is None else timing.problems.keep(read_time_of_day(text, field.place))
        if time is not None:
            times.add(time)
    return tuple(sorted(times))


def _pattern(code: str) -> DosageStep:
    as_needed = code.startswith(AS_NEEDED)
    bare = code.removeprefix(AS_NEEDED)
    if not bare:
        return DosageStep(as_needed=True)
    step = _from_table(bare) or _times_a_day(bare) or _every(bare) or _on_weekday(bare) or DosageStep(text=bare)
    return msgspec.structs.replace(step, as_needed=True) if as_needed else step


def _from_table(code: str) -> DosageStep | None:
    row = REPEAT_PATTERNS.get(code)
    if row is None:
        return None
    if row.once:
        return DosageStep(once=True)
    return DosageStep(frequency=row.frequency, period=row.period, period_unit=row.period_unit, as_needed=row.as_needed)


def _times_a_day(code: str) -> DosageStep | None:
    found = _TIMES_A_DAY.fullmatch(code)
    if found is None or not int(found[1]):
        return None
    return DosageStep(frequency=int(found[1]), period=Decimal(1), period_unit="d")


def _every(code: str) -> DosageStep | None:
    found = _EVERY.fullmatch(code)
    count = 0 if found is None else int(found[1] or 1)
    if found is None or not count:
        return None
    if found[2] != "M":
        return DosageStep(frequency=1, period=Decimal(count), period_unit=_UNITS[found[2]])
    if _MINUTES_PER_HOUR % count:
        return None
    return DosageStep(frequency=_MINUTES_PER_HOUR // count, period=Decimal(1), period_unit="h")


def _on_weekday(code: str) -> DosageStep | None:
    found = _WEEKDAY.fullmatch(code)
    if found is None:
        return None
    weekday = WEEKDAYS[int(found[2]) - 1]
    return DosageStep(frequency=1, period=Decimal(found[1] or 1), period_unit="wk", weekdays=(weekday,))
