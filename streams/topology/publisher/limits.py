"""The limit of everything that the publisher does."""

import msgspec

from streams.publish.backoff import Backoff
from streams.publish.breaker import BreakerLimits


class PublisherLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Limits of one publisher process; times in seconds."""

    parallel: int = 8
    """Patients that are worked on at the same time; each at most once."""
    waiting_patients: int = 2_000
    """Patients whose list waits in memory; beyond it the partitions are paused, below half of it they go on."""
    batch_messages: int = 200
    """Lists taken at once."""
    idle_seconds: float = 0.1
    """How long to wait for a list when nothing is under way; also how fast a stop is noticed."""
    busy_seconds: float = 0.005
    """The same while attempts are under way."""
    commit_seconds: float = 0.25
    """How often offsets are committed at most."""
    attempt_seconds: float = 120.0
    """The longest that one attempt may take; it is then cut, which leaves unknown whether its last write arrived."""
    cutting_seconds: float = 30.0
    """How long after its time an attempt may take to be cut; beyond it what carries attempts out hangs, and the process ends."""
    attempts_most: int = 30
    """Attempts at one list while the endpoint answers others; then the patient is parked with the last reasons."""
    remembered_patients: int = 50_000
    """Patients whose last publication is kept, so that a list that asks for the same needs no reading."""
    delivery_seconds: float = 45.0
    """How long the acknowledgement of a status record may take."""
    request_seconds: float = 30.0
    """One question to a broker."""
    drain_seconds: float = 10.0
    """How long a stop, or partitions that go away, wait for attempts under way; the rest is cut."""
    backoff: Backoff = Backoff()
    breaker: BreakerLimits = BreakerLimits()
    breaker_backoff: Backoff = Backoff(first_seconds=1.0, most_seconds=60.0)
