"""What somebody else changed there stands, unless our source has decided anew since. Pure.

Rules (``contracts/decisions/what-another-changed-there-stands.md``). A version that is not our own writing, or of which nothing tells
whose it is, is changed, ended, cancelled or taken over from only by a decision that is newer than it: the time that the source
recorded with the prescription (else the time of the decision) against ``meta.lastUpdated``. Where either is not known, or the list
tells no time (what is withdrawn), that is doubt, and what stands there stays. Locks hide and change nothing: they are not held.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

import msgspec

from contracts.medication_list import StandingPrescription
from contracts.publication import HeldBack
from mappings.fhir.elements import child
from mappings.fhir.times import read_start
from streams.publish.actual import Actual, Registered
from streams.publish.desired import Desired
from streams.publish.operations import AnyOperation, Cancel, Create, End, Update
from streams.publish.succession import predecessor
from streams.publish.writes import is_ours

CHANGED_THERE: Final = "changed-there"


class Guarded(msgspec.Struct, frozen=True):
    """The writes that may be sent, and what is held back instead of the others."""

    operations: list[AnyOperation]
    held: list[HeldBack]


def guarded(operations: Iterable[AnyOperation], desired: Desired, actual: Actual) -> Guarded:
    """Return the writes that put nothing older over what somebody else has changed, and the records of those that would."""
    guard = _Guard(desired, actual)
    todo = list(operations)
    taking = {guard.target_of(one) for one in todo if isinstance(one, Create) and not guard.holds(one)}
    kept: list[AnyOperation] = []
    held: set[HeldBack] = set()
    for one in todo:
        taken = isinstance(one, Update | End) and guard.target_of(one) in taking
        if taken or not guard.holds(one):
            kept.append(one)
        else:
            held.add(HeldBack(record=one.record, reason=CHANGED_THERE))
    return Guarded(kept, sorted(held))


class _Guard:
    def __init__(self, desired: Desired, actual: Actual) -> None:
        self._desired = desired
        self._actual = actual
        self._standing: Mapping[str, StandingPrescription] = {one.record: one.prescription for one in desired.wanted}
        self._there: Mapping[str, Registered] = {one.id: one for one in actual.registered}

    def target_of(self, operation: AnyOperation) -> str | None:
        """The prescription of which a write makes something else."""
        match operation:
            case Update(id=name) | End(id=name) | Cancel(id=name):
                return name
            case Create(replaces=None):
                return self._beside(operation)
            case Create(replaces=name):
                return name
            case _:
                return None

    def holds(self, operation: AnyOperation) -> bool:
        """Whether somebody else's change is not older than what the write follows from."""
        target = self._there.get(self.target_of(operation) or "")
        if target is None or not target.records or is_ours(target.resource, self._actual.writes):
            return False
        decided_at = _decided_at(self._standing.get(operation.record))
        changed_at = read_start(child(target.resource, "meta").get("lastUpdated"))
        return decided_at is None or changed_at is None or decided_at <= changed_at

    def _beside(self, operation: Create) -> str | None:
        """What one that is registered by itself would have taken over from, were that not refused as one write."""
        former = predecessor(self._standing[operation.record], self._desired, self._actual, replace=True)
        return former.id if isinstance(former, Registered) else None


def _decided_at(prescription: StandingPrescription | None) -> datetime | None:
    return None if prescription is None else prescription.recorded_at or prescription.occurred_at
