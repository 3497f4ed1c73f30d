"""The normalised daily dose: which dosages have a figure, which figure, and why there is none."""

from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from contracts.medication_list import DailyDose
from contracts.values import Dosage, DosageStep, Medication, Quantity
from mappings.codes.products import PRODUCTS
from streams.reconcile.dose import Dose, daily_dose, in_substance, step_boundaries, to_decimal
from streams.reconcile.policy import default_rules
from streams.reconcile.products import ProductKnowledge
from streams.reconcile.profile import Profile, Profiler
from tests.streams.reconcile.clauses import moment

PROFILER = Profiler(ProductKnowledge(products={}, atc_substances={}), default_rules().form_group)
START = moment("2026-01-01")


def profile(name: str) -> Profile:
    """Return the profile of a product of the table."""
    (row,) = [row for row in PRODUCTS.values() if row.name == name]
    return PROFILER(Medication(kind="registered", text=name, ingredients=row.ingredients, form=row.form), None)


FURIX = profile("Furix 40 mg")
NO_STRENGTH = PROFILER(Medication(kind="registered", text="Specialkapsel"), None)


def amount(value: str, unit: str) -> Quantity:
    """Return a quantity."""
    return Quantity(value=Decimal(value), unit=unit)


ONE = amount("1", "{tablet}")


def step(**said: object) -> DosageStep:
    """Return a step of one tablet."""
    return DosageStep(**{"dose": ONE, **said})  # type: ignore[arg-type]  # a test's own words


def shown(*steps: DosageStep, of: Profile = FURIX, day: int = 0) -> str:
    """Return the daily dose of a dosage in words, some days after its start."""
    dose = daily_dose(Dosage(steps=steps), of, START, START + timedelta(days=day)).shown
    return f"{dose.value} {dose.unit}" if dose.status == "computed" else dose.status


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"frequency": 1, "period": 1, "period_unit": "d"}, "40 mg"),
        ({"frequency": 3, "period": 1, "period_unit": "d"}, "120 mg"),
        ({"frequency": 1, "period": 8, "period_unit": "h"}, "120 mg"),
        ({"frequency": 1, "period": 24, "period_unit": "h"}, "40 mg"),
        ({"frequency": 2, "period": 12, "period_unit": "h"}, "160 mg"),
        ({"frequency": 1, "period": 25, "period_unit": "h"}, "varies"),
        ({"frequency": 1, "period": 2, "period_unit": "d"}, "varies"),
        ({"frequency": 7, "period": 1, "period_unit": "wk"}, "varies"),
        ({"frequency": 30, "period": 1, "period_unit": "mo"}, "varies"),
        ({"frequency": 1, "period": 0, "period_unit": "d"}, "varies"),
        ({"frequency": 2}, "varies"),
        ({"frequency": 2, "period": 1}, "varies"),
        ({"frequency": 2, "period_unit": "d"}, "varies"),
        ({"times_of_day": ("08:00", "20:00")}, "80 mg"),
        ({"times_of_day": ("08:00", "20:00"), "period": 1, "period_unit": "d"}, "80 mg"),
        ({"frequency": 2, "cycle_days": 2, "days_in_cycle": (2, 1)}, "80 mg"),
        ({"frequency": 2, "cycle_days": 2, "days_in_cycle": (1,)}, "varies"),
        ({"frequency": 2, "cycle_days": 2, "days_in_cycle": (1, 2, 3)}, "varies"),
        ({"frequency": 1, "period": 1, "period_unit": "d", "weekdays": ("mon",)}, "varies"),
        ({"once": True}, "varies"),
        ({"once": True, "frequency": 1, "period": 1, "period_unit": "d"}, "varies"),
        ({"weekdays": ("mon",)}, "varies"),
        ({"days_in_cycle": (1,)}, "varies"),
        ({"frequency": 1, "period": 1, "period_unit": "d", "dose_high": amount("2", "{tablet}")}, "varies"),
        ({}, "not-stated"),
        ({"dose": None, "frequency": 1, "period": 1, "period_unit": "d"}, "not-stated"),
        ({"dose": None, "weekdays": ("mon",)}, "not-stated"),
    ],
)
def test_a_step_is_a_daily_dose_only_where_every_day_is_alike(said: dict[str, object], expected: str) -> None:
    """A rhythm of at most a day gives a figure; what differs between days varies; what was not said is not stated."""
    assert shown(step(**said)) == expected


def test_parallel_steps_are_added() -> None:
    """One in the morning and two in the evening are three a day; in different units they are not comparable."""
    morning = step(times_of_day=("08:00",))
    evening = step(dose=amount("2", "{tablet}"), times_of_day=("20:00",))
    drops = step(dose=amount("5", "{drop}"), times_of_day=("20:00",))

    assert shown(morning, evening) == "120 mg"
    assert shown(morning, evening, of=NO_STRENGTH) == "3 {unit}"
    assert shown(morning, step(dose=amount("5", "ml"), times_of_day=("20:00",))) == "not-comparable"
    assert shown(morning, drops, of=NO_STRENGTH) == "6 {unit}"


def test_what_is_taken_as_needed_is_not_added_to_the_regular_dose() -> None:
    """A regular dose with an extra one as needed shows the regular dose; only as needed shows that."""
    regular = step(frequency=1, period=1, period_unit="d")
    extra = step(as_needed=True)

    assert shown(regular, extra) == "40 mg"
    assert shown(extra) == "as-needed"


def test_a_most_per_day_without_steps_is_as_needed() -> None:
    """A dosage that states only the most per day shows that as the figure, and is never compared."""
    dose = daily_dose(Dosage(max_per_day=amount("3", "{tablet}")), FURIX, START, START)

    assert dose == Dose(DailyDose(status="as-needed", value=Decimal(120), unit="mg"))
    assert daily_dose(Dosage(), FURIX, START, START) == Dose(DailyDose(status="not-stated"))


