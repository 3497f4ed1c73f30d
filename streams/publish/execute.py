"""The executor: reads what is there, sends what the planner says, and tells how it stands. It decides nothing else.

- Every attempt begins with reading: an answer that never came is settled by looking, not by sending again.
- Writes name the version they build on, and the version of the patient's list; when either is stale it reads and plans anew.
- A write that was refused for good is not sent again; the other writes of the patient still are.
- What the endpoint says it stored is planned against once more: an accepted write that did not have its effect is a
  problem, never a loop.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Final, Literal
from uuid import uuid5

import msgspec

from connectors.nll.client import NllClient
from connectors.nll.outcomes import Accepted, Outcome, Rejected, Stale, Unavailable, Unknown
from connectors.nll.requests import Activity, Task, Write, contained_patient_id
from contracts.fact import NAMESPACE
from contracts.publication import Done, HeldBack, Link, PublishProblem
from contracts.systems import PERSONNUMMER
from contracts.values import Identifier
from mappings.fhir.exact_json import JsonObject
from mappings.fhir.medication_request import ContainedPatient, KnownPatient, Subject
from mappings.fhir.times import swedish_day
from mappings.fhir.vocabulary import RECORD
from streams.publish.actual import Actual, registered
from streams.publish.desired import Desired
from streams.publish.operations import AnyOperation, Cancel, Create, End, Update, kind_of, request_id
from streams.publish.plan import Plan, examine
from streams.publish.policy import Policy

ROUNDS_MOST: Final = 6
"""How often one attempt reads and plans before it gives way; a list that changes faster is tried again later."""

ON_BEHALF_OF_PRESCRIBER: Final[JsonObject] = {
    "resourceType": "Parameters",
    "parameter": [{"name": "onBehalfOf", "valueCode": "prescriber"}],
}
"""No day is named, so it is the day on which it is sent: nothing is ended backward or forward in time."""

_ACTIVITIES: Final[dict[str, Activity]] = {
    "create": "REGISTRERA_FORSKRIVNING",
    "replace": "ERSATT_FORSKRIVNING",
    "update": "UPPDATERA_FORSKRIVNING",
    "end": "AVSLUTA_FORSKRIVNING",
    "cancel": "MAKULERA_FORSKRIVNING",
}


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One list to bring about: what it asks for, and the SHA-256 (hex) of its bytes."""

    desired: Desired
    list_hash: str


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """How an attempt ended. ``failing`` is to be tried again, ``published`` and ``parked`` are not.

    ``operations`` are the writes that were carried out in it, whatever came after.
    """

    state: Literal["published", "parked", "failing"]
    operations: tuple[Done, ...] = ()
    links: tuple[Link, ...] = ()
    held: tuple[HeldBack, ...] = ()
    problems: tuple[PublishProblem, ...] = ()
    retry_after_seconds: float | None = None


class Executor:
    """Brings lists about at one endpoint. ``now`` gives the present moment with a zone."""

    def __init__(self, client: NllClient, policy: Policy, now: Callable[[], datetime]) -> None:
        self._client = client
        self._policy = policy
        self._now = now

    async def attempt(self, job: Job) -> Attempt:
        """Make the endpoint hold what the list asks for, as far as it lets us now."""
        if not job.desired.wanted and not job.desired.retire:
            return Attempt(state="published", held=job.desired.held, links=_links(job.desired, ()))
        return await _Run(self._client, self._policy, self._now, job).to_its_end()


