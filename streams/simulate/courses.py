"""Courses of treatment as they really are: the truth that every message of the world is written from."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

import msgspec

from contracts.medication_list import ItemState
from contracts.values import Dosage, Period
from mappings.codes.products import ProductRow
from streams.simulate.clock import DAY, END
from streams.simulate.formulary import Therapy

Decider = Literal["primary-care", "hospital"]
Origin = Literal["primary-care", "hospital", "ward", "self", "directive"]
"""Who began it: a clinic, an out-patient hospital clinic, a ward, the patient, or staff after a standing directive."""


class Stay(msgspec.Struct, frozen=True, kw_only=True):
    """One stay in hospital (vårdtillfälle)."""

    number: int
    admitted: datetime
    discharged: datetime

    def covers(self, moment: datetime) -> bool:
        """Tell whether the patient is in hospital at ``moment``."""
        return self.admitted <= moment < self.discharged


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """From ``start``, one product in one dosage, until the next segment or the end of the course."""

    start: datetime
    product: ProductRow
    dosage: Dosage
    decided_at: datetime
    decided_by: Decider = "primary-care"


class WardPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What the ward does with a course during a stay; ``product`` is what it has in stock, ``None`` when not given."""

    stay: Stay
    product: ProductRow | None


class Double(msgspec.Struct, frozen=True, kw_only=True):
    """A second prescription of the same course, by the hospital, that nobody has noticed until ``end``."""

    segment: Segment
    end: datetime


@dataclass(slots=True, kw_only=True)
class Course:
    """One course of one drug. ``lines`` are its strengths side by side, mostly one; ``end`` ``None``: it goes on.

    ``stop_recorded``: when the stop was registered (``None``: nobody registered it). ``end_known``: the end was part of
    the decision. ``takeover``: when primary care takes over what the hospital began or changed. ``text_in``: who writes
    it as free text. ``kinds``: what is special or wrong about it and its messages.
    """

    id: str
    therapy: Therapy
    origin: Origin
    decided_at: datetime
    start: datetime
    lines: list[list[Segment]]
    end: datetime | None = None
    end_known: bool = False
    stop_recorded: datetime | None = None
    stopped_by: Decider = "primary-care"
    cancelled_at: datetime | None = None
    takeover: datetime | None = None
    pauses: list[Period] = field(default_factory=list)
    ward: list[WardPlan] = field(default_factory=list)
    double: Double | None = None
    text_in: frozenset[str] = frozenset()
    kinds: set[str] = field(default_factory=set)

    @property
    def as_needed(self) -> bool:
        """Whether it is taken when needed."""
        return any(step.as_needed for step in self.lines[0][0].dosage.steps)

    def taken_at(self, moment: datetime) -> bool:
        """Tell whether the course is under way at ``moment``, in or out of hospital, and not paused."""
        if self.cancelled_at is not None or moment < self.start or (self.end is not None and moment >= self.end):
            return False
        return not any(_covers(pause, moment) for pause in self.pauses)

    def overlaps(self, start: datetime, end: datetime) -> bool:
        """Tell whether the course is under way at some time of ``[start, end)``."""
        return self.cancelled_at is None and self.start < end and (self.end is None or self.end > start)

    def moments(self) -> Iterator[datetime]:
        """Yield every time at which something about the course is decided or changes."""
        yield self.decided_at
        yield self.start
        if self.end is not None:
            yield self.end
        if self.cancelled_at is not None:
            yield self.cancelled_at
        for line in self.lines:
            yield from (segment.start for segment in line)
        for pause in self.pauses:
            yield from (moment for moment in (pause.start, pause.end) if moment is not None)


def segment_at(line: list[Segment], moment: datetime) -> Segment:
    """Return the segment of a line that applies at ``moment``; before the first, the first."""
    return next((segment for segment in reversed(line) if segment.start <= moment), line[0])


def mistakable(other: Course, course: Course) -> bool:
    """Tell whether a wrong reference may point from ``course`` to ``other``: a drug that shares no substance with it.

    Drugs that somebody writes without naming their substance are left out: nobody could see that the reference is wrong.
    """
    if any(one.text_in or "local-code" in one.kinds for one in (other, course)):
        return False
    substances = {part.substance for line in course.lines for part in line[0].product.ingredients}
    return substances.isdisjoint(part.substance for part in other.lines[0][0].product.ingredients)


class Stretch(msgspec.Struct, frozen=True, kw_only=True):
    """One state of a course, on ``[start, end)``."""

    start: datetime
    end: datetime
    state: ItemState


def stretches(course: Course) -> list[Stretch]:
    """Return what the course really is over time, from its decision to the end of the world."""
    if course.origin == "directive":
        return [Stretch(start=course.start, end=END, state="unknown")]
    if course.cancelled_at is not None:
        return [Stretch(start=course.cancelled_at, end=END, state="cancelled")]
    end = END if course.end is None else course.end
    found = [Stretch(start=course.decided_at, end=course.start, state="planned")]
    found.extend(_cut(course, end))
    found.append(Stretch(start=end, end=END, state="ended"))
    return [stretch for stretch in found if stretch.end > stretch.start]


def probes(course: Course) -> list[tuple[datetime, ItemState]]:
    """Return times at which the state of the course is asked for: the middle of every stretch of a day or more."""
    return [(s.start + (s.end - s.start) / 2, s.state) for s in stretches(course) if s.end - s.start >= DAY]


def _cut(course: Course, end: datetime) -> Iterable[Stretch]:
    interruptions: list[Stretch] = [
        Stretch(start=pause.start, end=pause.end, state="paused")
        for pause in course.pauses
        if pause.start and pause.end
    ]
    for plan in course.ward:
        state: ItemState = "active" if plan.product is not None else "dormant"
        interruptions.append(Stretch(start=plan.stay.admitted, end=plan.stay.discharged, state=state))
    now = course.start
    for stretch in sorted(interruptions, key=lambda stretch: stretch.start):
        if stretch.start > now:
            yield Stretch(start=now, end=stretch.start, state="active")
        now = min(stretch.end, end)
        yield Stretch(start=max(stretch.start, course.start), end=now, state=stretch.state)
    yield Stretch(start=now, end=end, state="active")


def _covers(period: Period, moment: datetime) -> bool:
    return (period.start is None or period.start <= moment) and (period.end is None or moment < period.end)
