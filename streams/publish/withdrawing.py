"""What becomes at the endpoint of prescriptions that the list withdraws, and of locks whose block is gone. Pure.

Rules (``contracts/decisions/a-block-locks-it-does-not-end.md``).
- Taken back by its source: cancelled. Only what we created.
- Blocked: locked, whether it is still open or not, since a lock covers its chain. What its source ends meanwhile ends.
- The block lifted: so is the lock, once the record is on the list again. A record that is nowhere stays locked: absence is
  doubt.
- Nothing that was closed is registered anew.
"""

from collections.abc import Iterator

from mappings.fhir.data_lock import data_lock, locked_prescription, with_status
from streams.publish.actual import Actual, Registered
from streams.publish.desired import Desired, Retire
from streams.publish.ending import Cause, cancel_of, end_of
from streams.publish.operations import AnyOperation, Lock, Unlock
from streams.publish.policy import Policy


def withdrawals(desired: Desired, actual: Actual, policy: Policy) -> Iterator[AnyOperation]:
    """Yield the writes that withdrawn prescriptions ask for, and those that lift locks."""
    for retire in desired.retire:
        cause = Cause(record=retire.record, because=retire.because)
        for one in actual.of_record(retire.record):
            match retire.how:
                case "lock":
                    yield from _locked(retire, one, actual)
                case "cancel" if not one.closed:
                    yield cancel_of(one, cause)
                case "end" if not one.closed:
                    yield end_of(one, cause, actual, policy)
    yield from _lifted(desired, actual)


def _locked(retire: Retire, one: Registered, actual: Actual) -> Iterator[Lock]:
    known = [lock for lock in actual.locks if locked_prescription(lock.resource) == one.id]
    if retire.block is None or any(lock.in_force for lock in known):
        return
    stored = known[0] if known else None
    yield Lock(
        record=retire.record,
        because=retire.because,
        prescription=one.id,
        resource=data_lock(retire.record, one.id, actual.subject, retire.block)
        if stored is None
        else with_status(stored.resource, in_force=True),
        id=stored.id if stored is not None else None,
        version=stored.version if stored is not None else None,
    )


def _lifted(desired: Desired, actual: Actual) -> Iterator[Unlock]:
    blocked = {retire.record for retire in desired.retire if retire.how == "lock"}
    listed = {one.record for one in desired.wanted} | {one.record for one in desired.held if one.reason != "blocked"}
    for lock in actual.locks:
        if lock.in_force and not blocked & set(lock.records) and listed & set(lock.records):
            resource = with_status(lock.resource, in_force=False)
            yield Unlock(record=lock.records[0], id=lock.id, version=lock.version, resource=resource)