class _Run:
    """One attempt for one list."""

    def __init__(self, client: NllClient, policy: Policy, now: Callable[[], datetime], job: Job) -> None:
        self._client = client
        self._policy = policy
        self._now = now
        self._job = job
        context = str(uuid5(NAMESPACE, f"task|{job.desired.patient}|{job.list_hash}"))
        self._task = Task(context_id=context)
        self._done: list[Done] = []
        self._refused: dict[str, tuple[PublishProblem, ...]] = {}

    async def to_its_end(self) -> Attempt:
        subject = await self._subject()
        if not isinstance(subject, KnownPatient | ContainedPatient):
            return subject
        for _ in range(ROUNDS_MOST):
            actual = await self._read(subject)
            if isinstance(actual, Attempt):
                return actual
            found = examine(self._job.desired, actual, self._policy)
            self._give_up_on_repeats(found)
            todo = [one for one in found.operations if self._id_of(one) not in self._refused]
            if not todo:
                return self._settled(actual, found)
            ended = await self._carry_out(todo, actual)
            if ended is not None:
                return ended
        return self._failing("not-settling", None)

    async def _subject(self) -> Subject | Attempt:
        person = self._job.desired.person
        if person is None:
            raise ValueError("a list without a person asks for nothing, so it never comes here")
        if person.system != PERSONNUMMER:
            self._task = msgspec.structs.replace(self._task, patient_id=contained_patient_id(person))
            return ContainedPatient(person)
        outcome = await self._client.find_patient(person, self._task)
        if not isinstance(outcome, Accepted):
            return self._given_up(outcome)
        if outcome.id is None:
            return self._parked((PublishProblem(code="patient-unknown", place="subject"),))
        self._task = msgspec.structs.replace(self._task, patient_id=outcome.id)
        return KnownPatient(outcome.id)

    async def _read(self, subject: Subject) -> Actual | Attempt:
        """The list's version first: what changes while the prescriptions are read makes the version stale."""
        version: int | None = None
        found: list[JsonObject] | Outcome
        match subject:
            case KnownPatient():
                told = await self._client.list_version(self._task)
                if not isinstance(told, int):
                    return self._given_up(told)
                version = told
                found = await self._client.prescriptions(self._task)
            case ContainedPatient():
                found = await self._of_records()
        if not isinstance(found, list):
            return self._given_up(found)
        return Actual(
            subject=subject, read_on=swedish_day(self._now()), registered=registered(found), list_version=version
        )

    async def _of_records(self) -> list[JsonObject] | Outcome:
        """A contained patient has no list to search: each record is looked for by itself."""
        desired = self._job.desired
        resources: list[JsonObject] = []
        for record in [*(one.record for one in desired.wanted), *(one.record for one in desired.retire)]:
            found = await self._client.by_identifier(Identifier(system=RECORD, value=record), self._task)
            if not isinstance(found, list):
                return found
            resources += found
        return resources

    async def _carry_out(self, operations: list[AnyOperation], actual: Actual) -> Attempt | None:
        """Send in order; ``None`` means: read and plan again."""
        version = actual.list_version
        for operation in operations:
            outcome = await self._send(operation, version)
            match outcome:
                case Accepted():
                    self._note(operation, outcome)
                    if version is not None and outcome.list_version is None:
                        return None
                    version = outcome.list_version
                case Rejected():
                    self._refuse(operation, outcome)
                case Stale():
                    return None
                case Unavailable() | Unknown():
                    return self._given_up(outcome)
        return None

    async def _send(self, operation: AnyOperation, list_version: int | None) -> Outcome:
        write = Write(
            request_id=self._id_of(operation),
            activity=_ACTIVITIES[kind_of(operation)],
            version=None if isinstance(operation, Create) else operation.version,
            list_version=list_version,
            author=operation.author,
        )
        match operation:
            case Create(resource=resource):
                return await self._client.create("MedicationRequest", resource, self._task, write)
            case Update(resource=resource) | Cancel(resource=resource):
                return await self._client.update(resource, self._task, write)
            case End(by="update", resource=resource):
                return await self._client.update(resource, self._task, write)
            case End(id=name):
                return await self._client.end(name, ON_BEHALF_OF_PRESCRIBER, self._task, write)

    def _note(self, operation: AnyOperation, outcome: Accepted) -> None:
        name = outcome.id if isinstance(operation, Create) else operation.id
        done = Done(
            kind=kind_of(operation),
            record=operation.record,
            id=name,
            version=outcome.version,
            request_id=self._id_of(operation),
        )
        self._done.append(done)

    def _refuse(self, operation: AnyOperation, outcome: Rejected) -> None:
        """Not sent again. A refused replacement must not keep the stopped prescription alive: it is ended by itself."""
        problems = (PublishProblem(code=one.code, place=one.place, record=operation.record) for one in outcome.reasons)
        self._refused[self._id_of(operation)] = tuple(problems)
        if isinstance(operation, Create) and operation.replaces is not None:
            self._policy = msgspec.structs.replace(self._policy, replace=False)

    def _give_up_on_repeats(self, found: Plan) -> None:
        """A write that was accepted in this attempt and is planned once more did not have its effect: not a third time."""
        done = {(one.kind, one.record) for one in self._done}
        for one in found.operations:
            if (kind_of(one), one.record) in done:
                place = ",".join(one.changed) if isinstance(one, Update) else ""
                problem = PublishProblem(code="not-kept-there", place=place, record=one.record)
                self._refused.setdefault(self._id_of(one), (problem,))

    def _id_of(self, operation: AnyOperation) -> str:
        return request_id(self._job.desired.patient, self._job.list_hash, operation)

    def _settled(self, actual: Actual, found: Plan) -> Attempt:
        desired = self._job.desired
        refused = [problem for one in found.operations for problem in self._refused.get(self._id_of(one), ())]
        problems = tuple(sorted({*refused, *found.problems}))
        return Attempt(
            state="parked" if problems else "published",
            operations=tuple(self._done),
            links=_links(desired, tuple((r, one.id) for one in actual.registered for r in one.records)),
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


def _links(desired: Desired, ours: tuple[tuple[str, str], ...]) -> tuple[Link, ...]:
    own = {Link(record=record, id=name, ours=True) for record, name in ours}
    theirs = {Link(record=record, id=name, ours=False) for record, name in desired.linked}
    return tuple(sorted(own | theirs))
