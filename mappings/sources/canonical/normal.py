"""The normal form of contents: times in UTC, decimals without needless zeros, so that equal statements have equal ids."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeVar, cast

import msgspec

from contracts.values import DosageStep, Period
from mappings.codes.json_input import MAX_TEXT
from mappings.codes.numbers import exact
from mappings.codes.schedules import LONGEST_CYCLE_DAYS, LONGEST_DURATION_DAYS, MOST_TIMES
from mappings.codes.times import FIRST_YEAR, LAST_YEAR
from mappings.collecting import Problems

T = TypeVar("T")
MOST_ENTRIES = 2_000


def normal(value: T, place: str, problems: Problems) -> T:
    """Return a value in its normal form; note times without zone, numbers beyond any dose, texts and lists too long."""
    return cast("T", _normal(value, place, problems))


def normal_time(value: datetime | None, place: str, problems: Problems) -> datetime | None:
    """Return a time in UTC."""
    if value is None:
        return None
    if value.tzinfo is None:
        problems.add("unreadable", place, "state the offset from UTC")
        return None
    if not FIRST_YEAR <= value.year <= LAST_YEAR:
        problems.add("time-impossible", place, "the year cannot be that of a treatment; leave out what is open")
        return None
    return value.astimezone(UTC)


def _normal(value: Any, place: str, problems: Problems) -> Any:
    match value:
        case datetime():
            return normal_time(value, place, problems)
        case Decimal():
            return problems.keep(exact(value, place))
        case str() if len(value) > MAX_TEXT:
            problems.add("too-long", place, f"has more than {MAX_TEXT} characters")
            return value
        case tuple():
            if len(value) > MOST_ENTRIES:
                problems.add("too-long", place, f"has more than {MOST_ENTRIES} entries")
            return tuple(_normal(member, f"{place}[{index}]", problems) for index, member in enumerate(value))
        case msgspec.Struct():
            return _normal_struct(value, place, problems)
        case _:
            return value


def _normal_struct(value: msgspec.Struct, place: str, problems: Problems) -> msgspec.Struct:
    changed = {name: _normal(getattr(value, name), f"{place}.{name}", problems) for name in value.__struct_fields__}
    read = msgspec.structs.replace(value, **changed)
    if isinstance(read, Period) and read.start is not None and read.end is not None and read.end < read.start:
        problems.add("contradiction", f"{place}.end", "the period ends before it starts")
    if isinstance(read, DosageStep):
        _check_limits(read, place, problems)
    return read


def _check_limits(step: DosageStep, place: str, problems: Problems) -> None:
    """Note counts that no dosage has: whoever walks through the days of a step must come to an end."""
    days = (*step.days_in_cycle, step.cycle_days)
    for name, value, most in (
        ("frequency", step.frequency, MOST_TIMES),
        ("duration_days", step.duration_days, LONGEST_DURATION_DAYS),
        ("cycle_days", max((day for day in days if day is not None), default=None), LONGEST_CYCLE_DAYS),
    ):
        if value is not None and not 1 <= value <= most:
            problems.add("unreadable", f"{place}.{name}", f"must be 1-{most}")
