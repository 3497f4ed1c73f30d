"""The dose pharmacy: events, schedules and units, each rule by itself."""

import json
from typing import Any

import msgspec
import pytest

from contracts.facts.dose_dispensing import DoseSupply
from mappings.sources.dose_pharmacy import EVENTS, read
from mappings.sources.dose_pharmacy.rolls import STATUS_OF
from mappings.sources.reading import Reading
from tests.mappings.recordings import ROOT, load

ROLL = load(ROOT / "dose_pharmacy" / "a-two-week-roll-is-produced-with-three-products")


def read_roll(event: str = "dosrulle-producerad", row: dict[str, Any] | None = None, **roll: Any) -> Reading:
    """Read the recorded roll with its first row alone, after changes; ``None`` takes a field out."""
    message = json.loads(ROLL.message.value)
    message["handelse"] = event
    first = _changed(message["Dosrulle"]["rader"][0], row or {})
    message["Dosrulle"] = _changed(message["Dosrulle"], {"rader": [first], **roll})
    changed = msgspec.structs.replace(ROLL.message, value=json.dumps(message).encode())
    return read(changed, ROLL.context)


def _changed(values: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**values, **changes}.items() if value is not None}


def supply(reading: Reading) -> DoseSupply:
    """Return the only dose supply of a reading."""
    (fact,) = reading.facts
    assert isinstance(fact.content, DoseSupply)
    return fact.content


@pytest.mark.parametrize(("event", "status"), sorted(STATUS_OF.items()))
def test_each_event_of_a_roll_is_a_status_of_its_rows(event: str, status: str) -> None:
    """From frozen to returned, it is a version of the same record."""
    reading = read_roll(event)

    assert supply(reading).status == status
    assert [fact.source_id for fact in reading.facts] == ["R-2026-11/1"]


@pytest.mark.parametrize("event", sorted(EVENTS))
def test_an_event_without_its_object_is_a_problem(event: str) -> None:
    """An event says nothing without the object that it is about."""
    message = json.loads(ROLL.message.value)
    del message["Dosrulle"]
    message["handelse"] = event

    reading = read(msgspec.structs.replace(ROLL.message, value=json.dumps(message).encode()), ROLL.context)

    assert reading.facts == ()
    assert [problem.code for problem in reading.problems] == ["missing"]


def test_a_schedule_of_every_second_day_keeps_its_days() -> None:
    """A period of two days with one intake is every other day, from the first dose day."""
    schedule = {"periodlangd": 2, "intagstillfalle": [{"klockslag": "0800", "intagsmangd": 0.5, "dagIPeriod": 1}]}

    (step,) = supply(read_roll(row={"doseringsschema": schedule})).dosage.steps

    assert (step.cycle_days, step.days_in_cycle, step.times_of_day) == (2, (1,), ("08:00",))
    assert step.dose is not None
    assert str(step.dose.value) == "0.5"


def test_a_schedule_that_lists_every_day_is_daily() -> None:
    """Fourteen days with the same intake read as once a day, not as a cycle."""
    daily = [{"klockslag": "08:00", "intagsmangd": 1, "dagIPeriod": day} for day in range(1, 15)]

    (step,) = supply(read_roll(row={"doseringsschema": {"periodlangd": 14, "intagstillfalle": daily}})).dosage.steps

    assert (step.frequency, step.cycle_days, step.days_in_cycle) == (1, None, ())


@pytest.mark.parametrize(
    ("row", "unit"),
    [
        ({"dosenhet": "ml"}, "ml"),
        ({"dosenhet": "mätsked"}, "mätsked"),
        ({"lakemedelsform": "kapsel, hård"}, "{capsule}"),
        ({}, "{tablet}"),
    ],
)
def test_amounts_count_what_is_stated(row: dict[str, Any], unit: str) -> None:
    """The stated unit comes first, then the form's own; an unknown word is kept as it is."""
    (step,) = supply(read_roll(row=row)).dosage.steps

    assert step.dose is not None
    assert step.dose.unit == unit


@pytest.mark.parametrize(
    ("row", "roll", "problem"),
    [
        ({"lakemedelsform": "okänd form"}, {}, ("missing", "$.Dosrulle.rader[0].dosenhet")),
        ({"nplid": None}, {}, ("missing", "$.Dosrulle.rader[0].nplid")),
        ({"ordinationsid": None}, {}, ("missing", "$.Dosrulle.rader[0].ordinationsid")),
        ({"radid": None}, {}, ("missing", "$.Dosrulle.rader[0].radid")),
        ({}, {"sistadosdag": "2026-03-08"}, ("contradiction", "$.Dosrulle.sistadosdag")),
        ({}, {"forstadosdag": None}, ("missing", "$.Dosrulle.forstadosdag")),
        ({}, {"statustidpunkt": "2026-10-25T02:30:00"}, ("time-ambiguous", "$.Dosrulle.statustidpunkt")),
        ({}, {"dosunderlagsversion": 1.5}, ("unreadable", "$.Dosrulle.dosunderlagsversion")),
        ({}, {"rader": []}, ("missing", "$.Dosrulle.rader")),
    ],
)
def test_what_a_roll_cannot_do_without_is_named(
    row: dict[str, Any], roll: dict[str, Any], problem: tuple[str, str]
) -> None:
    """One thing wrong gives one problem, and no fact of that row."""
    reading = read_roll(row=row, **roll)

    assert [(found.code, found.place) for found in reading.problems] == [problem]
    assert reading.facts == ()


def test_a_roll_of_one_day_covers_that_day() -> None:
    """The last dose day belongs to the period, whose end is the next local midnight."""
    period = supply(read_roll(forstadosdag="2026-03-29", sistadosdag="2026-03-29")).period

    assert period.start is not None
    assert period.end is not None
    assert (period.end - period.start).total_seconds() == 23 * 3600  # the day of the spring change
