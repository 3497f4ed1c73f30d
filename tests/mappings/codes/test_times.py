"""Times: local clocks, the two nights of the year, and what an end date means."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.problems import Problem
from contracts.sources import EndDateMeaning
from mappings.codes.times import (
    day_end,
    day_start,
    local_end,
    not_future,
    read_compact,
    read_date,
    read_iso,
    read_time_of_day,
    to_utc,
)

ZONE = "Europe/Stockholm"


def local(text: str) -> datetime:
    """Return a wall-clock time."""
    return datetime.fromisoformat(text)


def utc(text: str) -> datetime:
    """Return an instant."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("clock", "instant"),
    [
        ("2026-01-15T12:00", "2026-01-15T11:00"),
        ("2026-07-15T12:00", "2026-07-15T10:00"),
        ("2026-03-29T01:59:59", "2026-03-29T00:59:59"),
        ("2026-03-29T03:00", "2026-03-29T01:00"),
        ("2026-10-25T01:59:59", "2026-10-24T23:59:59"),
        ("2026-10-25T03:00", "2026-10-25T02:00"),
    ],
)
def test_a_local_time_is_placed_in_its_zone(clock: str, instant: str) -> None:
    """Winter, summer, and the minutes around both changes."""
    assert to_utc(local(clock), ZONE, "x") == utc(instant)


@pytest.mark.parametrize("clock", ["2026-03-29T02:00", "2026-03-29T02:30", "2026-03-29T02:59:59"])
def test_a_time_that_the_spring_change_skips_is_impossible(clock: str) -> None:
    """A time that no clock ever showed is not moved to one that it did."""
    problem = to_utc(local(clock), ZONE, "ORC-9")

    assert isinstance(problem, Problem)
    assert (problem.code, problem.place) == ("time-impossible", "ORC-9")


@pytest.mark.parametrize("clock", ["2026-10-25T02:00", "2026-10-25T02:30", "2026-10-25T02:59:59"])
def test_a_time_that_the_autumn_change_repeats_is_ambiguous(clock: str) -> None:
    """A time that clocks showed twice is not taken for the first or the second."""
    problem = to_utc(local(clock), ZONE, "ORC-9")

    assert isinstance(problem, Problem)
    assert problem.code == "time-ambiguous"


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-10-25T02:30:00+02:00", "2026-10-25T00:30"),
        ("2026-10-25T02:30:00+01:00", "2026-10-25T01:30"),
        ("2026-03-02T08:00:00Z", "2026-03-02T08:00"),
        ("2026-03-02T08:00", "2026-03-02T07:00"),
        ("2026-03-02T08:00:00.250+01:00", "2026-03-02T07:00:00.250"),
    ],
)
def test_a_stated_offset_settles_the_instant(text: str, instant: str) -> None:
    """With an offset even the repeated hour is one instant; without one the source's zone holds."""
    assert read_iso(text, ZONE, "x") == utc(instant)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("2026-02-30T08:00:00Z", "time-impossible"),
        ("2026-03-02T24:00:00Z", "time-impossible"),
        ("9999-12-31T23:59:59+01:00", "time-impossible"),
        ("0001-01-01T00:00:00+23:00", "time-impossible"),
        ("2026-03-02", "unreadable"),
        ("20260302T080000Z", "unreadable"),
        ("i morgon", "unreadable"),
        ("", "unreadable"),
    ],
)
def test_what_is_no_time_is_told_apart(text: str, code: str) -> None:
    """A day that does not exist is one problem, a text that is no time another."""
    problem = read_iso(text, ZONE, "x")

    assert isinstance(problem, Problem)
    assert problem.code == code


@pytest.mark.parametrize(
    ("meaning", "end"), [("last-day-taken", "2026-03-10T23:00"), ("first-day-not-taken", "2026-03-09T23:00")]
)
def test_an_end_date_is_half_open_by_what_its_source_means(meaning: EndDateMeaning, end: str) -> None:
    """The same date ends a day later where it is the last day taken."""
    assert day_end(date(2026, 3, 10), ZONE, meaning, "x") == utc(end)


@pytest.mark.parametrize("clock", ["2026-03-10T00:00", "2026-03-10T23:59", "2026-03-10T23:59:59"])
def test_a_padded_end_of_a_last_day_is_that_day(clock: str) -> None:
    """Systems that store only times write a last day as its midnight or its last minute."""
    assert local_end(local(clock), ZONE, "last-day-taken", "x") == utc("2026-03-10T23:00")


def test_an_end_with_a_time_of_day_is_that_instant() -> None:
    """A stop at 14:30 is a stop at 14:30, whatever end dates mean."""
    assert local_end(local("2026-03-10T14:30"), ZONE, "last-day-taken", "x") == utc("2026-03-10T13:30")
    assert local_end(local("2026-03-10T00:00"), ZONE, "first-day-not-taken", "x") == utc("2026-03-09T23:00")


@given(st.dates(date(1900, 1, 2), date(2199, 12, 30)))
def test_days_follow_each_other_without_gap(day: date) -> None:
    """A last day taken ends where the next day begins, on every day of the calendar."""
    assert day_end(day, ZONE, "last-day-taken", "x") == day_start(day + timedelta(days=1), ZONE, "x")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("20260302", "2026-03-02T00:00"),
        ("202603020815", "2026-03-02T08:15"),
        ("20260302081530", "2026-03-02T08:15:30"),
    ],
)
def test_compact_times_are_read(text: str, expected: str) -> None:
    """RIVTA and HL7 v2 write times without separators."""
    assert read_compact(text, "x") == local(expected)


@pytest.mark.parametrize("text", ["2026030", "2026030208", "20261301", "20260230", "20260302250000", "2026-03-02", ""])
def test_broken_compact_times_are_problems(text: str) -> None:
    """A time that is cut off or cannot be is not completed."""
    assert isinstance(read_compact(text, "x"), Problem)


def test_dates_and_times_of_day_have_two_forms_each() -> None:
    """With and without separators they mean the same."""
    assert read_date("2026-03-02", "x") == read_date("20260302", "x") == date(2026, 3, 2)
    assert read_time_of_day("08:05", "x") == read_time_of_day("0805", "x") == read_time_of_day("080500", "x") == "08:05"
    assert isinstance(read_date("2026-W10-1", "x"), Problem)
    assert isinstance(read_time_of_day("24:00", "x"), Problem)
    assert isinstance(read_time_of_day("8", "x"), Problem)


def test_recorded_after_it_was_received_is_a_problem() -> None:
    """A source's clock may run five minutes ahead, not more."""
    received = utc("2026-03-02T08:00")

    assert not_future(received + timedelta(minutes=5), received, "x") == received + timedelta(minutes=5)
    assert isinstance(not_future(received + timedelta(minutes=5, seconds=1), received, "x"), Problem)


@given(st.text(max_size=25))
def test_any_text_is_a_time_or_a_problem(text: str) -> None:
    """Nothing that stands where a time should stand raises."""
    assert isinstance(read_iso(text, ZONE, "x"), datetime | Problem)
    assert isinstance(read_compact(text, "x"), datetime | Problem)
    assert isinstance(read_date(text, "x"), date | Problem)
    assert isinstance(read_time_of_day(text, "x"), str | Problem)


@given(st.datetimes())
def test_any_wall_clock_time_is_an_instant_or_a_problem(clock: datetime) -> None:
    """From year 1 to 9999, nothing raises at the edges of the calendar."""
    for read in (to_utc(clock, ZONE, "x"), local_end(clock, ZONE, "last-day-taken", "x")):
        assert isinstance(read, datetime | Problem)
