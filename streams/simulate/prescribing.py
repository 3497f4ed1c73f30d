"""Prescribing: what primary care and the hospital's out-patient side write about a course, in the order of time."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from contracts.facts.reported_use import ReportedUse
from contracts.values import Dosage, Identifier, Period
from streams.simulate.book import Book, at, late
from streams.simulate.clock import DAY, END
from streams.simulate.courses import Course, Segment, segment_at
from streams.simulate.desk import DUPLICATE, TAKEN_OVER, Desk, Habits
from streams.simulate.wording import medication

_RENEWAL: Final = timedelta(days=350)
Action = Callable[[], None]


@dataclass(slots=True)
class Papers:
    """The desks of one course: ``primary`` and ``hospital`` per line, and since when each of them leads."""

    course: Course
    primary: list[Desk] = field(default_factory=list)
    hospital: list[Desk] = field(default_factory=list)

    def pointer(self, line: int, moment: datetime) -> Identifier | None:
        """Return the id by which others know a line of the course at ``moment``: the newest that stands."""
        return _newest(
            desk.pointers(moment) for desks in (self.primary, self.hospital) for desk in desks[line : line + 1]
        )

    def prescription_id(self, line: int, moment: datetime) -> Identifier | None:
        """Return the national id of the prescription that others would dispense from at ``moment``."""
        return _newest(
            desk.prescriptions(moment) for desks in (self.primary, self.hospital) for desk in desks[line : line + 1]
        )


class Prescribing:
    """Writes what prescribers write about the courses of one patient."""

    def __init__(self, book: Book, habits: Habits, hospital: Habits, pouches: Period | None) -> None:
        self._book = book
        self._habits = habits
        self._hospital = hospital
        self._pouches = pouches

    def write(self, course: Course) -> Papers:
        """Write everything that prescribers write about a course, and return its papers."""
        papers = Papers(course=course)
        if course.origin in {"self", "directive"}:
            return papers
        actions: list[tuple[datetime, int, Action]] = []
        for line in course.lines:
            actions += self._line(course, papers, line)
        if course.double is not None:
            actions += self._double(course)
        if "silent-stop" in course.kinds and course.end is not None:
            told = course.end + timedelta(days=self._book.rng.randint(30, 60))
            actions.append((told, len(actions), lambda: self._told(course, told)))
        for _, _, action in sorted(actions, key=lambda entry: entry[:2]):
            action()
        return papers

    def _line(self, course: Course, papers: Papers, line: list[Segment]) -> list[tuple[datetime, int, Action]]:
        primary, hospital = self._desk(course, self._habits), self._desk(course, self._hospital)
        if papers.primary:
            primary.share_chain(papers.primary[0])
            hospital.share_chain(papers.hospital[0])
        elif self._book.chance(0.6):
            hospital.share_chain(primary)
        papers.primary.append(primary)
        papers.hospital.append(hospital)
        match course.origin:
            case "hospital":
                actions = self._kept_by(course, hospital, line)
            case "ward":
                actions = self._from_ward(course, primary, hospital, line)
            case _:
                actions = self._kept_by(course, primary, [s for s in line if s.decided_by == "primary-care"])
                actions += self._changed_by_hospital(course, primary, hospital, line)
        return [(moment, place, action) for place, (moment, action) in enumerate(actions)]

    def _kept_by(self, course: Course, desk: Desk, line: list[Segment]) -> list[tuple[datetime, Action]]:
        """One desk keeps the course from its decision to its end."""
        first = line[0]
        actions: list[tuple[datetime, Action]] = [
            (course.decided_at, lambda: desk.begin(first, late(course.start, course.decided_at)))
        ]
        if "correction" in course.kinds:
            corrected = course.decided_at + DAY
            actions.append((corrected, lambda: desk.correct(corrected)))
        actions += [(segment.decided_at, _change(desk, segment, segment.decided_at)) for segment in line[1:]]
        actions += [(pause.start, _pause(desk, pause)) for pause in course.pauses if pause.start is not None]
        return actions + self._renewals(course, desk, line) + self._endings(course, desk)

    def _endings(self, course: Course, desk: Desk) -> list[tuple[datetime, Action]]:
        if course.cancelled_at is not None:
            moment = course.cancelled_at
            return [(moment, lambda: desk.cancel(moment))]
        if course.end is not None and course.stop_recorded is not None and not course.end_known:
            end, recorded = course.end, course.stop_recorded
            return [(recorded, lambda: desk.stop(end, recorded))]
        return []

    def _renewals(self, course: Course, desk: Desk, line: list[Segment]) -> list[tuple[datetime, Action]]:
        if course.end_known or course.cancelled_at is not None:
            return []
        until = min(course.stop_recorded or END, course.end or END, END)
        busy = [*course.moments(), *(m for plan in course.ward for m in (plan.stay.admitted, plan.stay.discharged))]
        if course.takeover is not None:
            busy.append(course.takeover)
        actions: list[tuple[datetime, Action]] = []
        moment = course.start + _RENEWAL
        while moment < until - 3 * DAY:
            if not any(abs(moment - other) < 10 * DAY for other in busy):
                actions.append((moment, _renew(desk, segment_at(line, moment), moment)))
            moment += _RENEWAL
        return actions

    def _from_ward(
        self, course: Course, primary: Desk, hospital: Desk, line: list[Segment]
    ) -> list[tuple[datetime, Action]]:
        """The hospital prescribes at discharge what it began on the ward; primary care takes it over at a visit."""
        if course.takeover is None:
            return []  # a treatment of the stay alone
        discharged, takeover = course.ward[0].stay.discharged, course.takeover
        leaving, released = _from(line[0], discharged), self._release(takeover)
        return [
            (discharged, lambda: hospital.begin(leaving, at(discharged))),
            (takeover, lambda: primary.begin(_from(line[0], takeover), at(takeover))),
            (released, _hand_over(hospital, released)),
        ]

    def _changed_by_hospital(
        self, course: Course, primary: Desk, hospital: Desk, line: list[Segment]
    ) -> list[tuple[datetime, Action]]:
        """The hospital changes the dose at discharge with records of its own; primary care follows at a later visit."""
        actions: list[tuple[datetime, Action]] = []
        takeover = course.takeover
        for segment in line:
            if segment.decided_by == "hospital" and takeover is not None:
                released = self._release(takeover)
                actions += [
                    (segment.start, _begin(hospital, segment)),
                    (takeover, _change(primary, _from(segment, segment.start), takeover)),
                    (released, _hand_over(hospital, released)),
                ]
        return actions

    def _release(self, takeover: datetime) -> datetime:
        """Return when the hospital lets go of what primary care has taken over: at once, or within two weeks."""
        return takeover + timedelta(days=self._book.rng.randint(1, 14)) * self._book.chance(0.5)

    def _double(self, course: Course) -> list[tuple[datetime, int, Action]]:
        """The hospital's own prescription of what primary care prescribes already; no id tells that they belong together."""
        if course.double is None:
            return []
        desk, double = self._desk(course, self._hospital), course.double
        begun = double.segment.start
        return [
            (begun, 1_000, lambda: desk.begin(double.segment, at(begun))),
            (double.end, 1_001, lambda: desk.stop(double.end, double.end, DUPLICATE)),
        ]

    def _desk(self, course: Course, habits: Habits) -> Desk:
        return Desk(self._book, course, habits, dose_dispensed=course.therapy.pouch and self._pouches is not None)

    def _told(self, course: Course, moment: datetime) -> None:
        product = segment_at(course.lines[0], moment).product
        content = ReportedUse(
            person=self._book.person,
            medication=medication(self._book, course, product, "told"),
            route=product.route,
            status="not-taking",
            informant="patient",
            period=Period(end=course.end),
            dosage=Dosage(),
        )
        self._book.write(self._book.record("primary-care", "U", course), content, at(moment))


def _begin(desk: Desk, segment: Segment) -> Action:
    return lambda: desk.begin(segment, at(segment.start))


def _change(desk: Desk, segment: Segment, recorded_at: datetime) -> Action:
    return lambda: desk.change(segment, late(segment.start, recorded_at))


def _renew(desk: Desk, segment: Segment, moment: datetime) -> Action:
    return lambda: desk.renew(segment, moment)


def _hand_over(desk: Desk, end: datetime) -> Action:
    return lambda: desk.stop(end, end, TAKEN_OVER)


def _pause(desk: Desk, pause: Period) -> Action:
    return lambda: desk.pause(pause)


def _from(segment: Segment, start: datetime) -> Segment:
    return Segment(
        start=start,
        product=segment.product,
        dosage=segment.dosage,
        decided_at=start,
        decided_by=segment.decided_by,
    )


def _newest(standing: Iterable[tuple[datetime, Identifier] | None]) -> Identifier | None:
    known = [entry for entry in standing if entry is not None]
    return max(known)[1] if known else None
