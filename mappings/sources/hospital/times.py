"""Times of HL7 v2 (``TS``/``DTM``, chapter 2A.3.22): ``YYYY[MM[DD[HH[MM[SS[.S[S[S[S]]]]]]]]][+/-ZZZZ]``.

A day without time is a local day (``mappings.codes.times``, rules 3 and 4). Years, months and hours alone are refused: which
day or minute is meant would be a guess.
"""

import re
from datetime import UTC, date, datetime, timedelta, timezone

import msgspec

from contracts.problems import Problem
from contracts.sources import SourceSystem
from mappings.codes.times import FIRST_YEAR, LAST_YEAR, day_end, day_start, local_end, to_utc
from mappings.collecting import Problems
from mappings.sources.hospital.fields import Segment

_DTM = re.compile(
    r"(?P<day>\d{8})((?P<hour>\d{2})(?P<minute>\d{2})(?P<second>\d{2})?(\.(?P<fraction>\d{1,4}))?)?"
    r"(?P<sign>[+-])?(?(sign)(?P<off_hour>\d{2})(?P<off_minute>\d{2}))",
    re.ASCII,
)


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """A time as it was written: a wall clock or a day alone, with its offset from UTC if one was stated."""

    wall: datetime
    is_day: bool
    offset: timedelta | None
    place: str


def written(segment: Segment, number: int, *, required: bool = False) -> Written | None:
    """Return the time of a field as it was written."""
    text = segment.text(number, required=required)
    return None if text is None else segment.problems.keep(_read(text, segment.at(number)))


def instant(segment: Segment, number: int, source: SourceSystem, *, required: bool = False) -> datetime | None:
    """Return a moment; a day alone is refused."""
    time = written(segment, number, required=required)
    if time is not None and time.is_day:
        segment.problems.add("unreadable", time.place, "state the time of day, YYYYMMDDHHMM")
        return None
    return None if time is None else start_of(time, source, segment.problems)


def start(segment: Segment, number: int, source: SourceSystem) -> datetime | None:
    """Return the moment at which something begins; a day alone begins at local midnight."""
    time = written(segment, number)
    return None if time is None else start_of(time, source, segment.problems)


def end(segment: Segment, number: int, source: SourceSystem) -> datetime | None:
    """Return the half-open end; a day alone ends as the source's end dates do."""
    time = written(segment, number)
    return None if time is None else end_of(time, source, segment.problems)


def start_of(time: Written, source: SourceSystem, problems: Problems) -> datetime | None:
    """Return the moment of a written time, a day's being its first."""
    if time.offset is not None:
        return problems.keep(_with_offset(time, time.offset))
    if time.is_day:
        return problems.keep(day_start(time.wall.date(), source.zone, time.place))
    return problems.keep(to_utc(time.wall, source.zone, time.place))


def end_of(time: Written, source: SourceSystem, problems: Problems) -> datetime | None:
    """Return the half-open end that a written time stands for in its source."""
    if time.offset is not None:
        return problems.keep(_with_offset(time, time.offset))
    if time.is_day:
        return problems.keep(day_end(time.wall.date(), source.zone, source.end_date, time.place))
    return problems.keep(local_end(time.wall, source.zone, source.end_date, time.place))


def _read(text: str, place: str) -> Written | Problem:
    found = _DTM.fullmatch(text)
    if found is None:
        return Problem(code="unreadable", place=place, text="write a day as YYYYMMDD, a time as YYYYMMDDHHMM[SS]")
    is_day = found["hour"] is None
    if is_day and found["sign"]:
        return Problem(code="unreadable", place=place, text="an offset goes with a time of day only")
    try:
        day = date.fromisoformat(found["day"])
        wall = datetime(  # noqa: DTZ001 - offset or zone are applied below
            day.year,
            day.month,
            day.day,
            int(found["hour"] or 0),
            int(found["minute"] or 0),
            int(found["second"] or 0),
            int((found["fraction"] or "0").ljust(6, "0")),
        )
        return Written(wall=wall, is_day=is_day, offset=_offset(found), place=place)
    except ValueError:
        return Problem(code="time-impossible", place=place, text="no such day, time of day or offset exists")


def _offset(found: re.Match[str]) -> timedelta | None:
    if found["sign"] is None:
        return None
    size = timedelta(hours=int(found["off_hour"]), minutes=int(found["off_minute"]))
    timezone(size)  # raises ValueError for an offset of a day or more
    return -size if found["sign"] == "-" else size


def _with_offset(time: Written, offset: timedelta) -> datetime | Problem:
    if not FIRST_YEAR <= time.wall.year <= LAST_YEAR:
        text = "the year cannot be that of a treatment; leave out what is unknown or open"
        return Problem(code="time-impossible", place=time.place, text=text)
    return (time.wall - offset).replace(tzinfo=UTC)
