"""Times of source systems: local clocks, daylight saving, end dates; everything leaves here as UTC.

Rules this module owns:

1. A time with a zone is taken as it stands; one without belongs to the source's zone (``SourceSystem.zone``).
2. A local time that the spring change skips is ``time-impossible``; one that the autumn change repeats is
   ``time-ambiguous``: nothing is guessed.
3. A date alone is a local day; it begins at local midnight.
4. Ends are half-open. Where the source's end date is the last day taken, the end is the start of the next local day;
   where it is the first day not taken, the start of that day. An end at 00:00 or 23:59 in a source whose ends are
   last days is such a date, padded; any other time of day is the instant itself.
5. Only years 1900-2199 are times of a treatment; 9999-12-31 and its kin are no end at all and must be left out.
"""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from contracts.problems import Problem
from contracts.sources import EndDateMeaning

FIRST_YEAR: Final = 1900
LAST_YEAR: Final = 2199
CLOCK_TOLERANCE: Final = timedelta(minutes=5)
"""How far a source's clock may run ahead of ours."""

_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})(?:(\d{2})(\d{2})(\d{2})?)?")
_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_ISO_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2})?")
_TIME_OF_DAY = re.compile(r"([01]\d|2[0-3]):?([0-5]\d)(?::?[0-5]\d)?")


def to_utc(local: datetime, zone: str, place: str) -> datetime | Problem:
    """Return the instant of a wall-clock time (a datetime without zone) in an IANA zone."""
    if not FIRST_YEAR <= local.year <= LAST_YEAR:
        return _impossible(place, "the year cannot be that of a treatment; leave out what is unknown or open")
    tz = ZoneInfo(zone)
    first = local.replace(tzinfo=tz, fold=0)
    if first.astimezone(UTC).astimezone(tz).replace(tzinfo=None) != local:
        return _impossible(place, "this local time is skipped by the spring change; correct it or state the offset")
    if first.utcoffset() != local.replace(tzinfo=tz, fold=1).utcoffset():
        return Problem(
            code="time-ambiguous",
            place=place,
            text="this local time occurs twice in the autumn change; state the offset from UTC",
        )
    return first.astimezone(UTC)


def day_start(day: date, zone: str, place: str) -> datetime | Problem:
    """Return the instant at which a local day begins."""
    return to_utc(datetime(day.year, day.month, day.day), zone, place)  # noqa: DTZ001 - the zone is applied by to_utc


def day_end(day: date, zone: str, meaning: EndDateMeaning, place: str) -> datetime | Problem:
    """Return the half-open end that an end *date* stands for, given what end dates mean in its source."""
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        return _impossible(place, "the year cannot be that of a treatment; leave out what is unknown or open")
    return day_start(day + timedelta(days=1) if meaning == "last-day-taken" else day, zone, place)


def local_end(local: datetime, zone: str, meaning: EndDateMeaning, place: str) -> datetime | Problem:
    """Return the half-open end that a wall-clock end stands for (rule 4)."""
    is_padded_date = (local.hour, local.minute) in {(0, 0), (23, 59)}
    if meaning == "last-day-taken" and is_padded_date:
        return day_end(local.date(), zone, meaning, place)
    return to_utc(local, zone, place)


def read_compact(text: str, place: str) -> datetime | Problem:
    """Read ``YYYYMMDD[hhmm[ss]]`` (RIVTA ``TimeStampType``, HL7 v2) into a wall-clock time without zone."""
    found = _COMPACT.fullmatch(text)
    if found is None or not text.isascii():
        return Problem(code="unreadable", place=place, text="write the time as YYYYMMDDhhmmss")
    year, month, day, hour, minute, second = (int(part or 0) for part in found.groups())
    try:
        return datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 - the caller knows the zone
    except ValueError:
        return _impossible(place, "no such day or time of day exists")


def read_iso(text: str, zone: str, place: str) -> datetime | Problem:
    """Read an ISO 8601 / RFC 3339 date-time, with or without offset, into UTC."""
    if _ISO_TIME.fullmatch(text) is None or not text.isascii():
        return Problem(code="unreadable", place=place, text="write the time as YYYY-MM-DDThh:mm:ss, best with offset")
    try:
        value = datetime.fromisoformat(text)
    except ValueError:
        return _impossible(place, "no such day, time of day or offset exists")
    if text[11:13] == "24":
        return _impossible(place, "midnight is 00:00 of the day that begins")  # Python 3.14 reads it as that
    if value.tzinfo is None:
        return to_utc(value, zone, place)
    if not FIRST_YEAR <= value.year <= LAST_YEAR:
        return _impossible(place, "the year cannot be that of a treatment; leave out what is unknown or open")
    return value.astimezone(UTC)


def read_date(text: str, place: str) -> date | Problem:
    """Read ``YYYY-MM-DD`` or ``YYYYMMDD``."""
    if text.isascii() and (_ISO_DATE.fullmatch(text) or (len(text) == 8 and text.isdigit())):  # noqa: PLR2004 - YYYYMMDD
        try:
            return date.fromisoformat(text)
        except ValueError:
            return _impossible(place, "no such day exists")
    return Problem(code="unreadable", place=place, text="write the date as YYYY-MM-DD or YYYYMMDD")


def read_time_of_day(text: str, place: str) -> str | Problem:
    """Read ``hh:mm``, ``hhmm``, ``hh:mm:ss`` or ``hhmmss`` into ``hh:mm`` (local)."""
    found = _TIME_OF_DAY.fullmatch(text)
    if found is None or not text.isascii():
        return Problem(code="unreadable", place=place, text="write the time of day as hh:mm")
    return f"{found[1]}:{found[2]}"


def not_future(recorded_at: datetime, received_at: datetime, place: str) -> datetime | Problem:
    """Return ``recorded_at`` unless it is later than the receipt by more than clocks differ (five minutes)."""
    if recorded_at - received_at > CLOCK_TOLERANCE:
        return Problem(
            code="future", place=place, text="recorded after it was received; correct the source's clock or zone"
        )
    return recorded_at


def _impossible(place: str, text: str) -> Problem:
    return Problem(code="time-impossible", place=place, text=text)
