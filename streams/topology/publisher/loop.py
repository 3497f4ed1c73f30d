"""The loop: take lists, begin attempts, tell how they ended, commit what is done. One thread owns all of it.

An offset is done with when its list was replaced by a newer one, asks for what is there already, or is settled (published
or parked) and that was told and acknowledged. Writes on what we registered are told, and that acknowledged, before they are sent.
What keeps failing holds its offset back, so a restart tries it again.
"""

import hashlib
import random
import threading
import time
from collections.abc import Callable, Collection, Iterable
from datetime import datetime
from typing import Final, NamedTuple

import msgspec
from confluent_kafka import Message

from connectors.telemetry import declare, get_logger
from contracts.medication_list import decode_list
from contracts.publication import Publication, PublicationState
from streams.publish.breaker import Breaker
from streams.publish.desired import desired, wanted_hash
from streams.publish.execute import Attempt, Job
from streams.publish.policy import Policy
from streams.topology.publisher.consuming import ListConsumer, place_of
from streams.topology.publisher.desk import Desk, Place, Task
from streams.topology.publisher.gaps import Gaps
from streams.topology.publisher.hands import Hands, Result
from streams.topology.publisher.limits import PublisherLimits
from streams.topology.publisher.memory import SETTLED, Memory
from streams.topology.publisher.metrics import PublisherMetrics
from streams.topology.publisher.problems import PublisherCode, PublisherError
from streams.topology.publisher.requests import Requests
from streams.topology.publisher.telling import Teller

EVENTS: Final = declare({"publisher.held": "PBS-105", "publisher.resumed": "PBS-106"})

_log = get_logger()

Clock = Callable[[], datetime]
"""Gives the time, with its zone."""


ToldBefore = Callable[[Collection[int]], Iterable[Publication]]
"""Gives the newest publications of patients in these partitions, as they stand on the topic."""


class Wires(NamedTuple):
    """The publisher's ends toward Kafka."""

    lists: ListConsumer
    requests: Requests
    teller: Teller
    told_before: ToldBefore


