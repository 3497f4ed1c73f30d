"""The pharmacies: what is handed out, in packages."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from contracts.facts.dispense import Dispense
from contracts.systems import GLN
from contracts.values import Identifier, Period, Reference
from streams.simulate.book import Book, at
from streams.simulate.clock import DAY, END, HOUR
from streams.simulate.courses import Course, Segment, segment_at
from streams.simulate.lives import Life
from streams.simulate.prescribing import Papers
from streams.simulate.wording import medication

_ROLL: Final = 14 * DAY
_RETURNED: Final = 0.02


class Pharmacies:
    """Writes what the pharmacies hand out to one patient."""

    def __init__(self, book: Book, life: Life, papers: Sequence[Papers]) -> None:
        self._book = book
        self._life = life
        self._papers = papers
        self._pharmacy = Identifier(system=GLN, value=f"73500459{book.index % 90 + 10:02}007")

    def write(self) -> None:
        """Write every dispensing."""
        for papers in self._papers:
            for number, line in enumerate(papers.course.lines):
                self._dispense(papers, number, line)

    def _dispense(self, papers: Papers, number: int, line: list[Segment]) -> None:
        """Dispense about four times a year, now and then another product of the same substitution group."""
        course = papers.course
        moment = line[0].start + timedelta(hours=self._book.rng.randint(1, 60))
        until = course.end if course.end is not None else END
        while moment < until - 12 * HOUR:
            target = papers.prescription_id(number, moment)
            packed = course.therapy.pouch and _within(self._life.pouches, moment)
            if target is not None and course.taken_at(moment) and self._life.at_home(moment) and not packed:
                self._hand_out(course, segment_at(line, moment), target, moment)
            moment += timedelta(days=self._book.rng.randint(80, 110))

    def _hand_out(self, course: Course, segment: Segment, target: Identifier, moment: datetime) -> None:
        product = segment.product
        others = course.therapy.alternatives(product)
        substituted = bool(others) and self._book.chance(0.25)
        if substituted:
            product = self._book.rng.choice(others)
            course.kinds.add("brand-switch")
        bare = "missing-ids" in course.kinds and self._book.chance(0.3)
        content = Dispense(
            person=self._book.person,
            medication=medication(self._book, course, product, "pharmacy"),
            route=product.route,
            references=() if bare else (Reference(role="prescription", target=target),),
            status="completed",
            packages=1,
            days_supply=90,
            was_substituted=substituted,
            pharmacy=self._pharmacy,
        )
        self._book.write(self._book.record("pharmacy", "D", course), content, at(moment))


def _within(period: Period | None, moment: datetime) -> bool:
    return period is not None and period.start is not None and period.start <= moment
