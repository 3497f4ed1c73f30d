"""Dosages of primary care: each kind of schedule, and what the steps cannot carry."""

from decimal import Decimal

import pytest
from lxml import etree

from contracts.values import Dosage, DosageStep, Quantity
from mappings.codes.times import read_compact
from mappings.collecting import Problems
from mappings.sources.primary_care.dosage import read_dosage
from mappings.sources.primary_care.xml_input import NAMESPACE, Element

DAILY = "<frequency><value>1</value><unit>/d</unit></frequency>"
STARTS = "20260302000000"


def tablets(value: str) -> Quantity:
    """Return so many tablets."""
    return Quantity(value=Decimal(value), unit="{tablet}")


def dose(low: str | None, high: str | None = None) -> str:
    """Return a dose interval of tablets."""
    limits = "".join(f"<{name}>{value}</{name}>" for name, value in (("low", low), ("high", high)) if value)
    return f"<dose>{limits}<unit>tablett</unit></dose>"


def often(value: str, unit: str, amount: str = "1") -> str:
    """Return a set dosage by frequency."""
    frequency = f"<frequency><value>{value}</value><unit>{unit}</unit></frequency>"
    return f"<setDosage><frequencyDosage>{dose(amount)}{frequency}</frequencyDosage></setDosage>"


def ramp(start: str, end: str, step: str, days: str = "3", unit: str = "d") -> str:
    """Return a ramp of daily doses."""
    ends = "".join(
        f"<{name}><frequencyDosage>{dose(value)}{DAILY}</frequencyDosage></{name}>"
        for name, value in (("rampStart", start), ("rampEnd", end))
    )
    height = f"<doseStep><value>{step}</value><unit>tablett</unit></doseStep>"
    span = f"<timeStep><value>{days}</value><unit>{unit}</unit></timeStep>"
    return f"<setDosage><rampedDosage>{height}{span}{ends}</rampedDosage></setDosage>"


def read(*dosages: str) -> tuple[Dosage, list[tuple[str, str]]]:
    """Read a drug with these dosages; return the dosage and the problems' codes and last place."""
    inner = "".join(f"<dosage>{dosage}</dosage>" for dosage in dosages)
    node = etree.fromstring(f'<drug xmlns="{NAMESPACE}:2">{inner}</drug>')
    problems = Problems()
    starts = problems.keep(read_compact(STARTS, "start"))
    dosage = read_dosage(Element(node, "/drug", problems), starts)
    return dosage, [(problem.code, problem.place.rpartition("/")[2]) for problem in problems.found]


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        ("3", "/d", (3, "1", "d")),
        ("3", "d-1", (3, "1", "d")),
        ("2", "per dygn", (2, "1", "d")),
        ("2", "ggr/vecka", (2, "1", "wk")),
        ("0.5", "1/d", (1, "2", "d")),
        ("1", "per månad", (1, "1", "mo")),
        ("1.0", "/8h", None),
        ("1", "fortnight", None),
        ("0", "/d", None),
        ("0.001", "/d", (1, "1000", "d")),
        ("1E-9", "/d", None),
    ],
)
def test_a_frequency_is_so_many_times_per_period(value: str, unit: str, expected: tuple[int, str, str] | None) -> None:
    """Ways of writing a frequency mean whole times per period; others are a problem."""
    dosage, problems = read(often(value, unit))

    if expected is None:
        assert problems
    else:
        (step,) = dosage.steps
        assert (step.frequency, str(step.period), step.period_unit) == expected
        assert problems == []


def test_equal_limits_are_one_dose_and_others_an_interval() -> None:
    """Low and high alike is one dose; a high limit alone is *up to*."""
    single, _ = read(f"<setDosage><singleDose>{dose('1', '1.0')}</singleDose></setDosage>")
    interval, _ = read(f"<setDosage><singleDose>{dose('1', '2')}</singleDose></setDosage>")
    up_to, _ = read(f"<setDosage><singleDose>{dose(None, '2')}</singleDose></setDosage>")

    assert single.steps == (DosageStep(dose=tablets("1"), once=True),)
    assert interval.steps == (DosageStep(dose=tablets("1"), dose_high=tablets("2"), once=True),)
    assert up_to.steps == (DosageStep(dose_high=tablets("2"), once=True),)


