"""The loop: whom we hold by the list topic, who is due, what is new of them at NLL, onto the input topic. One thread owns it.

Lists are read from their beginning whenever partitions come, and never committed: they only tell whom to look for. How far
was read stands in the watermarks; what a crash loses of them is read and passed on again, which makes the same facts.
"""

import random
import threading
import time
from asyncio import Runner
from collections.abc import Callable, Collection
from contextlib import AsyncExitStack
from datetime import datetime
from typing import Final, NamedTuple

import msgspec
from confluent_kafka import Message

from connectors.telemetry import declare, get_logger
from contracts.nll_watermark import NllWatermark
from streams.publish.breaker import Breaker
from streams.topology.nll_source.agenda import Agenda
from streams.topology.nll_source.limits import NllSourceLimits
from streams.topology.nll_source.looking import Changed, Failed, Looked, NotThere, Unchanged
from streams.topology.nll_source.metrics import NllSourceMetrics
from streams.topology.nll_source.problems import NllSourceCode, NllSourceError
from streams.topology.nll_source.roster import Patient, Roster, read_patient
from streams.topology.nll_source.sending import Sender
from streams.topology.nll_source.touring import MakeLooker, Tour
from streams.topology.nll_source.written import Publications
from streams.topology.publisher.consuming import ListConsumer, place_of

EVENTS: Final = declare({"nll_source.failed": "NLS-102", "nll_source.recovered": "NLS-103"})

_log = get_logger()

Clock = Callable[[], datetime]
Watermarks = Callable[[Collection[int]], dict[str, NllWatermark]]
"""Gives the watermarks of partitions, as they stand on the topic."""


class Wires(NamedTuple):
    """The loop's ends: lists in, how far was read, messages out, the endpoint, what is known of our own writes."""

    lists: ListConsumer
    watermarks: Watermarks
    sender: Sender
    make_looker: MakeLooker
    publications: Publications


