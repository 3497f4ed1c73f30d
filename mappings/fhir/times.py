"""Dates and times between half-open intervals and FHIR periods, whose end is inclusive (FHIR R4, datatypes Period).

A bound at midnight in Sweden is written as a date, any other to the second with its zone. The first instant that does
not belong becomes the last day, or the last second, that does; reading turns it back.
"""

from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

SWEDEN: Final = ZoneInfo("Europe/Stockholm")
_SECOND: Final = timedelta(seconds=1)
_DAY: Final = timedelta(days=1)
_DATE_LENGTH: Final = 10


def written_time(moment: datetime) -> str:
    """Return a FHIR dateTime to the second, in Swedish time."""
    return moment.astimezone(SWEDEN).isoformat(timespec="seconds")


def swedish_day(moment: datetime) -> date:
    """Return the calendar day in Sweden."""
    return moment.astimezone(SWEDEN).date()


def start_of_day(moment: datetime) -> datetime:
    """Return midnight in Sweden before a moment."""
    return _midnight(swedish_day(moment))


def written_start(moment: datetime) -> str:
    """Return the start of a FHIR period: a date when it is midnight in Sweden."""
    local = moment.astimezone(SWEDEN)
    return local.date().isoformat() if local.time() == time.min else written_time(moment)


def written_end(moment: datetime) -> str:
    """Return the inclusive end of a FHIR period from the first instant that does not belong."""
    local = moment.astimezone(SWEDEN)
    if local.time() == time.min:
        return (local.date() - _DAY).isoformat()
    return written_time(moment - _SECOND)


def written_period(start: datetime | None, end: datetime | None) -> dict[str, str]:
    """Return a FHIR period, whose end is inclusive, from a half-open one.

    A date and a time on one day cannot be compared (FHIRPath), so then both are times.
    """
    found: dict[str, str] = {}
    if start is not None:
        found["start"] = written_start(start)
    if end is not None:
        found["end"] = written_end(end)
    if start is not None and end is not None and _mixed(found["start"], found["end"]):
        return {"start": written_time(start), "end": written_time(end - _SECOND)}
    return found


def _mixed(start: str, end: str) -> bool:
    return len(start) != len(end) and start[:_DATE_LENGTH] == end[:_DATE_LENGTH]


def read_start(value: object) -> datetime | None:
    """Return the first instant of a FHIR date or dateTime; ``None`` when it names none."""
    if not isinstance(value, str):
        return None
    try:
        if len(value) == _DATE_LENGTH:
            return _midnight(date.fromisoformat(value))
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None


def read_end(value: object) -> datetime | None:
    """Return the first instant after an inclusive FHIR end; ``None`` when it names none."""
    start = read_start(value)
    if start is None or not isinstance(value, str):
        return None
    return _midnight(start.date() + _DAY) if len(value) == _DATE_LENGTH else start.replace(microsecond=0) + _SECOND


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=SWEDEN)
