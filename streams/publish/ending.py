"""Writes that close a prescription at the endpoint. Pure."""

import msgspec

from contracts.values import Identifier
from mappings.fhir.amendment import cancelled, ended
from mappings.fhir.content import treatment_start
from mappings.fhir.times import swedish_day
from streams.publish.actual import Actual, Registered
from streams.publish.operations import Cancel, End
from streams.publish.policy import Policy


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """Of which record it is, who decided it, and which facts say so where the list no longer shows it."""

    record: str
    author: tuple[Identifier, ...] = ()
    because: tuple[str, ...] = ()


def cancel_of(one: Registered, cause: Cause) -> Cancel:
    """Return the write that declares it never valid."""
    return Cancel(
        record=cause.record,
        author=cause.author,
        because=cause.because,
        id=one.id,
        version=one.version,
        resource=cancelled(one.resource),
    )


def end_of(one: Registered, cause: Cause, actual: Actual, policy: Policy) -> End:
    """Return the write that ends it from when it is sent; what has not begun is ended by update."""
    start = treatment_start(one.resource)
    begun = start is None or swedish_day(start) <= actual.read_on
    return End(
        record=cause.record,
        author=cause.author,
        because=cause.because,
        id=one.id,
        version=one.version,
        resource=ended(one.resource),
        by=policy.end_by if begun else "update",
    )