@pytest.mark.parametrize("wrong", [dose("2", "1"), dose("-1"), dose(None), "<dose><low>1</low></dose>", ""])
def test_a_dose_that_cannot_be_is_a_problem(wrong: str) -> None:
    """Limits the wrong way round, negative, missing, or without a unit."""
    _, problems = read(f"<setDosage><singleDose>{wrong}</singleDose></setDosage>")

    assert problems


@pytest.mark.parametrize(
    ("start", "end", "step", "levels"),
    [
        ("1", "3", "1", ["1", "2", "3"]),
        ("6", "4", "1", ["6", "5", "4"]),
        ("6", "4", "-1", ["6", "5", "4"]),
        ("0.5", "2", "0.5", ["0.5", "1", "1.5", "2"]),
        ("10", "30", "10", ["10", "20", "30"]),
        ("2", "2", "1", ["2"]),
    ],
)
def test_a_ramp_goes_from_level_to_level(start: str, end: str, step: str, levels: list[str]) -> None:
    """Up or down, each level has its own step; all but the last have their length."""
    dosage, problems = read(ramp(start, end, step))

    assert [str(found.dose.value) for found in dosage.steps if found.dose] == levels
    assert [found.sequence for found in dosage.steps] == list(range(1, len(levels) + 1))
    assert [found.duration_days for found in dosage.steps] == [3] * (len(levels) - 1) + [None]
    assert problems == []


@pytest.mark.parametrize(
    ("broken", "code"),
    [
        (ramp("1", "4", "2"), "contradiction"),
        (ramp("1", "4", "0"), "contradiction"),
        (ramp("1", "1000", "1"), "too-long"),
        (ramp("1", "1000000", "0.000001"), "too-long"),
        (ramp("1", "2", "1", days="12", unit="h"), "unsupported"),
    ],
)
def test_a_ramp_that_does_not_lead_to_its_end_is_a_problem(broken: str, code: str) -> None:
    """No level is rounded, skipped or invented."""
    dosage, problems = read(broken)

    assert dosage.steps == ()
    assert [found for found, _ in problems] == [code]


def test_what_the_steps_cannot_carry_is_left_to_the_words() -> None:
    """A maximum per week has no place: with words they stand alone, without any it is a problem."""
    weekly = often("1", "/d") + often("1", "/wk", "10").replace("setDosage", "maximumDosage")

    worded, none = read(f"<dosageInstruction>1 dagligen, högst 10 i veckan</dosageInstruction>{weekly}")
    wordless, problems = read(weekly)

    assert worded == Dosage(text="1 dagligen, högst 10 i veckan")
    assert none == []
    assert wordless.steps == ()
    assert problems == [("unsupported", "maximumDosage")]


def test_a_length_that_is_an_interval_counts_only_as_a_maximum() -> None:
    """*Seven to ten days* is no length, *ten days at most* is."""
    length = "<lengthOfTreatment><low>7</low><high>10</high><unit>d</unit></lengthOfTreatment>"

    _, problems = read(length + often("1", "/d"))
    at_most, none = read(f"{length}<isMaximumTreatmentTime>true</isMaximumTreatmentTime>{often('1', '/d')}")

    assert problems == [("unsupported", "lengthOfTreatment")]
    assert [step.duration_days for step in at_most.steps] == [10]
    assert none == []


