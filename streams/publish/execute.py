"""The executor: reads what is there, sends what the planner says, and tells how it stands. It decides nothing else.

- Every attempt begins with reading: an answer that never came is settled by looking, not by sending again.
- Nothing is created before a search by its record, on top of the reading, showed nothing.
- Writes name the version they build on, and the version of the patient's list; when either is stale it reads and plans anew.
- A write that was refused for good is not sent again; the other writes of the patient still are.
- Writes on what we registered are told before they are sent, so that whoever reads next knows which versions are ours.
- An accepted write that is planned once more did not have its effect: that is a problem, never a loop.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Final, Literal
from uuid import uuid5

import msgspec

from connectors.nll.client import NllClient
from connectors.nll.outcomes import Accepted, Outcome, Refused, Rejected, Stale, Unavailable, Unknown
from connectors.nll.requests import Task, Write
from contracts.fact import NAMESPACE
from contracts.problems import Problem
from contracts.publication import Done, HeldBack, Link, PublishProblem
from contracts.values import Identifier
from mappings.fhir.medication_request import Subject
from mappings.fhir.times import swedish_day
from mappings.fhir.validation import fhir_problems, in_sample
from mappings.fhir.vocabulary import RECORD
from streams.publish.actual import Actual
from streams.publish.answering import is_next, with_answer
from streams.publish.desired import Desired
from streams.publish.kept import KeptReadings
from streams.publish.look import STALE_READ, Before, Certainty, Glimpses, Look, NotKnownThere, People, Seen
from streams.publish.operations import (
    AnyOperation,
    Cancel,
    Create,
    Lock,
    Unlock,
    Update,
    is_new,
    kind_of,
    request_id,
)
from streams.publish.plan import Plan, examine
from streams.publish.policy import Policy
from streams.publish.sending import send, write_of
from streams.publish.trail import Announce, Trail, nobody_asks
from streams.publish.writes import Writes

ROUNDS_MOST: Final = 6
"""How often one attempt reads and plans before it gives way; a list that changes faster is tried again later."""

GLIMPSES_MOST: Final = 10_000
"""Patients of whom what failed attempts have read is kept; of others it is read anew."""

READINGS_MOST: Final = 5_000
"""Patients of whom the last reading is kept, some kilobytes each; of others the list is read before every attempt."""

_NEVER_OURS: Final = frozenset({"source-unknown", "publishes-itself", "inpatient"})
"""What is held back for these reasons was never registered from here: there is nothing to read for."""


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One list to bring about: what it asks for, and the SHA-256 (hex) of its bytes.

    ``known`` are the prescriptions that are known to be there, ``certainty`` how the last attempt for the patient ended,
    ``writes`` what is known of our own writes.
    """

    desired: Desired
    list_hash: str
    known: tuple[Link, ...] = ()
    certainty: Certainty = "unknown"
    writes: Writes = Writes()


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """How an attempt ended. ``failing`` is to be tried again, ``published`` and ``parked`` are not.

    ``operations`` are the writes that were carried out in it, whatever came after. ``writes`` is what is known of our own writes
    now, ``None`` when it ended without telling.
    """

    state: Literal["published", "parked", "failing"]
    operations: tuple[Done, ...] = ()
    links: tuple[Link, ...] = ()
    held: tuple[HeldBack, ...] = ()
    problems: tuple[PublishProblem, ...] = ()
    retry_after_seconds: float | None = None
    writes: Writes | None = None


class Executor:
    """Brings lists about at one endpoint.

    ``now`` gives the present moment with a zone; ``validated`` is the share (0 to 1) of what is sent that is first shown to
    another FHIR implementation.
    """

    def __init__(self, client: NllClient, policy: Policy, now: Callable[[], datetime], validated: float = 0.01) -> None:
        self.client = client
        self.policy = policy
        self.now = now
        self.validated = validated
        self._people = People(client)
        self._glimpses: OrderedDict[str, Glimpses] = OrderedDict()
        self.readings = KeptReadings(READINGS_MOST)

    async def attempt(self, job: Job, announce: Announce = nobody_asks) -> Attempt:
        """Make the endpoint hold what the list asks for, as far as it lets us now; ``announce`` is told before writes."""
        desired = job.desired
        if desired.person is None or not _concerns_endpoint(desired):
            return Attempt(state="published", held=desired.held, links=_links(desired, ()))
        if job.certainty == "settled":
            self._glimpses.pop(desired.patient, None)  # what was read before what comes now
        found = await self._people.subject(desired.patient, desired.person, _task(job))
        trail = Trail(job.writes, announce)
        run = _Run(self, job, trail)
        if not isinstance(found, tuple):
            return run.without_subject(found)
        attempt = msgspec.structs.replace(await run.to_its_end(*found), writes=trail.writes)
        if attempt.state == "parked":
            self._people.forget(desired.patient)
        if attempt.state != "failing":
            self._glimpses.pop(desired.patient, None)
        return attempt

    def forget(self, patient: str) -> None:
        """The patient's list was removed for good: nothing is kept of what was read."""
        self._people.forget(patient)
        self._glimpses.pop(patient, None)
        self.readings.forget(patient)

    def glimpses_of(self, patient: str) -> Glimpses:
        """What failed attempts for a patient have read; of the last many such patients."""
        kept = self._glimpses.setdefault(patient, Glimpses())
        self._glimpses.move_to_end(patient)
        if len(self._glimpses) > GLIMPSES_MOST:
            self._glimpses.popitem(last=False)
        return kept


