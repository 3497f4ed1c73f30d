"""The limit of everything that reading NLL does."""

import msgspec

from streams.publish.backoff import Backoff
from streams.publish.breaker import BreakerLimits


class NllSourceLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Limits of one process that reads NLL; times in seconds."""

    parallel: int = 4
    """Patients that are read at the same time."""
    monitored_persons: int = 50
    """Dose patients in one question about changes (``$monitoring`` takes 50 at most)."""
    monitored_days: int = 60
    """How far back that question may go."""
    whole_seconds: float = 86_400.0
    """A dose patient's list version is looked at this often, whatever the question about changes says of it: it tells of
    prescriptions only, not of dispensings."""
    idle_seconds: float = 0.1
    """How long to wait for a list when nobody is due; also how fast a stop is noticed."""
    turn_seconds: float = 30.0
    """The longest that one turn's reading may take; what is cut is read again later."""
    batch_messages: int = 500
    """Lists taken at once."""
    delivery_seconds: float = 45.0
    """How long the acknowledgement of what was read may take."""
    backoff: Backoff = Backoff(first_seconds=5.0, most_seconds=3600.0)
    breaker: BreakerLimits = BreakerLimits()
    breaker_backoff: Backoff = Backoff(first_seconds=1.0, most_seconds=300.0)
