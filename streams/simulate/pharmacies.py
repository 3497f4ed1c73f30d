"""The pharmacies: what is handed out, and what is packed in pouches."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from contracts.facts.dispense import Dispense
from contracts.facts.dose_dispensing import DoseBasis, DoseConsent, DosePatientStatus, DoseSupply
from contracts.systems import GLN
from contracts.values import Identifier, Period, Reference
from streams.simulate.book import Book, at
from streams.simulate.clock import DAY, END, HOUR, local, local_day
from streams.simulate.courses import Course, Segment, Stay, segment_at
from streams.simulate.lives import Life
from streams.simulate.prescribing import Papers
from streams.simulate.wording import medication

_ROLL: Final = 14 * DAY


class Pharmacies:
    """Writes what the pharmacies and the dose pharmacy do for one patient."""

    def __init__(self, book: Book, life: Life, papers: Sequence[Papers]) -> None:
        self._book = book
        self._life = life
        self._papers = papers
        self._pharmacy = Identifier(system=GLN, value=f"73500459{book.index % 90 + 10:02}007")

    def write(self) -> None:
        """Write every dispensing and every roll."""
        for papers in self._papers:
            for number, line in enumerate(papers.course.lines):
                self._dispense(papers, number, line)
        if self._life.pouches is not None:
            self._pouches(self._life.pouches)

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

    def _pouches(self, window: Period) -> None:
        """Consent, status, basis, and a roll every two weeks; none is sent during a stay, and few are returned."""
        if window.start is None:
            raise ValueError("dose dispensing has a beginning")
        person, begun = self._book.person, window.start - 7 * DAY
        self._plain("C", DoseConsent(person=person, status="given"), begun)
        self._plain("S", DosePatientStatus(person=person, status="active", period=Period(start=begun)), begun)
        start, number = window.start, 0
        while start < END - _ROLL:
            number += 1
            frozen = start - 4 * DAY
            if self._life.at_home(frozen):
                basis = DoseBasis(person=person, status="approved", basis_version=number)
                self._plain("B", basis, frozen - HOUR)
                self._roll(Period(start=start, end=local(local_day(start) + _ROLL, "00:00")), frozen, number)
            start = local(local_day(start) + _ROLL, "00:00")
        for stay in self._life.stays:
            if stay.admitted > begun:
                self._dormant(stay)

    def _roll(self, period: Period, frozen: datetime, number: int) -> None:
        roll = Identifier(system="dose-pharmacy", value=f"ROLL-{self._book.number()}")
        for papers in self._papers:
            course = papers.course
            for place, line in enumerate(course.lines):
                target = papers.prescription_id(place, frozen)
                if course.therapy.pouch and not course.as_needed and course.taken_at(frozen) and target is not None:
                    segment = segment_at(line, frozen)
                    others = course.therapy.alternatives(segment.product)
                    product = others[0] if others and int(course.id[1:]) % 3 == 0 else segment.product
                    bare = "missing-ids" in course.kinds
                    content = DoseSupply(
                        person=self._book.person,
                        medication=medication(self._book, course, product, "dose-pharmacy"),
                        route=product.route,
                        references=() if bare else (Reference(role="prescription", target=target),),
                        roll=roll,
                        status="produced",
                        period=period,
                        dosage=segment.dosage,
                        basis_version=number,
                    )
                    self._book.write(self._book.record("dose-pharmacy", "P", course), content, at(frozen))

    def _dormant(self, stay: Stay) -> None:
        period = Period(start=stay.admitted, end=stay.discharged)
        content = DosePatientStatus(person=self._book.person, status="dormant", period=period)
        self._plain("S", content, stay.admitted + HOUR)

    def _plain(self, prefix: str, content: DoseConsent | DosePatientStatus | DoseBasis, moment: datetime) -> None:
        self._book.write(self._book.record("dose-pharmacy", prefix, None), content, at(moment))


def _within(period: Period | None, moment: datetime) -> bool:
    return period is not None and period.start is not None and period.start <= moment
