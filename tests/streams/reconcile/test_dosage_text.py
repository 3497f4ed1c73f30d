"""The reader of dosage texts reads what is certain, and nothing else."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.values import Dosage, DosageStep, Quantity
from streams.reconcile.dosage_text import read_steps, read_text


@pytest.mark.parametrize(
    ("text", "amount", "unit", "per_day"),
    [
        ("1x3", "1", "1", 3),
        ("1 x 2", "1", "1", 2),
        ("1/2 x 1", "0.5", "1", 1),
        ("En tablett två gånger per dag.", "1", "1", 2),
        ("1,5 tabl 2 ggr/dag", "1.5", "1", 2),
        ("2 kapslar dagligen", "2", "1", 1),
        ("1 tablett till natten", "1", "1", 1),
        ("1 tablett morgon och kväll", "1", "1", 2),
        ("500 mg x 3", "500", "mg", 3),
        ("100 mikrogram dagligen", "100", "ug", 1),
        ("10 ml 2 gånger dagligen", "10", "ml", 2),
        ("1+0+1", "2", "1", 1),
        ("1 tablett kl 8, 14 och 20", "1", "1", 3),
        ("1 tablett kl 08:00", "1", "1", 1),
        ("1 tablett var 8:e timme", "1", "1", 3),
        ("1 tablett dagligen mot högt blodtryck.", "1", "1", 1),
    ],
)
def test_certain_words_are_read(text: str, amount: str, unit: str, per_day: int) -> None:
    """Short notations and common wordings."""
    found = read_text(text)

    assert found is not None
    assert found.amount == Quantity(value=Decimal(amount), unit=unit)
    assert found.per_day == Fraction(per_day)


def test_once_a_week_is_a_seventh_a_day() -> None:
    """A weekly dose is read as such."""
    found = read_text("4 tabletter en gång i veckan")

    assert found is not None
    assert found.per_day == Fraction(1, 7)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "enligt läkarens ordination",
        "1 tablett vid behov",
        "1 x 3 vb",
        "1-2 tabletter 3 gånger dagligen",
        "1 tablett dagligen, högst 3",
        "1 tablett dagligen i 7 dagar",
        "2 tabletter dagligen, sedan 1 tablett dagligen",
        "1 tablett dagligen mot smärta vid behov",
        "1 tablett dagligen mot smärta på måndagar",
        "1 tablett dagligen mot oro varannan dag",
        "1x3/v",
        "1x3 i3v",
        "1 tablett varannan dag",
        "1 tablett per dag x 2",
        "ej 1 x 3",
        "1 x 3 eller 2 x 3",
    ],
)
def test_whatever_is_not_certain_is_left(text: str) -> None:
    """A condition, an interval, a length, a weekday, an unknown word: nothing is read."""
    assert read_text(text) is None


@given(text=st.text(max_size=200))
def test_any_text_is_taken(text: str) -> None:
    """No text breaks the reader; what it reads is a positive or zero amount."""
    found = read_text(text)

    assert found is None or (found.amount.value >= 0 and found.per_day >= 0)


@given(
    words=st.lists(
        st.sampled_from(
            [
                "1",
                "2",
                "x",
                "3",
                "tablett",
                "mg",
                "dagligen",
                "vid",
                "behov",
                "mot",
                "smärta",
                "kl",
                "8",
                "och",
                "+",
                ",",
                ".",
                "var",
                "timme",
            ]
        ),
        max_size=30,
    )
)
def test_no_string_of_its_own_words_holds_it_up(words: list[str]) -> None:
    """Long runs of known words are answered at once."""
    read_text(" ".join(words))


def quantity(value: int) -> Quantity:
    """Some tablets."""
    return Quantity(value=Decimal(value), unit="{tablet}")


@pytest.mark.parametrize(
    ("step", "per_day"),
    [
        (DosageStep(dose=quantity(1), frequency=2, period=Decimal(1), period_unit="d"), Fraction(2)),
        (DosageStep(dose=quantity(1), frequency=1, period=Decimal(8), period_unit="h"), Fraction(3)),
        (DosageStep(dose=quantity(1), frequency=1, period=Decimal(2), period_unit="d"), Fraction(1, 2)),
        (
            DosageStep(dose=quantity(1), frequency=1, period=Decimal(1), period_unit="wk", weekdays=("mon",)),
            Fraction(1, 7),
        ),
        (DosageStep(dose=quantity(1), times_of_day=("08:00",), weekdays=("mon", "thu")), Fraction(2, 7)),
        (DosageStep(dose=quantity(1), frequency=1, cycle_days=28, days_in_cycle=tuple(range(1, 22))), Fraction(3, 4)),
        (DosageStep(dose=quantity(1), times_of_day=("08:00", "20:00")), Fraction(2)),
    ],
)
def test_structured_rhythms_are_averaged_over_days(step: DosageStep, per_day: Fraction) -> None:
    """Daily, hourly, every other day, weekdays, cycles, clock times."""
    found = read_steps(Dosage(steps=(step,)))

    assert found is not None
    assert [one.per_day for one in found] == [per_day]


@pytest.mark.parametrize(
    "step",
    [
        DosageStep(frequency=1, period=Decimal(1), period_unit="d"),
        DosageStep(dose=quantity(1)),
        DosageStep(dose=quantity(1), dose_high=quantity(2), frequency=1, period=Decimal(1), period_unit="d"),
        DosageStep(dose=quantity(1), as_needed=True, frequency=3, period=Decimal(1), period_unit="d"),
        DosageStep(dose=quantity(1), once=True, frequency=1),
        DosageStep(dose=quantity(1), frequency=1, period=Decimal(1), period_unit="mo"),
        DosageStep(dose=quantity(1), frequency=1, period=Decimal(1), period_unit="d", text="om blodtrycket är lågt"),
    ],
)
def test_structures_that_say_no_one_thing_are_left(step: DosageStep) -> None:
    """No dose, no rhythm, an interval, as needed, once, by the month, with a condition: nothing to compare."""
    assert read_steps(Dosage(steps=(step,))) is None


def test_steps_one_after_the_other_are_left() -> None:
    """A tapering dose has no one figure to compare with words."""
    steps = tuple(
        DosageStep(sequence=n, dose=quantity(n), frequency=1, period=Decimal(1), period_unit="d", duration_days=7)
        for n in (1, 2)
    )

    assert read_steps(Dosage(steps=steps)) is None
