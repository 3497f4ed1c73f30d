"""The trail of our own writes in the course of one attempt: told before they are sent, settled by answers and readings."""

from collections.abc import Awaitable, Callable, Iterable

import msgspec

from connectors.nll.outcomes import Accepted, Outcome, Rejected
from contracts.publication import Sending, Written
from streams.publish.actual import Actual, Registered, registered
from streams.publish.desired import Desired
from streams.publish.operations import AnyOperation, Cancel, Create, End, Update
from streams.publish.plan import Plan
from streams.publish.writes import (
    Writes,
    accepted,
    content_digest,
    is_ours,
    learned,
    outstanding,
    version_number,
    withdrawn,
)

Announce = Callable[[Writes], Awaitable[bool]]
"""Tells what is known of our writes before some are sent; whether they may be: not when another process has the patient."""


async def nobody_asks(_writes: Writes) -> bool:
    """Announce to nobody: for an endpoint that no other process writes to."""
    return True


class Trail:
    """Knows at every moment which versions there are ours."""

    def __init__(self, writes: Writes, announce: Announce = nobody_asks) -> None:
        self._writes = writes
        self._announce = announce
        self._unsent: list[Sending] = []
        self._telling: list[tuple[AnyOperation, Sending | None]] = []

    @property
    def writes(self) -> Writes:
        """What is known; a write that was never sent is not part of it."""
        return withdrawn(self._writes, self._unsent)

    def lags(self, found: Iterable[Registered]) -> bool:
        """Whether a reading shows an older version than we have written: nothing can be concluded from it."""
        newest = {one.id: version_number(one.version) for one in self.writes.written}
        return any(version_number(one.version) < newest.get(one.id, 0) for one in found)

    def saw(self, actual: Actual) -> Actual:
        """Learn from a reading, and return it with what is known."""
        self._now(learned(self.writes, (one.resource for one in actual.registered if one.records)))
        return msgspec.structs.replace(actual, writes=self.writes)

    async def begins(self, operations: Iterable[AnyOperation], actual: Actual) -> bool:
        """Tell of these writes; whether they may be sent."""
        before = self.writes
        self._telling = [(one, sending_of(one, actual)) for one in operations]
        self._unsent = []
        todo = [told for _, told in self._telling if told is not None and told not in before.sending]
        self._now(outstanding(before, todo))
        self._unsent = todo
        return not todo or await self._announce(self._writes)

    def sent(self, operation: AnyOperation, outcome: Outcome, actual: Actual) -> Actual:
        """A write was sent, with this outcome; return the reading that it built on with what is known now."""
        sending = next((told for one, told in self._telling if one is operation), None)
        self._unsent = [one for one in self._unsent if one != sending]
        match outcome:
            case Accepted():
                self._accepted(outcome, sending)
            case Rejected() if sending is not None:
                self._now(withdrawn(self._writes, (sending,)))
            case _:  # it may have been carried out: the next reading tells
                pass
        return msgspec.structs.replace(actual, writes=self.writes)

    def adopt(self, desired: Desired, actual: Actual, found: Plan) -> None:
        """Where nothing was recorded, what says all that the list asks for counts as our writing from now on."""
        unlike = {one.record for one in (*found.held, *found.operations)}
        same = (one.record for one in desired.wanted if one.record not in unlike)
        for one in (there for record in same for there in actual.of_record(record)):
            if is_ours(one.resource, self.writes) is None:
                self._now(_with(self.writes, one.id, one.version, content_digest(one.resource)))

    def _accepted(self, outcome: Accepted, sending: Sending | None) -> None:
        """The version that it made is ours; of one that another takes over from, the next reading tells."""
        told = outcome.resource
        if sending is not None and sending.id == outcome.id and outcome.version is not None:
            content = content_digest(told) if told is not None else sending.content
            self._now(_with(self._writes, sending.id, outcome.version, content))
        elif told is not None and registered([told]):
            self._now(learned(self._writes, [told]))

    def _now(self, writes: Writes) -> None:
        self._writes = writes


def sending_of(operation: AnyOperation, actual: Actual) -> Sending | None:
    """Return what must be known of a write before it is sent: what it makes of a prescription that we registered."""
    match operation:
        case Update(id=name, version=version, resource=resource):
            return Sending(id=name, onto=version, content=content_digest(resource))
        case End(id=name, version=version) | Cancel(id=name, version=version):
            return Sending(id=name, onto=version)
        case Create(replaces=name) if name is not None:
            former = next((one for one in actual.registered if one.id == name and one.records), None)
            return None if former is None else Sending(id=name, onto=former.version)
        case _:
            return None


def _with(writes: Writes, name: str, version: str, content: str | None) -> Writes:
    return accepted(writes, Written(id=name, version=version, content=content))
