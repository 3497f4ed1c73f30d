"""The municipality: signed administrations at home, with their mistakes and missing references."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from contracts.facts.administration import Administration, AdministrationOutcome, AdministrationStatus
from contracts.systems import NLL_PRESCRIPTION
from contracts.values import Period, Quantity, Reference
from streams.simulate.book import Book, Record, at, late
from streams.simulate.clock import HOUR, MINUTE, days_of, local
from streams.simulate.courses import Course, Segment, mistakable, segment_at
from streams.simulate.dosages import intakes_on
from streams.simulate.lives import Life
from streams.simulate.prescribing import Papers
from streams.simulate.wording import medication

_OUTCOMES: Final[dict[AdministrationOutcome, tuple[int, AdministrationStatus]]] = {
    "given": (930, "completed"),
    "given-late": (25, "completed"),
    "refused": (20, "not-done"),
    "self": (10, "completed"),
    "asleep": (8, "not-done"),
    "supply": (4, "not-done"),
    "vomited": (3, "completed"),
}


class Municipality:
    """Writes what municipal staff sign for one patient. Some municipalities (one in seven) know no order ids at all."""

    def __init__(self, book: Book, life: Life, papers: Sequence[Papers]) -> None:
        self._book = book
        self._life = life
        self._papers = papers
        self._points = book.chance(0.85)

    def write(self) -> None:
        """Write every administration at home."""
        for papers in self._papers:
            course = papers.course
            if course.origin == "directive":
                self._by_directive(course)
            elif course.origin != "self" and self._life.municipal is not None:
                for number, line in enumerate(course.lines):
                    self._sign(self._life.municipal, papers, number, line)

    def _sign(self, window: Period, papers: Papers, number: int, line: list[Segment]) -> None:
        course = papers.course
        for moment, dose, segment in self._planned(window, course, line):
            product = segment.product
            outcome = self._book.rng.choices(list(_OUTCOMES), weights=[weight for weight, _ in _OUTCOMES.values()])[0]
            status = _OUTCOMES[outcome][1]
            given = moment + timedelta(minutes=self._book.rng.randint(0, 50) + 90 * (outcome == "given-late"))
            content = Administration(
                person=self._book.person,
                medication=medication(self._book, course, product, "municipal"),
                route=None if "missing-ids" in course.kinds else product.route,
                references=self._reference(papers, number, moment),
                status=status,
                outcome=outcome,
                setting="municipal",
                dose=dose if status == "completed" else None,
                planned_at=moment,
            )
            record = self._book.record("municipal", "M", course)
            self._book.write(record, content, late(given, given + MINUTE))
            self._mistakes(record, content, given)

    def _mistakes(self, record: Record, content: Administration, given: datetime) -> None:
        kinds = record.course.kinds if record.course is not None else set()
        if "correction" in kinds and self._book.chance(0.05):
            corrected = Administration(
                **{name: getattr(content, name) for name in content.__struct_fields__}
                | {"status": "not-done", "outcome": "refused", "dose": None}
            )
            self._book.write(record, corrected, late(given, given + 3 * HOUR))
        elif "retraction" in kinds and self._book.chance(0.05):
            self._book.take_back(record, given + 2 * HOUR)

    def _planned(
        self, window: Period, course: Course, line: list[Segment]
    ) -> Iterator[tuple[datetime, Quantity, Segment]]:
        for day in days_of(window):
            segment = segment_at(line, local(day, "12:00"))
            step = segment.dosage.steps[0]
            planned = [(intake.at, intake.dose) for intake in intakes_on(segment.dosage, segment.start, day)]
            if step.as_needed and step.dose is not None and self._book.chance(0.2):
                planned = [(local(day, f"{self._book.rng.randint(9, 21):02}:30"), step.dose)]
            yield from (
                (moment, dose, segment)
                for moment, dose in planned
                if course.taken_at(moment) and moment >= segment.start and self._life.at_home(moment)
            )

    def _reference(self, papers: Papers, number: int, moment: datetime) -> tuple[Reference, ...]:
        """The municipality's reference to the order; some municipalities keep none, some courses get a wrong one."""
        course = papers.course
        if not self._points or ("missing-ids" in course.kinds and self._book.chance(0.8)):
            return ()
        target = papers.pointer(number, moment)
        if "wrong-reference" in course.kinds and self._book.chance(0.3):
            others = [other.pointer(0, moment) for other in self._papers if mistakable(other.course, course)]
            target = self._book.rng.choice([target, *others])
        if target is None:
            return ()
        return (Reference(role="prescription" if target.system == NLL_PRESCRIPTION else "order", target=target),)

    def _by_directive(self, course: Course) -> None:
        segment = course.lines[0][0]
        content = Administration(
            person=self._book.person,
            medication=medication(self._book, course, segment.product, "municipal"),
            route=segment.product.route,
            status="completed",
            outcome="given",
            setting="municipal",
            dose=segment.dosage.steps[0].dose,
            directive="GD-1",
        )
        self._book.write(self._book.record("municipal", "M", course), content, at(course.start))