class Loop:
    """Publishes until told to stop. Raises ``PublisherError``, and what a bug raises; then nothing more may be done with it."""

    def __init__(self, wires: Wires, hands: Hands, policy: Policy, limits: PublisherLimits) -> None:
        self._consumer = wires.lists
        self._requests = wires.requests
        self._teller = wires.teller
        self._told_before = wires.told_before
        self._new_partitions: set[int] = set()
        self._hands = hands
        self._policy = policy
        self._limits = limits
        self.metrics = PublisherMetrics()
        self._desk = Desk(limits.parallel)
        self._breaker = Breaker(limits.breaker)
        self._memory = Memory(limits.remembered_patients)
        self._gaps: dict[int, Gaps] = {}
        self._turns: dict[int, int] = {}
        self._began: dict[str, float] = {}
        self._finished: list[Place] = []
        self._settled_now: list[str] = []
        self._committed: dict[int, int] = {}
        self._commit_at = 0.0
        self._clock: Clock | None = None
        self._holding = False
        self.beat = time.monotonic()
        self.lag = 0
        self.ready = False

    def run(self, clock: Clock, stop: threading.Event) -> None:
        """Publish until ``stop`` is set; then wait for what is under way, tell and commit it, and leave the group."""
        self._clock = clock
        while not stop.is_set():
            self._turn()
        self._drain(self._consumer.ours)
        self._consumer.close()  # gives the partitions up, and the requests about them
        self._requests.close()

    @property
    def idle(self) -> bool:
        """Whether everything that was taken is settled."""
        return not (self._desk.waiting or self._desk.flying)

    # What comes

    def _turn(self) -> None:
        self.beat = time.monotonic()
        busy = self._desk.flying > 0 or self._requests.searching
        messages = self._consumer.take(self._limits.busy_seconds if busy else self._wait())
        self._recall()
        for message in messages:
            if place_of(message)[0] in self._gaps:  # a partition may have gone while they were taken
                self._arrived(message)
        self._heed()
        self._collect()
        self._require_hands()
        self._begin()
        self._hold_or_go()

    def _require_hands(self) -> None:
        oldest = next(iter(self._began.values()), None)
        limit = self._limits.attempt_seconds + self._limits.cutting_seconds
        if oldest is not None and time.monotonic() > oldest + limit:
            raise PublisherError(PublisherCode.STALLED, f"an attempt has not ended for {limit:.0f} s")

    def _recall(self) -> None:
        numbers, self._new_partitions = self._new_partitions, set()
        if numbers:
            self._memory.recall(self._told_before(numbers))

    def _wait(self) -> float:
        due = self._desk.next_time()
        if due is None:
            return self._limits.idle_seconds
        return min(max(due - time.monotonic(), self._limits.busy_seconds), self._limits.idle_seconds)

    def _arrived(self, message: Message) -> None:
        partition, offset = place_of(message)
        place = Place(partition, offset, self._turns[partition])
        self._gaps[partition].opened(offset)
        value = message.value()
        if value is None:
            self._erased(message, place)
            return
        task = self._task(message, value, place)
        self._requests.overtaken(task.patient)
        known = self._memory.unchanged(task.patient, task.wanted, task.job.list_hash, self._now())
        if known is not None and not self._desk.knows(task.patient):
            self.metrics.unchanged()
            self._teller.tell(self._memory.told(known), partition)
            self._finished.append(place)
            return
        self._enqueue(task)

    def _heed(self) -> None:
        """What persons ask for: the patient's newest list, tried again whatever is known of it."""
        for patient in self._requests.taken():
            self._memory.doubt(patient)
        for message in self._requests.found():
            partition, offset = place_of(message)
            place = Place(partition, offset, self._turns[partition], counted=False)
            task = self._task(message, message.value() or b"", place)
            if not self._desk.knows(task.patient):
                self._enqueue(task)

    def _enqueue(self, task: Task) -> None:
        now = time.monotonic()
        replaced = self._desk.arrived(task, now)
        if self._breaker.state(now) != "closed":
            self._tell(task, Attempt(state="failing"), "pending")
        if replaced is not None:
            self.metrics.replaced()
            self._finished.append(replaced)

    def _task(self, message: Message, value: bytes, place: Place) -> Task:
        try:
            medication_list = decode_list(value)
        except msgspec.DecodeError as error:
            raise self._unreadable(place) from error
        if message.key() != medication_list.patient.encode():
            raise self._unreadable(place)
        wish = desired(medication_list, self._policy)
        job = Job(desired=wish, list_hash=hashlib.sha256(value).hexdigest())
        return Task(patient=medication_list.patient, place=place, job=job, wanted=wanted_hash(wish))

    def _erased(self, message: Message, place: Place) -> None:
        """The patient's list was removed for good: nothing is sent, and nothing is kept."""
        patient = (message.key() or b"").decode("utf-8", "strict")
        waiting = self._desk.forget(patient)
        self._finished += [place] if waiting is None else [waiting, place]
        self._memory.forget(patient)
        self._hands.forget(patient)
        self._requests.settled(patient)
        self._teller.erase(patient, place.partition)

    def _unreadable(self, place: Place) -> PublisherError:
        return PublisherError(PublisherCode.LIST_UNREADABLE, f"partition {place.partition} offset {place.offset}")

    # What goes

    def _begin(self) -> None:
        now = time.monotonic()
        while self._breaker.may_begin(now) and (task := self._desk.next_due(now)) is not None:
            self._breaker.began(now)
            self._began[task.patient] = now
            known, certainty = self._memory.known(task.patient)
            writes = self._memory.writes(task.patient)
            task.job = msgspec.structs.replace(task.job, known=known, certainty=certainty, writes=writes)
            self._hands.begin(task)

    def _hold_or_go(self) -> None:
        most = self._limits.waiting_patients
        holding = self._desk.waiting >= (most // 2 if self._holding else most)
        if holding != self._holding:
            self._holding = holding
            _log.info("publisher.held" if holding else "publisher.resumed", patients=self._desk.waiting)
        self._consumer.hold(hold=holding)
        taken = {number: gaps.next_to_take for number, gaps in self._gaps.items()}
        self.lag = self._consumer.lag({number: at for number, at in taken.items() if at is not None})
        asking = self._breaker.state(time.monotonic()) != "open"
        self.metrics.looked(self._desk.waiting, self.lag, asking=asking)
        self.metrics.stand(self._memory.unpublished)

    # What became of it

    def _collect(self) -> None:
        self._announce()
        for result in self._hands.results():
            self._ended(result)
        if self._finished or time.monotonic() >= self._commit_at:
            self._settle()

    def _announce(self) -> None:
        """What is about to be written is told first: whoever reads it there can know from then on that it is ours."""
        announced = self._hands.announcements()
        for one in announced:
            task = one.task
            if self._may(task):
                new = Publication(
                    patient=task.patient, state="pending", list_hash=task.job.list_hash, since=self._now()
                )
                self._teller.tell(self._memory.announced(new, one.writes), task.place.partition)
        if announced:
            self._teller.settle()
            self.waiting()
        for one in announced:
            self._hands.release(one, may=self._may(one.task))

    def _ended(self, result: Result) -> None:
        if isinstance(result.attempt, BaseException):
            raise result.attempt
        task, attempt = result.task, result.attempt
        now = time.monotonic()
        self.metrics.attempted(attempt.state, attempt.operations, now - self._began.pop(task.patient))
        if not self._may(task):  # whoever has it now reads the list again; of an erased one nothing is kept
            self._desk.ended(task)
            if task.erased:
                self._hands.forget(task.patient)
            self._finished.append(task.place)
            return
        task.done = (*task.done, *attempt.operations)
        if attempt.state == "failing":
            self._failed(task, attempt, now)
            return
        if self._breaker.succeeded():
            _log.info("endpoint.recovered")
        self._desk.ended(task)
        self._tell(task, attempt, attempt.state)
        self._finished.append(task.place)

    def _failed(self, task: Task, attempt: Attempt, now: float) -> None:
        limits = self._limits
        task.failures += 1
        if self._breaker.state(now) == "closed" and task.failures >= limits.attempts_most:
            self._breaker_failed(attempt, now)
            self._desk.ended(task)
            self._tell(task, attempt, "parked")
            self._finished.append(task.place)
            return
        self._breaker_failed(attempt, now)
        wait = limits.backoff.wait_seconds(task.failures, random.random(), attempt.retry_after_seconds)  # noqa: S311 - jitter
        codes = tuple(sorted({problem.code for problem in attempt.problems}))
        if task.told != codes:
            task.told = codes
            self._tell(task, attempt, "failing")
            _log.warning("publish.retried", patient=task.patient, attempt=task.failures, wait_seconds=wait)
        if not self._desk.try_again(task, now + wait):
            self.metrics.replaced()
            self._finished.append(task.place)

    def _breaker_failed(self, attempt: Attempt, now: float) -> None:
        again = self._breaker.opened_times + 1
        wait = self._limits.breaker_backoff.wait_seconds(again, random.random(), attempt.retry_after_seconds)  # noqa: S311 - jitter
        if self._breaker.failed(now, wait):
            _log.warning("endpoint.failed", wait_seconds=wait)

    def _tell(self, task: Task, attempt: Attempt, state: PublicationState) -> None:
        publication = Publication(
            patient=task.patient,
            state=state,
            list_hash=task.job.list_hash,
            wanted_hash=task.wanted,
            since=self._now(),
            operations=task.done,
            links=attempt.links,
            held=attempt.held,
            problems=attempt.problems,
            attempts=task.failures + (state in SETTLED),
        )
        self._teller.tell(self._memory.told(publication, attempt.writes), task.place.partition)
        if state in SETTLED:
            self.metrics.settled(state)
            self._settled_now.append(task.patient)
        if state == "parked":
            _log.warning("publish.parked", patient=task.patient, problems=len(attempt.problems))
        elif state == "published" and task.done:
            _log.info("publish.sent", patient=task.patient, writes=len(task.done), list_hash=task.job.list_hash)

    def _settle(self) -> None:
        """First told and acknowledged, then finished, then committed."""
        self._teller.settle()
        self.waiting()
        done, self._finished = self._finished, []
        settled, self._settled_now = self._settled_now, []
        for patient in settled:
            self._requests.settled(patient)
        for place in done:
            if place.counted and self._ours(place):
                self._gaps[place.partition].finished(place.offset)
        now = time.monotonic()
        if now < self._commit_at:
            return
        self._commit_at = now + self._limits.commit_seconds
        self._commit()

    def _commit(self) -> None:
        reached = {number: gaps.committable for number, gaps in self._gaps.items()}
        news = {n: at for n, at in reached.items() if at is not None and at != self._committed.get(n)}
        if news and self._consumer.commit(news):
            self._committed |= news

    # Partitions that come and go

    def waiting(self) -> None:
        """A broker has answered, and is asked on: that is no standstill."""
        self.beat = time.monotonic()

    def assigned(self, partitions: Collection[int]) -> None:
        """Partitions came."""
        for number in partitions:
            self._gaps[number] = Gaps()
            self._turns[number] = self._turns.get(number, 0) + 1
        self._requests.assigned(partitions)
        self._new_partitions.update(partitions)
        self.ready = True

    def revoking(self, partitions: Collection[int]) -> None:
        """Partitions are about to go: wait a little for their attempts, and commit."""
        self._drain(partitions)

    def gone(self, partitions: Collection[int]) -> None:
        """Partitions went: what waits of them is the next owner's."""
        self._desk.drop_partitions(partitions)
        self._requests.gone(partitions)
        self._memory.keep(self._consumer.holds)
        self._new_partitions.difference_update(partitions)
        for number in partitions:
            self._gaps.pop(number, None)
            self._committed.pop(number, None)

    def _drain(self, partitions: Collection[int]) -> None:
        deadline = time.monotonic() + self._limits.drain_seconds
        while self._desk.flying_of(partitions) and time.monotonic() < deadline:
            self.beat = time.monotonic()
            time.sleep(self._limits.busy_seconds)
            self._announce()
            for result in self._hands.results():
                self._ended(result)
        self._commit_at = 0.0
        self._settle()

    def _may(self, task: Task) -> bool:
        return not task.erased and self._ours(task.place)

    def _ours(self, place: Place) -> bool:
        return place.partition in self._gaps and self._turns[place.partition] == place.turn

    def _now(self) -> datetime:
        if self._clock is None:
            raise RuntimeError("the loop does not run")
        return self._clock()