class Loop:
    """Looks until told to stop. Raises ``StopError``, and what a bug raises; then nothing more may be done with it."""

    def __init__(self, wires: Wires, look_seconds: float, limits: NllSourceLimits, clock: Clock) -> None:
        self._clock = clock
        self._wires = wires
        self._look_seconds = look_seconds
        self._limits = limits
        self.metrics = NllSourceMetrics()
        self._roster = Roster()
        self._agenda = Agenda()
        self._known: dict[str, NllWatermark] = {}
        self._failures: dict[str, int] = {}
        self._breaker = Breaker(limits.breaker)
        self._restoring: set[int] = set()
        self._positions: dict[int, int] = {}
        self.beat = time.monotonic()
        self.lag = 0
        self.ready = False
        self.idle = True

    def run(self, stop: threading.Event) -> None:
        """Look until ``stop`` is set, then leave the group."""
        with Runner() as runner:
            stack = AsyncExitStack()
            looker = runner.run(stack.enter_async_context(self._wires.make_looker()))
            tour = Tour(looker, self._limits)
            try:
                while not stop.is_set():
                    self._turn(runner, tour)
            finally:
                runner.run(stack.aclose())
        self._wires.lists.close()

    # Whom we hold

    def _turn(self, runner: Runner, tour: Tour) -> None:
        self.beat = time.monotonic()
        messages = self._wires.lists.take(self._wait())
        self._restore()
        for message in messages:
            partition, offset = place_of(message)
            if partition in self._wires.lists.ours:
                self._listed(message)
                self._positions[partition] = offset + 1
        self.lag = self._wires.lists.lag(self._positions)
        self._look(runner, tour)
        due = self._agenda.next_time()
        overdue = max(time.monotonic() - due, 0.0) if due is not None else 0.0
        self.metrics.stands(len(self._roster), overdue, self.lag)

    def _wait(self) -> float:
        due = self._agenda.next_time()
        waiting = due is None or due > time.monotonic() or self._breaker.state(time.monotonic()) == "open"
        return self._limits.idle_seconds if waiting else 0.0

    def _listed(self, message: Message) -> None:
        partition, offset = place_of(message)
        value = message.value()
        pseudonym = (message.key() or b"").decode("utf-8", "replace")
        try:
            patient = None if value is None else read_patient(value, partition)
        except msgspec.DecodeError as error:
            place = f"partition {partition} offset {offset}"
            raise NllSourceError(NllSourceCode.LIST_UNREADABLE, place) from error
        if patient is None:
            self._forget(pseudonym, partition)
        elif self._roster.put(patient):
            self._agenda.put(pseudonym, time.monotonic() + self._fresh_seconds(pseudonym))

    def _forget(self, pseudonym: str, partition: int) -> None:
        """The patient's list is gone, or NLL cannot be asked: nothing of what was read is kept either."""
        self._agenda.drop(pseudonym)
        self._roster.drop(pseudonym)
        self._failures.pop(pseudonym, None)
        if self._known.pop(pseudonym, None) is not None:
            self._wires.sender.forget(pseudonym, partition)
            self._wires.sender.settle()

    def _fresh_seconds(self, pseudonym: str) -> float:
        """How long what was read before we came is fresh enough."""
        known = self._known.get(pseudonym)
        if known is None:
            return 0.0
        return max(self._look_seconds - (self._clock() - known.read_at).total_seconds(), 0.0)

    def _restore(self) -> None:
        """Learn how far was read before, so that nobody is looked at sooner than needed."""
        numbers, self._restoring = self._restoring, set()
        if numbers:
            self._known |= self._wires.watermarks(numbers)

    # What is new of them

    def _look(self, runner: Runner, tour: Tour) -> None:
        now = time.monotonic()
        if not self._breaker.may_begin(now):
            return
        probing = self._breaker.state(now) == "half-open"
        due = self._agenda.take(now, 1 if probing else self._limits.parallel * self._limits.monitored_persons)
        patients = [self._roster[name] for name in due]
        if not patients:
            self.idle = True
            return
        self.idle = False
        self._breaker.began(now)
        toured = runner.run(tour.of(patients, self._known))
        self.waiting()
        for patient in toured.left.values():
            self._again(patient, 0.0)
        for patient in toured.quiet:
            self._answered(patient, "unchanged")
        for patient, looked in toured.looked:
            self._came(patient, looked)
        self._settle(toured.looked)

    def _came(self, patient: Patient, looked: Looked) -> None:
        match looked:
            case Failed():
                self._failed(patient, looked)
                return
            case Changed(news=news):
                for message in news.messages:
                    self._wires.sender.pass_on(patient, message)
                self.metrics.passed([one.name.partition("/")[0] for one in news.messages], news.echoes)
                self._answered(patient, "changed")
            case Unchanged():
                self._answered(patient, "unchanged")
            case NotThere():
                self._answered(patient, "unknown")

    def _answered(self, patient: Patient, came: str) -> None:
        self.metrics.looked(came)
        self._failures.pop(patient.pseudonym, None)
        if self._breaker.succeeded():
            _log.info("nll_source.recovered")
        self._again(patient, self._look_seconds)

    def _failed(self, patient: Patient, failed: Failed) -> None:
        self.metrics.looked("failed")
        limits, now = self._limits, time.monotonic()
        failures = self._failures[patient.pseudonym] = self._failures.get(patient.pseudonym, 0) + 1
        wait = limits.backoff.wait_seconds(failures, random.random(), failed.retry_after_seconds)  # noqa: S311 - jitter
        self._again(patient, wait)
        if failed.answered:
            self._breaker.succeeded()
            return
        again = self._breaker.opened_times + 1
        away = limits.breaker_backoff.wait_seconds(again, random.random(), failed.retry_after_seconds)  # noqa: S311 - jitter
        if self._breaker.failed(now, away):
            _log.warning("nll_source.failed", wait_seconds=away)

    def _settle(self, looked: list[tuple[Patient, Looked]]) -> None:
        """First what was read, acknowledged; then how far."""
        self._wires.sender.settle()
        self.waiting()
        for patient, one in looked:
            if isinstance(one, Changed | Unchanged):
                self._known[patient.pseudonym] = one.watermark
                self._wires.sender.mark(one.watermark, patient.partition)
        self._wires.sender.settle()

    def _again(self, patient: Patient, seconds: float) -> None:
        if patient.pseudonym in self._roster:
            self._agenda.put(patient.pseudonym, time.monotonic() + seconds)

    # Partitions that come and go

    def waiting(self) -> None:
        """A broker has answered, and is asked on: that is no standstill."""
        self.beat = time.monotonic()

    def assigned(self, partitions: Collection[int]) -> None:
        """Partitions came."""
        self._restoring.update(partitions)
        self._positions |= dict.fromkeys(partitions, 0)
        self.ready = True

    def revoking(self, partitions: Collection[int]) -> None:
        """Partitions are about to go: whatever was read is sent before the next turn, so nothing is under way."""

    def gone(self, partitions: Collection[int]) -> None:
        """Partitions went: their patients are the next owner's."""
        for pseudonym in self._roster.drop_partitions(partitions):
            self._agenda.drop(pseudonym)
            self._known.pop(pseudonym, None)
            self._failures.pop(pseudonym, None)
        for number in partitions:
            self._positions.pop(number, None)
        self._restoring.difference_update(partitions)
        self._wires.publications.drop(partitions)