def test_dosages_follow_each_other_only_if_each_ends() -> None:
    """Without lengths nobody can say that one comes after the other: they are side by side."""
    week = "<lengthOfTreatment><low>1</low><high>1</high><unit>vecka</unit></lengthOfTreatment>"

    following, _ = read(week + often("2", "/d"), week + often("1", "/d"), often("1", "/wk"))
    parallel, _ = read(often("2", "/d"), often("1", "/wk"))

    assert [(step.sequence, step.duration_days) for step in following.steps] == [(1, 7), (2, 7), (3, None)]
    assert [step.sequence for step in parallel.steps] == [1, 1]


def test_a_fixed_and_a_conditional_dosage_are_side_by_side() -> None:
    """A regular dose with extra doses as needed is two steps at the same time."""
    extra = often("2", "/d").replace("setDosage", "conditionalDosage")
    extra = extra.replace(
        "<frequencyDosage>", "<conditionDescription>vid smärta</conditionDescription><frequencyDosage>"
    )

    dosage, problems = read(often("1", "/d") + extra)

    assert [(step.as_needed, step.frequency, step.text) for step in dosage.steps] == [
        (False, 1, None),
        (True, 2, "vid smärta"),
    ]
    assert problems == []


def test_occasions_with_equal_doses_become_one_step() -> None:
    """Morning and evening on every day of the period is twice daily; another dose is another step."""
    occasions = "".join(
        f"<administration>{dose(amount)}<time>{time}</time><dayOfPeriod>{day}</dayOfPeriod></administration>"
        for day in (1, 2)
        for amount, time in (("1", "08:00"), ("1", "20:00"), ("2", "till natten"))
    )
    dosage, problems = read(
        "<setDosage><occasionDosage><period><value>2</value><unit>d</unit></period>"
        f"{occasions}</occasionDosage></setDosage>"
    )

    assert [(step.dose, step.frequency, step.times_of_day, step.cycle_days, step.text) for step in dosage.steps] == [
        (tablets("1"), 2, ("08:00", "20:00"), None, None),
        (tablets("2"), 1, (), None, "till natten"),
    ]
    assert problems == []


@pytest.mark.parametrize(("day", "ok"), [("0", False), ("1", True), ("2", True), ("3", False), ("x", False)])
def test_an_occasion_lies_within_its_period(day: str, ok: bool) -> None:  # noqa: FBT001 - a column of the table
    """A day outside the period is a contradiction, not another period."""
    _, problems = read(
        "<setDosage><occasionDosage><period><value>2</value><unit>d</unit></period><administration>"
        f"{dose('1')}<dayOfPeriod>{day}</dayOfPeriod></administration></occasionDosage></setDosage>"
    )

    assert (problems == []) is ok


def test_two_schedules_in_one_dosage_contradict_each_other() -> None:
    """A set dosage holds one schedule."""
    both = f"<singleDose>{dose('1')}</singleDose><unstructuredDosageInformation><text>x</text></unstructuredDosageInformation>"

    _, problems = read(f"<setDosage>{both}</setDosage>")

    assert problems == [("contradiction", "setDosage")]


@pytest.mark.parametrize(("at", "ok"), [("20260302081500", True), ("20260303081500", False)])
def test_a_single_dose_is_given_on_the_day_that_the_treatment_starts(at: str, ok: bool) -> None:  # noqa: FBT001 - a column of the table
    """A step has a time of day and no date: another date would be lost."""
    dosage, problems = read(f"<setDosage><singleDose>{dose('1')}<time>{at}</time></singleDose></setDosage>")

    assert (problems == []) is ok
    assert [step.times_of_day for step in dosage.steps] == [("08:15",)]


@pytest.mark.parametrize("days", ["367", "1000000000", "1E11"])
def test_a_schedule_repeats_within_a_year(days: str) -> None:
    """A period without end is refused before anything walks through its days."""
    _, problems = read(
        f"<setDosage><occasionDosage><period><value>{days}</value><unit>d</unit></period><administration>"
        f"{dose('1')}<dayOfPeriod>1</dayOfPeriod></administration></occasionDosage></setDosage>"
    )

    assert problems
