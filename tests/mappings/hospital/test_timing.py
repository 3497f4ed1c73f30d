"""Dosage and period of hospital orders: patterns, clock times, steps, ends."""

from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import pytest

from contracts.facts.prescribing import Order
from contracts.values import DosageStep, Quantity
from mappings.sources.reading import Reading
from tests.mappings.hospital.messages import HOSPITAL, Fields, order, read_segments
from tests.mappings.hospital.test_hl7 import problems_of

TABLET = Quantity(value=Decimal(1), unit="{tablet}")


def order_of(reading: Reading) -> Order:
    """The only order."""
    assert not reading.problems
    (fact,) = reading.facts
    assert isinstance(fact.content, Order)
    return fact.content


def step_of(timing: Fields) -> DosageStep:
    """The only step of an order with this TQ1."""
    (step,) = order_of(read_segments(order(timings=[timing]))).dosage.steps
    return step


@pytest.mark.parametrize(
    ("pattern", "step"),
    [
        ("BID", DosageStep(frequency=2, period=Decimal(1), period_unit="d")),
        ("5ID", DosageStep(frequency=5, period=Decimal(1), period_unit="d")),
        ("Q6H", DosageStep(frequency=1, period=Decimal(6), period_unit="h")),
        ("Q30M", DosageStep(frequency=2, period=Decimal(1), period_unit="h")),
        ("QOD", DosageStep(frequency=1, period=Decimal(2), period_unit="d")),
        ("Q2W", DosageStep(frequency=1, period=Decimal(2), period_unit="wk")),
        ("QJ1", DosageStep(frequency=1, period=Decimal(1), period_unit="wk", weekdays=("mon",))),
        ("Q2J7", DosageStep(frequency=1, period=Decimal(2), period_unit="wk", weekdays=("sun",))),
        ("ONCE", DosageStep(once=True)),
        ("PRN", DosageStep(as_needed=True)),
        ("PRNQ4H", DosageStep(as_needed=True, frequency=1, period=Decimal(4), period_unit="h")),
        ("Q7M", DosageStep(text="Q7M")),
        ("Q0D", DosageStep(text="Q0D")),
        ("ENLIGT SCHEMA", DosageStep(text="ENLIGT SCHEMA")),
    ],
)
def test_patterns_tell_how_often_or_stay_as_text(pattern: str, step: DosageStep) -> None:
    """Patterns of table 0335 and its rules are read; others keep their words and get no frequency."""
    assert step_of({3: pattern}) == msgspec.structs.replace(step, dose=TABLET)


def test_clock_times_alone_are_a_frequency() -> None:
    """Three times of day are three times a day."""
    step = step_of({3: "", 4: "2000~0800~1400"})

    assert (step.frequency, step.times_of_day) == (3, ("08:00", "14:00", "20:00"))


def test_clock_times_that_contradict_the_pattern_are_named() -> None:
    """Twice a day at three times is not settled by either."""
    assert problems_of(read_segments(order(timings=[{3: "BID", 4: "0800~1400~2000"}]))) == {
        ("contradiction", "TQ1[1]-4")
    }


@pytest.mark.parametrize(("joint", "sequences"), [("S", (1, 2)), ("A", (1, 1))])
def test_conjunctions_part_steps(joint: str, sequences: tuple[int, int]) -> None:
    """S begins the next step of a schedule, A stands beside."""
    timings = [{2: "2^tablett", 3: "QAM", 12: joint}, {2: "1^tablett", 3: "QPM"}]

    steps = order_of(read_segments(order(timings=timings))).dosage.steps

    assert tuple(step.sequence for step in steps) == sequences
    assert [step.dose for step in steps] == [Quantity(value=Decimal(2), unit="{tablet}"), TABLET]


def test_steps_without_conjunction_are_not_put_in_order() -> None:
    """Whether two timings follow or accompany each other is never guessed."""
    assert problems_of(read_segments(order(timings=[{}, {3: "QPM"}]))) == {("missing", "TQ1[1]-12")}


def test_a_duration_ends_the_period_on_the_local_calendar() -> None:
    """Seven days over the spring change are seven local days, one hour less than 168 hours."""
    timing = {6: "7^d", 7: "20240328080000"}

    period = order_of(read_segments(order(timings=[timing]))).period

    assert period.start == datetime(2024, 3, 28, 7, tzinfo=UTC)
    assert period.end == datetime(2024, 4, 4, 6, tzinfo=UTC)


@pytest.mark.parametrize(("meaning", "day"), [("first-day-not-taken", 8), ("last-day-taken", 9)])
def test_an_end_day_means_what_the_source_means(meaning: str, day: int) -> None:
    """The last TQ1-8 as a day alone is the first day without, or the last day with, the drug."""
    source = msgspec.convert({**msgspec.structs.asdict(HOSPITAL), "end_date": meaning}, type(HOSPITAL))

    reading = read_segments(order(timings=[{7: "20240302", 8: "20240309"}]), source=source)

    assert order_of(reading).period.end == datetime(2024, 3, day, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("timing", "place"), [({5: "1^h"}, "TQ1[1]-5"), ({14: "10"}, "TQ1[1]-14"), ({6: "3^h"}, "TQ1[1]-6")]
)
def test_what_would_change_the_dosage_and_cannot_be_carried_is_named(timing: Fields, place: str) -> None:
    """Relative times, a bare number of doses and parts of days are refused, not passed over."""
    assert place in {problem.place for problem in read_segments(order(timings=[timing])).problems}


def test_an_amount_interval_is_kept() -> None:
    """One to two tablets is a dose with an upper end, and the most per day stands beside it."""
    reading = read_segments(order(rxe={3: "1", 4: "2", 19: "8^tablett"}, timings=[{3: "PRN"}]))

    dosage = order_of(reading).dosage
    assert dosage.steps[0].dose_high == Quantity(value=Decimal(2), unit="{tablet}")
    assert dosage.max_per_day == Quantity(value=Decimal(8), unit="{tablet}")


def test_an_amount_without_unit_is_named() -> None:
    """One of what? The order is not put on the list before that is known."""
    assert problems_of(read_segments(order(rxe={5: ""}))) == {("missing", "RXE[1]-5")}
