"""Asides: what the patient tells of drugs bought without prescription, and records that should not be there."""

from datetime import datetime

from contracts.facts.prescribing import Order
from contracts.facts.reported_use import ReportedUse
from contracts.values import Dosage, Medication, Period
from streams.simulate.book import Book, at
from streams.simulate.clock import DAY, END, HOUR
from streams.simulate.courses import Course
from streams.simulate.lives import Life
from streams.simulate.wording import medication


class Asides:
    """Writes what stands beside the treatments of one patient."""

    def __init__(self, book: Book, life: Life) -> None:
        self._book = book
        self._life = life

    def write(self) -> None:
        """Write what is told, and what is written by mistake."""
        for course in self._life.courses:
            if course.origin == "self":
                self._tell(course)
        self._note()

    def _tell(self, course: Course) -> None:
        """Tell of something bought without prescription: once or twice while it is taken, and when it is over."""
        segment = course.lines[0][0]
        end = course.end if course.end is not None else END
        told = [course.start + 5 * DAY, course.start + 60 * DAY][: self._book.rng.randint(1, 2)]
        for moment in [*(moment for moment in told if moment < end), end + 20 * DAY]:
            over = moment >= end
            content = ReportedUse(
                person=self._book.person,
                medication=medication(self._book, course, segment.product, "told"),
                route=segment.product.route,
                status="not-taking" if over else "taking",
                informant="patient",
                over_the_counter=True,
                period=Period(start=course.start, end=end if over else None),
                dosage=segment.dosage,
            )
            self._book.write(self._book.record("primary-care", "U", course), content, at(moment))

    def _note(self) -> None:
        """A free text that names no drug, and an order for another patient that is taken back."""
        if self._book.chance(0.05):
            moment = self._life.courses[0].decided_at + 3 * DAY
            content = _order(self._book, Medication(kind="free-text", text="Se separat ordinationslista"), moment)
            self._book.write(self._book.record("primary-care", "O", None), content, at(moment))
        course = next((course for course in self._life.courses if "retraction" in course.kinds), None)
        if course is not None:
            moment = course.decided_at + DAY
            product = course.lines[0][0].product
            content = _order(self._book, medication(self._book, course, product, "primary-care"), moment)
            record = self._book.record("primary-care", "O", course)
            self._book.write(record, content, at(moment))
            self._book.take_back(record, moment + 2 * HOUR)


def _order(book: Book, drug: Medication, moment: datetime) -> Order:
    return Order(
        person=book.person,
        medication=drug,
        status="active",
        setting="outpatient",
        period=Period(start=moment),
        dosage=Dosage(text="enligt separat lista"),
    )