def _after(sequence: int, count: int, days: int | None) -> DosageStep:
    return step(sequence=sequence, frequency=count, period=1, period_unit="d", duration_days=days)


def test_steps_follow_each_other_at_their_lengths() -> None:
    """Each step begins on the day on which the one before it is over; after the last one the last one is shown."""
    steps = (_after(2, 2, 3), _after(1, 3, 5), _after(3, 1, 2))

    seen = [shown(*steps, day=day) for day in (-1, 0, 4, 5, 7, 8, 9, 10, 99)]

    assert seen == ["120 mg"] * 3 + ["80 mg"] * 2 + ["40 mg"] * 4


def test_the_longest_of_parallel_steps_is_how_long_they_last() -> None:
    """Two steps of one place in the sequence last as long as the longer of them, in whichever order they are written."""
    first = (_after(1, 1, 5), _after(1, 2, 3))
    then = _after(2, 1, None)

    for steps in ((*first, then), (*reversed(first), then)):
        assert [shown(*steps, day=day) for day in (4, 5)] == ["120 mg", "40 mg"]


def test_a_step_of_no_days_is_over_at_once() -> None:
    """A length of zero days is a length: the next step begins where this one would have."""
    assert shown(_after(1, 3, 0), _after(2, 1, None)) == "40 mg"
    assert shown(_after(1, 3, 0), _after(1, 3, 0), _after(2, 1, None)) == "40 mg"


@pytest.mark.parametrize("lengths", [(None, 3), (3, None)])
def test_a_step_of_unknown_length_never_ends(lengths: tuple[int | None, int | None]) -> None:
    """Where one of the parallel steps has no length, nothing says when the next begins."""
    steps = (_after(1, 1, lengths[0]), _after(1, 2, lengths[1]), _after(2, 1, None))

    assert shown(*steps, day=99) == "120 mg"
    assert list(step_boundaries(Dosage(steps=steps), START)) == []


def test_the_boundaries_of_steps() -> None:
    """A stepwise dosage announces each moment at which a step is over; without a start, none."""
    dosage = Dosage(steps=(_after(1, 3, 5), _after(2, 2, 3), _after(3, 1, None)))

    assert list(step_boundaries(dosage, START)) == [START + timedelta(days=5), START + timedelta(days=8)]
    assert list(step_boundaries(dosage, None)) == []
    assert list(step_boundaries(Dosage(steps=(_after(1, 1, 4),)), START)) == [START + timedelta(days=4)]


@pytest.mark.parametrize(
    ("product", "dose", "expected"),
    [
        (FURIX, amount("2", "{tablet}"), (Fraction(80), "mg")),
        (FURIX, amount("2", "1"), (Fraction(80), "mg")),
        (FURIX, amount("0.5", "g"), (Fraction(500), "mg")),
        (FURIX, amount("2", "ml"), (Fraction(2), "ml")),
        (NO_STRENGTH, amount("2", "{tablet}"), (Fraction(2), "{unit}")),
        (NO_STRENGTH, amount("2", "1"), (Fraction(2), "{unit}")),
        (profile("Enalapril comp Stada 20 mg/12,5 mg"), amount("2", "{tablet}"), (Fraction(2), "{unit}")),
    ],
)
def test_a_dose_in_the_unit_of_the_substance(product: Profile, dose: Quantity, expected: tuple[Fraction, str]) -> None:
    """Pieces become milligrams where one strength is known; what cannot be converted stays as it was stated."""
    assert in_substance(dose, product) == expected


def test_a_dose_of_a_liquid() -> None:
    """Millilitres become milligrams by the strength per millilitre; a count of a liquid does not."""
    (ingredient,) = [i for row in PRODUCTS.values() if row.name == "Furix 40 mg" for i in row.ingredients]
    liquid = Medication(
        kind="registered",
        ingredients=(type(ingredient)(substance="furosemide", strength=amount("10", "mg"), per=amount("1", "ml")),),
    )

    assert in_substance(amount("4", "ml"), PROFILER(liquid, None)) == (Fraction(40), "mg")
    assert in_substance(amount("4", "cl"), PROFILER(liquid, None)) == (Fraction(400), "mg")
    assert in_substance(amount("4", "{drop}"), PROFILER(liquid, None)) == (Fraction(4), "{unit}")
    assert in_substance(amount("4", "mg"), PROFILER(liquid, None)) == (Fraction(4), "mg")


def test_doses_differ_only_where_they_can_be_compared() -> None:
    """Exact figures of one unit are compared; another unit, or no figure, is no comparison."""
    one, two = (Dose(DailyDose(status="computed", value=Decimal(n), unit="mg"), Fraction(n)) for n in (1, 2))
    pieces = Dose(DailyDose(status="computed", value=Decimal(1), unit="{unit}"), Fraction(1))
    none = Dose(DailyDose(status="varies", unit="mg"))

    assert (one.differs(two), one.differs(one)) == (True, False)
    assert (one.differs(pieces), one.differs(none), none.differs(one)) == (None, None, None)


def test_a_figure_is_exact_or_rounded_to_a_millionth() -> None:
    """Thirds are rounded to a millionth; whole numbers are written out, without exponent or trailing zeros."""
    assert str(to_decimal(Fraction(1, 3))) == "0.333333"
    assert str(to_decimal(Fraction(2, 3))) == "0.666667"
    assert str(to_decimal(Fraction(1000))) == "1000"
    assert str(to_decimal(Fraction(5, 2))) == "2.5"
