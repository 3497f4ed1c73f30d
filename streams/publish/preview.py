"""What would be written for a list, and why: read and planned as an attempt does, and nothing sent."""

from collections.abc import Callable
from datetime import datetime
from typing import Literal
from uuid import uuid4

import msgspec

from connectors.nll.client import NllClient
from connectors.nll.outcomes import Accepted, Outcome, Refused, Rejected, Stale, Unavailable, Unknown
from connectors.nll.requests import Task, Write
from contracts.publication import HeldBack, PublishProblem
from mappings.fhir.medication_request import Subject
from mappings.fhir.times import swedish_day
from streams.publish.actual import Actual
from streams.publish.desired import Desired
from streams.publish.look import Before, Look, NotKnownThere, People, Seen
from streams.publish.operations import AnyOperation, Cancel, Create, End, Lock, Unlock, Update
from streams.publish.plan import examine
from streams.publish.policy import Policy
from streams.publish.sending import transaction
from streams.publish.writes import Writes, learned

Why = Literal[
    "not-there", "takes-over", "differs", "stopped", "run-out", "never-valid", "withdrawn", "blocked", "lifted"
]


class Planned(msgspec.Struct, frozen=True, kw_only=True):
    """One write of a plan, and why it is needed. ``changed`` names the fields that differ, ``replaces`` what ends by it."""

    operation: AnyOperation
    why: Why
    changed: tuple[str, ...] = ()
    replaces: str | None = None


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """What would be written, and what is held back. ``unread`` is why the endpoint could not be read: then nothing is known.

    ``refused`` is what the endpoint itself says of the plan as a whole (``$verify``): ``()`` that it would take it, ``None``
    that it was not asked.
    """

    planned: tuple[Planned, ...] = ()
    refused: tuple[Refused, ...] | None = None
    held: tuple[HeldBack, ...] = ()
    problems: tuple[PublishProblem, ...] = ()
    unread: str | None = None


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """For what a preview is made: what the list asks for, and what is known of our own writes."""

    desired: Desired
    writes: Writes = Writes()


async def preview(
    client: NllClient, policy: Policy, now: Callable[[], datetime], asked: Asked, *, verify: bool = False
) -> Preview:
    """Read what the endpoint holds and return the plan for a list; only reads are sent, and a dry run if ``verify``."""
    desired = asked.desired
    if desired.person is None:
        return Preview(held=desired.held)
    found = await People(client).subject(desired.patient, desired.person, Task(context_id=str(uuid4())))
    if isinstance(found, NotKnownThere):
        return Preview(held=desired.held, unread="patient-unknown")
    if not isinstance(found, tuple):
        return Preview(held=desired.held, unread=_why_not(found))
    subject, task = found
    seen = await Look(client, desired, Before(certainty="unseen"))(subject, task)
    if not isinstance(seen, Seen):
        return Preview(held=desired.held, unread=_why_not(seen))
    plan = examine(
        desired,
        _actual(subject, seen, now(), asked.writes),
        policy,
    )
    return Preview(
        planned=tuple(_planned(one, desired) for one in plan.operations),
        refused=await _verified(client, plan.operations, task) if verify and plan.operations else None,
        held=tuple(sorted({*desired.held, *plan.held})),
        problems=plan.problems,
    )


def _actual(subject: Subject, seen: Seen, now: datetime, writes: Writes) -> Actual:
    return Actual(
        subject=subject,
        read_on=swedish_day(now),
        registered=seen.registered,
        locks=seen.locks,
        writes=learned(writes, (one.resource for one in seen.registered if one.records)),
    )


async def _verified(client: NllClient, operations: tuple[AnyOperation, ...], task: Task) -> tuple[Refused, ...]:
    """Ask the endpoint what would become of the writes, all together; nothing is stored."""
    write = Write(request_id=str(uuid4()), activity="UPPDATERA_FORSKRIVNING")
    outcome = await client.verify(transaction(operations), task, write)
    match outcome:
        case Accepted():
            return ()
        case Rejected(reasons=reasons):
            return reasons
        case Stale(reasons=reasons):
            return reasons or (Refused("stale"),)
        case Unavailable(reason=reason) | Unknown(reason=reason):
            return (Refused(reason),)


def _planned(operation: AnyOperation, desired: Desired) -> Planned:
    match operation:
        case Create(replaces=None):
            return Planned(operation=operation, why="not-there")
        case Create(replaces=name):
            return Planned(operation=operation, why="takes-over", replaces=name)
        case Update(changed=changed):
            return Planned(operation=operation, why="differs", changed=changed)
        case Lock():
            return Planned(operation=operation, why="blocked")
        case Unlock():
            return Planned(operation=operation, why="lifted")
        case End() | Cancel():
            return Planned(operation=operation, why=_why_closed(operation, desired))


def _why_closed(operation: End | Cancel, desired: Desired) -> Why:
    if operation.because:
        return "withdrawn"
    target = next(one.target for one in desired.wanted if one.record == operation.record)
    match target:
        case "run-out":
            return "run-out"
        case "cancelled":
            return "never-valid"
        case _:
            return "stopped"


def _why_not(outcome: Outcome) -> str:
    match outcome:
        case Rejected(status=status, reasons=reasons):
            return ",".join(one.code for one in reasons) or f"http-{status}"
        case Unavailable(reason=reason) | Unknown(reason=reason):
            return reason
        case Stale() | Accepted():
            return "unexpected-answer"
