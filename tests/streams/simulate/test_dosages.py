"""Dosages: what is planned on a day follows from what is written."""

from datetime import date, timedelta
from decimal import Decimal

from contracts.values import Dosage
from streams.simulate.clock import local, local_day
from streams.simulate.dosages import intakes_on, regular, tapering, when_needed
from streams.simulate.formulary import THERAPIES

MONDAY = date(2024, 3, 4)


def amounts(dosage: Dosage, day: date) -> list[str]:
    """Return the local clock time and the amount of every intake of a day, for a dosage that began on the Monday."""
    intakes = intakes_on(dosage, local(MONDAY, "00:00"), day)
    return [f"{(intake.at - local(day, '00:00'))} {intake.dose.value}" for intake in intakes]


def test_daily_dosage_is_taken_at_its_clock_times_every_day() -> None:
    """Twice daily is eight and twenty, local time."""
    dosage = regular(THERAPIES["apixaban"], Decimal(1), "{tablet}")

    assert amounts(dosage, MONDAY) == ["8:00:00 1", "20:00:00 1"]
    assert amounts(dosage, MONDAY + timedelta(days=5)) == ["8:00:00 1", "20:00:00 1"]


def test_weekly_dosage_is_taken_on_its_weekday() -> None:
    """Methotrexate is taken on Tuesdays alone."""
    dosage = regular(THERAPIES["methotrexate"], Decimal(4), "{tablet}")

    taken = [offset for offset in range(14) if amounts(dosage, MONDAY + timedelta(days=offset))]

    assert taken == [1, 8]


def test_cyclic_dosage_is_taken_on_the_first_days_of_each_cycle() -> None:
    """Five days of seven, counted from the first."""
    dosage = regular(THERAPIES["folic acid"], Decimal(1), "{tablet}")

    taken = [offset for offset in range(9) if amounts(dosage, MONDAY + timedelta(days=offset))]

    assert taken == [0, 1, 2, 3, 4, 7, 8]


def test_tapering_goes_down_step_by_step_and_ends() -> None:
    """Three days on each amount, nothing afterwards."""
    dosage = tapering(THERAPIES["prednisolone"], "{tablet}", days_per_step=3)

    taken = [amounts(dosage, MONDAY + timedelta(days=offset)) for offset in (0, 2, 3, 11, 12)]

    assert taken == [["8:00:00 6"], ["8:00:00 6"], ["8:00:00 4"], ["8:00:00 1"], []]


def test_what_is_taken_when_needed_is_never_planned() -> None:
    """As needed has a most per day and no clock time."""
    dosage = when_needed(THERAPIES["paracetamol"], Decimal(2), "{tablet}")

    assert amounts(dosage, MONDAY) == []
    assert dosage.max_per_day is not None
    assert dosage.max_per_day.value == Decimal(8)


def test_clock_times_are_swedish() -> None:
    """Eight in the morning is six or seven, UTC, by the season; the day stays the Swedish one."""
    winter, summer = local(date(2024, 1, 10), "08:00"), local(date(2024, 7, 10), "08:00")

    assert (winter.hour, summer.hour) == (7, 6)
    assert local_day(local(date(2024, 7, 10), "00:30")) == date(2024, 7, 10)
