"""The simulated world's time: a fixed span, Swedish clock times, no real clock."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from contracts.values import Period

STOCKHOLM: Final = ZoneInfo("Europe/Stockholm")
BEGIN: Final = datetime(2024, 1, 1, tzinfo=UTC)
"""The first day on which anything is decided."""
END: Final = datetime(2026, 6, 30, tzinfo=UTC)
"""The last day of the world; everything has been received a week later."""

DAY: Final = timedelta(days=1)
HOUR: Final = timedelta(hours=1)
MINUTE: Final = timedelta(minutes=1)


def local(day: date, clock: str) -> datetime:
    """Return the UTC time of a Swedish clock time (``"08:00"``). The world's clock times avoid the hours 02 to 03."""
    return datetime.combine(day, time.fromisoformat(clock), STOCKHOLM).astimezone(UTC)


def local_day(moment: datetime) -> date:
    """Return the Swedish calendar day of a time."""
    return moment.astimezone(STOCKHOLM).date()


def midnight(moment: datetime) -> datetime:
    """Return when the Swedish day of ``moment`` began."""
    return local(local_day(moment), "00:00")


def days_of(period: Period) -> list[date]:
    """Return the Swedish days that a closed period touches. Raises ``ValueError`` for a period with an open side."""
    if period.start is None or period.end is None:
        raise ValueError("a period without start or end has no list of days")
    first, last = local_day(period.start), local_day(period.end - timedelta(microseconds=1))
    return [first + timedelta(days=offset) for offset in range((last - first).days + 1)]
