"""The planner: the smallest set of writes that makes the endpoint hold what the list asks for. Pure.

Rules.
- A prescription is ours when it bears our record's id. Only ours are changed, ended or cancelled; another's ends only where
  a prescription that we register says that it takes over from it (``streams.publish.succession``).
- Created only when nothing there bears the record's id, open or closed; what was closed there is not opened again.
- Changed only when its content differs (``mappings.fhir.content``); a change of drug is no change but another prescription.
- Ended only when its prescriber stopped it, or when its own end date has passed and the endpoint does not know that date.
  Never because it is no longer asked for: absence is doubt. What is withdrawn: ``streams.publish.withdrawing``.
- Nothing is back-dated: an end holds from when it is sent, the time of issue stays, a start before it is not stated, a last day
  of validity that has passed is not set.
- What somebody else changed there is not overwritten by an older decision: ``streams.publish.guarding``.
- Whatever cannot be decided is held back with a reason, and left alone.
"""

from collections.abc import Iterable

import msgspec

from contracts.medication_list import StandingPrescription
from contracts.publication import HeldBack, PublishProblem
from contracts.values import Identifier
from mappings.fhir.amendment import amended
from mappings.fhir.content import content_of, differences, issued_at, treatment_end
from mappings.fhir.exact_json import JsonObject
from mappings.fhir.medication_request import NotExpressible, Terms, medication_request
from streams.publish.actual import Actual, Registered
from streams.publish.desired import Desired, Wanted
from streams.publish.ending import Cause, cancel_of, end_of
from streams.publish.guarding import guarded
from streams.publish.operations import AnyOperation, Create, End, Update, rank
from streams.publish.policy import Policy
from streams.publish.succession import Untakeable, predecessor
from streams.publish.withdrawing import withdrawals


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """The writes in their order, and what is held back because of how things stand at the endpoint."""

    operations: tuple[AnyOperation, ...] = ()
    held: tuple[HeldBack, ...] = ()
    problems: tuple[PublishProblem, ...] = ()


class _Held(msgspec.Struct, frozen=True):
    reason: str
    problems: tuple[PublishProblem, ...] = ()


_Decided = list[AnyOperation] | _Held


class _View(msgspec.Struct, frozen=True):
    desired: Desired
    actual: Actual
    policy: Policy


def plan(desired: Desired, actual: Actual, policy: Policy) -> tuple[AnyOperation, ...]:
    """Return the writes that make ``actual`` what is ``desired``; none when it already is."""
    return examine(desired, actual, policy).operations


def examine(desired: Desired, actual: Actual, policy: Policy) -> Plan:
    """Return the writes, and everything that is held back with its reason."""
    operations: list[AnyOperation] = []
    held: list[HeldBack] = []
    problems: list[PublishProblem] = []
    view = _View(desired, actual, policy)
    for wanted in desired.wanted:
        match _decide(wanted, view):
            case _Held(reason=reason, problems=found):
                held.append(HeldBack(record=wanted.record, reason=reason))
                problems += found
            case decided:
                operations += decided
    operations += withdrawals(desired, actual, policy)
    safe = guarded(operations, desired, actual)
    return Plan(
        operations=tuple(sorted(_without_replaced(safe.operations), key=rank)),
        held=tuple(sorted((*held, *safe.held))),
        problems=tuple(sorted(problems)),
    )


def _decide(wanted: Wanted, view: _View) -> _Decided:
    there = view.actual.of_record(wanted.record)
    cause = Cause(record=wanted.record, author=_author(wanted.prescription))
    match wanted.target:
        case "standing":
            return _keep(wanted.prescription, there, view) if there else _create(wanted.prescription, view)
        case "run-out":
            end = wanted.prescription.content.period.end
            unaware = [one for one in there if one.dispensable and (end is None or treatment_end(one.resource) != end)]
            return [end_of(one, cause, view.actual, view.policy) for one in unaware]
        case "ended":
            return [end_of(one, cause, view.actual, view.policy) for one in there if not one.closed]
        case "cancelled":
            return [cancel_of(one, cause) for one in there if not one.closed]


def _create(prescription: StandingPrescription, view: _View) -> _Decided:
    if any(record == prescription.record for record, _ in view.desired.linked):
        return _Held("registered-elsewhere")
    if _is_over(prescription, view.actual):
        return _Held("expired")
    former = predecessor(prescription, view.desired, view.actual, replace=view.policy.replace)
    if isinstance(former, Untakeable):
        return _Held(former.reason)
    terms = Terms(subject=view.actual.subject, replaces=former.id if former is not None else None)
    resource = medication_request(prescription, terms)
    if isinstance(resource, NotExpressible):
        return _not_expressible(prescription.record, resource)
    author = _author(prescription)
    return [Create(record=prescription.record, author=author, resource=resource, replaces=terms.replaces)]


def _keep(prescription: StandingPrescription, there: tuple[Registered, ...], view: _View) -> _Decided:
    living = [one for one in there if not one.closed]
    if len(living) != 1:
        return _Held("twice-there" if living else "closed-there")
    one = living[0]
    if one.status == "on-hold":
        return _Held("parked-there")
    ours = medication_request(prescription, Terms(subject=view.actual.subject, issued=issued_at(one.resource)))
    if isinstance(ours, NotExpressible):
        return _not_expressible(prescription.record, ours)
    return _changed(prescription, one, ours, view)


def _changed(prescription: StandingPrescription, one: Registered, ours: JsonObject, view: _View) -> _Decided:
    changed = differences(content_of(ours), content_of(one.resource))
    if not changed:
        return []
    if not one.dispensable:
        return _Held("closed-there")
    if _is_over(prescription, view.actual):
        return _Held("expired")
    if "product" in changed:
        return _Held("other-drug-there")
    return [
        Update(
            record=prescription.record,
            author=_author(prescription),
            id=one.id,
            version=one.version,
            resource=amended(one.resource, ours),
            changed=changed,
        )
    ]


def _is_over(prescription: StandingPrescription, actual: Actual) -> bool:
    """Whether its last day of validity has passed: NLL takes no such day, and nothing is to be back-dated (G.033)."""
    until = prescription.content.valid_until
    return until is not None and until < actual.read_on


def _without_replaced(operations: Iterable[AnyOperation]) -> list[AnyOperation]:
    """A prescription that another takes over from ends by that; what would have changed in it no longer matters."""
    found = list(operations)
    replaced = {one.replaces for one in found if isinstance(one, Create)}
    return [one for one in found if not (isinstance(one, End | Update) and one.id in replaced)]


def _not_expressible(record: str, why: NotExpressible) -> _Held:
    problems = (PublishProblem(code=one.code, place=one.place, record=record) for one in why.problems)
    return _Held("not-expressible", tuple(problems))


def _author(prescription: StandingPrescription) -> tuple[Identifier, ...]:
    prescriber = prescription.content.prescriber
    return prescriber.identifiers if prescriber is not None else ()
