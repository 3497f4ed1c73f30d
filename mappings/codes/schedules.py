"""Intake schedules: occasions within a period of days (NOD, RIVTA, dose dispensing) into dosage steps."""

from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from typing import Final

import msgspec

from contracts.values import DosageStep, Quantity

MOST_TIMES: Final = 1_000
"""How often per period a dose can be taken."""
LONGEST_CYCLE_DAYS: Final = 366
"""Longest period after which a schedule repeats."""
LONGEST_DURATION_DAYS: Final = 36_525
"""Longest time that a step can last: a hundred years."""
MOST_OCCASIONS: Final = 500
"""How many intakes a schedule can list."""


class Occasion(msgspec.Struct, frozen=True, kw_only=True):
    """One intake (intagstillfälle): ``day`` counts from 1 in the period; ``time`` is ``hh:mm``; ``words`` what is no time."""

    day: int
    dose: Quantity | None
    dose_high: Quantity | None = None
    time: str | None = None
    words: str | None = None


def steps_of(occasions: Iterable[Occasion], cycle_days: int) -> tuple[DosageStep, ...]:
    """Return steps for a schedule that repeats every ``cycle_days``: equal doses on equal days become one step.

    Twice a day reads as twice a day, and a schedule that lists every day of its period reads as daily.
    """
    days: dict[tuple[_Dose, str | None, int], list[int]] = {}
    for occasion, count in Counter(occasions).items():
        dose = (occasion.dose, occasion.dose_high, occasion.words)
        days.setdefault((dose, occasion.time, count), []).append(occasion.day)
    clocks: dict[tuple[_Dose, tuple[int, ...]], list[tuple[str | None, int]]] = {}
    for (dose, time, count), on in days.items():
        clocks.setdefault((dose, tuple(sorted(on))), []).append((time, count))
    return tuple(_step(dose, on, clock, cycle_days) for (dose, on), clock in clocks.items())


_Dose = tuple[Quantity | None, Quantity | None, str | None]


def _step(dose: _Dose, on: tuple[int, ...], clock: list[tuple[str | None, int]], cycle_days: int) -> DosageStep:
    is_daily = len(on) == cycle_days == on[-1]
    low, high, words = dose
    return DosageStep(
        dose=low,
        dose_high=high,
        frequency=sum(count for _, count in clock),
        period=Decimal(1),
        period_unit="d",
        times_of_day=tuple(sorted(time for time, _ in clock if time is not None)),
        cycle_days=None if is_daily else cycle_days,
        days_in_cycle=() if is_daily else on,
        text=words,
    )