class _Run:
    """One attempt for one list."""

    def __init__(self, by: Executor, job: Job, trail: Trail) -> None:
        self._client = by.client
        self._policy = by.policy
        self._now = by.now
        self._job = job
        self._trail = trail
        self._validated = by.validated
        self._task = _task(job)
        glimpses = None if job.certainty == "settled" else by.glimpses_of(job.desired.patient)
        self._readings = by.readings
        self._began_at = by.now()
        kept = by.readings.take(job.desired.patient, self._began_at)
        before = Before(known=job.known, certainty=job.certainty, kept=kept)
        self._look = Look(by.client, job.desired, before, glimpses)
        self._followed = False
        self._done: list[Done] = []
        self._refused: dict[str, tuple[PublishProblem, ...]] = {}

    def without_subject(self, why: NotKnownThere | Outcome) -> Attempt:
        """Nothing can be done for a person who is not found; where nothing is to be registered, nothing need be."""
        desired = self._job.desired
        if isinstance(why, NotKnownThere) and not desired.wanted:
            return Attempt(state="published", held=desired.held, links=_links(desired, ()))
        if isinstance(why, NotKnownThere):
            return self._parked((PublishProblem(code="patient-unknown", place="subject"),))
        return self._given_up(why)

    async def to_its_end(self, subject: Subject, task: Task) -> Attempt:
        """Read, plan, send, until nothing is left to do or nothing more can be done now."""
        self._task = task
        for _ in range(ROUNDS_MOST):
            seen = await self._look(subject, self._task)
            if not isinstance(seen, Seen):
                return self._given_up(seen)
            if self._trail.lags(seen.registered):
                return self._given_up(STALE_READ)
            self._followed = True
            ended = await self._round(self._trail.saw(_actual(subject, seen, self._now())))
            if ended is not None:
                return ended
        return self._failing("not-settling", None)

    async def _round(self, actual: Actual) -> Attempt | None:
        found = examine(self._job.desired, actual, self._policy)
        self._give_up_on_repeats(found)
        todo = self._unrefused(found)
        if not todo:
            return self._settled(actual, found)
        return await self._carry_out(todo, actual)

    def _unrefused(self, found: Plan) -> list[AnyOperation]:
        if not self._refused:
            return list(found.operations)
        return [one for one in found.operations if self._id_of(one) not in self._refused]

    async def _carry_out(self, operations: list[AnyOperation], actual: Actual) -> Attempt | None:
        """Tell, then send in order; ``None`` means: read and plan again."""
        if not await self._trail.begins(operations, actual):
            return self._failing("patient-elsewhere", None)
        for operation in operations:
            write = write_of(self._job.desired.patient, operation, actual.list_version)
            try:
                outcome = await self._send(operation, write)
            except asyncio.CancelledError:  # cut: it may have been sent
                self._look.unsure()
                raise
            actual = self._trail.sent(operation, outcome, actual)
            match outcome:
                case Accepted():
                    self._note(operation, write, outcome)
                    if actual.list_version is not None and outcome.list_version is None:
                        return None
                    self._followed = self._followed and is_next(actual, operation, outcome)
                    actual = with_answer(actual, outcome)
                case Rejected():
                    self._refuse(operation, outcome.reasons)
                case Stale():
                    return None
                case Unavailable() | Unknown():
                    self._look.unsure()
                    return self._given_up(outcome)
        ours = {one.id for one in actual.registered if one.records}
        taken = any(isinstance(one, Create) and one.replaces in ours for one in operations)
        return None if taken else self._settled_by_answers(actual)

    def _settled_by_answers(self, actual: Actual) -> Attempt | None:
        """The answers told what is there now, save of ours that were taken over from: if that leaves nothing to do, it is done."""
        found = examine(self._job.desired, actual, self._policy)
        return None if self._unrefused(found) else self._settled(actual, found)

    async def _send(self, operation: AnyOperation, write: Write) -> Outcome:
        if problems := self._invalid(operation, write):
            return Rejected(0, tuple(Refused(f"fhir-{one.code}", one.place) for one in problems))
        if is_new(operation) and (found := await self._already_there(operation)) is not None:
            return found
        return await send(self._client, operation, self._task, write)

    async def _already_there(self, operation: AnyOperation) -> Outcome | None:
        """Search by the record: if it is there after all, what was read is stale. ``None``: it is not there."""
        record, kind = Identifier(system=RECORD, value=operation.record), operation.resource["resourceType"]
        found = await self._client.by_identifier(record, self._task, kind)
        if isinstance(found, list):
            return Stale() if found else None
        return found

    def _invalid(self, operation: AnyOperation, write: Write) -> tuple[Problem, ...]:
        if isinstance(operation, Create | Update | Cancel) and in_sample(write.request_id, self._validated):
            return fhir_problems(operation.resource)
        return ()

    def _note(self, operation: AnyOperation, write: Write, outcome: Accepted) -> None:
        name = outcome.id if isinstance(operation, Create) else operation.id or outcome.id
        done = Done(
            kind=kind_of(operation),
            record=operation.record,
            id=name,
            version=outcome.version,
            request_id=write.request_id,
            because=operation.because,
        )
        self._done.append(done)
        self._look.wrote("lock" if isinstance(operation, Lock | Unlock) else "prescription", name, outcome.version)

    def _refuse(self, operation: AnyOperation, reasons: tuple[Refused, ...]) -> None:
        """Not sent again. A refused replacement must not keep a prescription alive that the list stops: it is ended by itself."""
        problems = (PublishProblem(code=one.code, place=one.place, record=operation.record) for one in reasons)
        self._refused[self._id_of(operation)] = tuple(problems)
        if isinstance(operation, Create) and operation.replaces is not None:
            self._policy = msgspec.structs.replace(self._policy, replace=False)

    def _give_up_on_repeats(self, found: Plan) -> None:
        done = {(one.kind, one.record) for one in self._done}
        for one in found.operations:
            if (kind_of(one), one.record) in done:
                place = ",".join(one.changed) if isinstance(one, Update) else ""
                problem = PublishProblem(code="not-kept-there", place=place, record=one.record)
                self._refused.setdefault(self._id_of(one), (problem,))

    def _id_of(self, operation: AnyOperation) -> str:
        return request_id(self._job.desired.patient, operation)

    def _settled(self, actual: Actual, found: Plan) -> Attempt:
        desired = self._job.desired
        self._trail.adopt(desired, actual, found)
        refused = [problem for one in found.operations for problem in self._refused.get(self._id_of(one), ())]
        problems = tuple(sorted({*refused, *found.problems}))
        ours = [
            Link(record=record, id=one.id, ours=True, version=one.version)
            for one in actual.registered
            for record in one.records
        ]
        ours += [
            Link(record=record, id=one.id, ours=True, version=one.version, kind="lock")
            for one in actual.locks
            if one.in_force
            for record in one.records
        ]
        if self._followed and not problems:
            self._readings.keep(desired.patient, actual, self._look.kept_at or self._began_at)
        return Attempt(
            state="parked" if problems else "published",
            operations=tuple(self._done),
            links=_links(desired, ours),
            held=tuple(sorted({*desired.held, *found.held})),
            problems=problems,
        )

    def _given_up(self, outcome: Outcome) -> Attempt:
        match outcome:
            case Rejected(reasons=reasons):
                return self._parked(tuple(PublishProblem(code=one.code, place=one.place) for one in reasons))
            case Unavailable(reason=reason, retry_after_seconds=seconds):
                return self._failing(reason, seconds)
            case Unknown(reason=reason):
                return self._failing(reason, None)
            case Stale() | Accepted():
                return self._failing("unexpected-answer", None)

    def _parked(self, problems: tuple[PublishProblem, ...]) -> Attempt:
        return Attempt(state="parked", operations=tuple(self._done), held=self._job.desired.held, problems=problems)

    def _failing(self, reason: str, seconds: float | None) -> Attempt:
        return Attempt(
            state="failing",
            operations=tuple(self._done),
            held=self._job.desired.held,
            problems=(PublishProblem(code=reason),),
            retry_after_seconds=seconds,
        )


def _concerns_endpoint(desired: Desired) -> bool:
    """Whether something of the list is, or may once have been, registered from here."""
    held = any(one.reason not in _NEVER_OURS for one in desired.held)
    return bool(desired.wanted or desired.retire) or held


def _task(job: Job) -> Task:
    return Task(context_id=str(uuid5(NAMESPACE, f"task|{job.desired.patient}|{job.list_hash}")))


def _actual(subject: Subject, seen: Seen, now: datetime) -> Actual:
    return Actual(
        subject=subject,
        read_on=swedish_day(now),
        registered=seen.registered,
        locks=seen.locks,
        list_version=seen.list_version,
    )


def _links(desired: Desired, ours: Iterable[Link]) -> tuple[Link, ...]:
    theirs = {Link(record=record, id=name, ours=False) for record, name in desired.linked}
    return tuple(sorted({*ours, *theirs}, key=lambda link: (link.record, link.id)))
