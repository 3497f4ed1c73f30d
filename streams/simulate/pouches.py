"""The dose pharmacy: consent, status, basis, rolls of pouches, and whole packages ordered beside them."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

import msgspec

from contracts.facts.base import Content
from contracts.facts.dose_dispensing import DoseBasis, DoseConsent, DosePackageOrder, DosePatientStatus, DoseSupply
from contracts.values import Identifier, Period, Reference
from mappings.codes.products import ProductRow
from streams.simulate.book import Book, at
from streams.simulate.clock import DAY, END, HOUR, local, local_day
from streams.simulate.courses import Course, Segment, segment_at
from streams.simulate.lives import Life
from streams.simulate.prescribing import Papers
from streams.simulate.wording import medication

_SOURCE: Final = "dose-pharmacy"
_ROLL: Final = 14 * DAY
_RETURNED: Final = 0.02
_ORDERED: Final = 0.05


class DosePharmacy:
    """Writes what the dose pharmacy does for one patient."""

    def __init__(self, book: Book, life: Life, papers: Sequence[Papers]) -> None:
        self._book = book
        self._life = life
        self._papers = papers

    def write(self) -> None:
        """Write everything since the patient became a dose patient; nothing for one who is none."""
        if self._life.pouches is None or self._life.pouches.start is None:
            return
        start = self._life.pouches.start
        person, begun = self._book.person, start - 7 * DAY
        self._aside("C", DoseConsent(person=person, status="given"), begun)
        self._aside("S", DosePatientStatus(person=person, status="active", period=Period(start=begun)), begun)
        number = 0
        while start < END - _ROLL:
            number += 1
            end = local(local_day(start) + _ROLL, "00:00")
            if self._life.at_home(start - 4 * DAY):
                self._fortnight(Period(start=start, end=end), start - 4 * DAY, number)
            start = end
        for stay in self._life.stays:
            if stay.admitted > begun:
                away = Period(start=stay.admitted, end=stay.discharged)
                asleep = DosePatientStatus(person=person, status="dormant", period=away)
                self._aside("S", asleep, stay.admitted + HOUR)

    def _fortnight(self, period: Period, frozen: datetime, number: int) -> None:
        """Approve the basis and produce a roll; one roll in fifty comes back. Order packages of what is no pouch."""
        self._aside("B", DoseBasis(person=self._book.person, status="approved", basis_version=number), frozen - HOUR)
        roll = Identifier(system=_SOURCE, value=f"ROLL-{self._book.number()}")
        returned = self._book.chance(_RETURNED)
        for papers, segment, target in self._prescribed(frozen):
            course = papers.course
            if course.therapy.pouch and not course.as_needed:
                content = self._row(course, segment, target, (roll, period, number))
                record = self._book.record(_SOURCE, "P", course)
                self._book.write(record, content, at(frozen))
                if returned:
                    back = msgspec.structs.replace(content, status="returned")
                    self._book.write(record, back, at(frozen + 6 * DAY))
            elif self._book.chance(_ORDERED):
                self._order(course, segment, target, frozen)

    def _prescribed(self, moment: datetime) -> Iterator[tuple[Papers, Segment, Identifier]]:
        for papers in self._papers:
            for place, line in enumerate(papers.course.lines):
                target = papers.prescription_id(place, moment)
                if target is not None and papers.course.taken_at(moment):
                    yield papers, segment_at(line, moment), target

    def _row(
        self, course: Course, segment: Segment, target: Identifier, made: tuple[Identifier, Period, int]
    ) -> DoseSupply:
        roll, period, number = made
        product = _in_stock(course, segment)
        return DoseSupply(
            person=self._book.person,
            medication=medication(self._book, course, product, _SOURCE),
            route=product.route,
            references=() if "missing-ids" in course.kinds else (Reference(role="prescription", target=target),),
            roll=roll,
            status="produced",
            period=period,
            dosage=segment.dosage,
            basis_version=number,
        )

    def _order(self, course: Course, segment: Segment, target: Identifier, moment: datetime) -> None:
        content = DosePackageOrder(
            person=self._book.person,
            medication=medication(self._book, course, segment.product, _SOURCE),
            route=segment.product.route,
            references=(Reference(role="prescription", target=target),),
            status="dispatched",
            packages=1,
        )
        self._book.write(self._book.record(_SOURCE, "K", course), content, at(moment))

    def _aside(self, prefix: str, content: Content, moment: datetime) -> None:
        self._book.write(self._book.record(_SOURCE, prefix, None), content, at(moment))


def _in_stock(course: Course, segment: Segment) -> ProductRow:
    """Return what the dose pharmacy packs: for every third course another product of the substitution group."""
    others = course.therapy.alternatives(segment.product)
    return others[0] if others and int(course.id[1:]) % 3 == 0 else segment.product
