"""What stands at the endpoint after a write, as far as its answer tells. Pure."""

import msgspec

from connectors.nll.outcomes import Accepted
from mappings.fhir.data_lock import is_data_lock
from streams.publish.actual import Actual, known_locks, registered
from streams.publish.operations import AnyOperation, Create


def is_next(actual: Actual, operation: AnyOperation, answer: Accepted) -> bool:
    """Whether a write, and nothing else, changed what is there: not if it ended another, and not if another's came with it."""
    if actual.list_version is None or answer.resource is None or (isinstance(operation, Create) and operation.replaces):
        return False
    return answer.list_version == actual.list_version + 1


def with_answer(actual: Actual, answer: Accepted) -> Actual:
    """What is there, after a write whose answer carried the resource as it was stored."""
    told = [answer.resource] if answer.resource is not None else []
    if any(is_data_lock(one) for one in told):
        locks = {one.id: one for one in (*actual.locks, *known_locks(told))}
        return msgspec.structs.replace(actual, locks=tuple(locks.values()), list_version=answer.list_version)
    found = {one.id: one for one in (*actual.registered, *registered(told))}
    both = tuple(found[name] for name in sorted(found))
    return msgspec.structs.replace(actual, registered=both, list_version=answer.list_version)
