"""The ward: stays, inpatient orders, what was given, what the patient told at admission, and the list at discharge."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from contracts.facts.administration import Administration
from contracts.facts.list_statement import ListRow, ListStatement
from contracts.facts.person import Encounter
from contracts.facts.prescribing import Order
from contracts.facts.reported_use import ReportedUse
from contracts.values import Dosage, Identifier, Period, Quantity, Reference
from mappings.codes.products import ProductRow
from streams.simulate.book import Book, Record, at, late
from streams.simulate.clock import DAY, HOUR, MINUTE, days_of
from streams.simulate.courses import Course, Segment, Stay, mistakable, segment_at
from streams.simulate.dosages import intakes_on
from streams.simulate.prescribing import Papers
from streams.simulate.wording import medication

_SOURCE: Final = "hospital"
_GIVEN_AS_NEEDED: Final = 0.3


class WardOrder(msgspec.Struct, frozen=True, kw_only=True):
    """One inpatient order in force: what it gives, from when to when."""

    course: Course
    record: Record
    content: Order
    product: ProductRow
    start: datetime
    end: datetime


class Ward:
    """Writes what happens during the stays of one patient."""

    def __init__(self, book: Book, papers: Sequence[Papers]) -> None:
        self._book = book
        self._papers = papers

    def write(self, stay: Stay) -> None:
        """Write one stay, from admission to discharge."""
        encounter = self._admit(stay)
        self._ask(stay)
        orders = [order for papers in self._papers for order in self._order(stay, papers, encounter)]
        for order in orders:
            self._give(order, orders)
        for order in orders:
            self._finish(order)
        self._discharge(stay, encounter)

    def _admit(self, stay: Stay) -> Record:
        record = self._book.record(_SOURCE, "E", None)
        content = Encounter(
            person=self._book.person,
            encounter_class="inpatient",
            status="in-progress",
            period=Period(start=stay.admitted),
        )
        self._book.write(record, content, at(stay.admitted))
        return record

    def _ask(self, stay: Stay) -> None:
        """Ask the patient, who remembers one drug in four."""
        moment = stay.admitted + 20 * MINUTE
        for papers in self._papers:
            course = papers.course
            if course.taken_at(stay.admitted - HOUR) and not course.text_in and self._book.chance(0.25):
                segment = segment_at(course.lines[0], stay.admitted)
                content = ReportedUse(
                    person=self._book.person,
                    medication=medication(self._book, course, segment.product, "told"),
                    route=segment.product.route,
                    status="taking",
                    informant="patient",
                    period=Period(start=course.start),
                    dosage=Dosage(text=segment.dosage.text),
                )
                self._book.write(self._book.record(_SOURCE, "U", course), content, at(moment))

    def _order(self, stay: Stay, papers: Papers, encounter: Record) -> Iterator[WardOrder]:
        course = papers.course
        plan = next((plan for plan in course.ward if plan.stay == stay), None)
        if plan is None or plan.product is None:
            return
        start = max(course.start, stay.admitted + 40 * MINUTE)
        for line in course.lines:
            segment = segment_at(line, start)
            product = plan.product if len(course.lines) == 1 else segment.product
            record = self._book.record(_SOURCE, "W", course)
            references = [Reference(role="encounter", target=Identifier(system=_SOURCE, value=encounter.source_id))]
            followed = papers.pointer(course.lines.index(line), stay.admitted)
            if followed is not None and followed.system == _SOURCE and self._book.chance(0.7):
                references.append(Reference(role="predecessor", target=followed))
            content = Order(
                person=self._book.person,
                medication=medication(self._book, course, product, "ward"),
                route=product.route,
                references=tuple(references),
                status="active",
                setting="inpatient",
                period=Period(start=start),
                dosage=_in_units(segment, product),
            )
            self._book.write(record, content, at(start))
            yield WardOrder(
                course=course, record=record, content=content, product=product, start=start, end=stay.discharged
            )

    def _give(self, order: WardOrder, orders: Sequence[WardOrder]) -> None:
        """Give every planned dose; the references of a course with wrong references point to any of the ward's orders."""
        for moment, dose in self._doses(order):
            target = order
            if "wrong-reference" in order.course.kinds and self._book.chance(0.3):
                target = self._book.rng.choice([order, *(o for o in orders if mistakable(o.course, order.course))])
            refused = self._book.chance(0.02)
            content = Administration(
                person=self._book.person,
                medication=medication(self._book, order.course, order.product, "ward"),
                route=order.product.route,
                references=(Reference(role="order", target=Identifier(system=_SOURCE, value=target.record.source_id)),),
                status="not-done" if refused else "completed",
                outcome="refused" if refused else "given",
                setting="inpatient",
                dose=None if refused else dose,
                planned_at=moment,
            )
            given = moment + timedelta(minutes=self._book.rng.randint(0, 45))
            record = self._book.record(_SOURCE, "A", order.course)
            self._book.write(record, content, late(given, given + 2 * MINUTE))

    def _doses(self, order: WardOrder) -> Iterator[tuple[datetime, Quantity]]:
        step = order.content.dosage.steps[0]
        for day in days_of(Period(start=order.start, end=order.end)):
            if step.as_needed and step.dose is not None:
                moment = order.start + timedelta(minutes=self._book.rng.randint(30, 600))
                moment += (day - days_of(Period(start=order.start, end=order.end))[0]).days * DAY
                planned = [(moment, step.dose)] if self._book.chance(_GIVEN_AS_NEEDED) else []
            else:
                begun = segment_at(order.course.lines[0], order.start).start
                planned = [(intake.at, intake.dose) for intake in intakes_on(order.content.dosage, begun, day)]
            yield from ((moment, dose) for moment, dose in planned if order.start <= moment < order.end - HOUR)

    def _finish(self, order: WardOrder) -> None:
        period = Period(start=order.start, end=order.end)
        content = msgspec.structs.replace(order.content, status="completed", period=period)
        self._book.write(order.record, content, at(order.end))

    def _discharge(self, stay: Stay, encounter: Record) -> None:
        content = Encounter(
            person=self._book.person,
            encounter_class="inpatient",
            status="finished",
            period=Period(start=stay.admitted, end=stay.discharged),
        )
        self._book.write(encounter, content, at(stay.discharged))
        going_on = [
            (papers.course, segment_at(line, stay.discharged))
            for papers in self._papers
            if papers.course.taken_at(stay.discharged) and papers.course.origin not in {"self", "directive"}
            for line in papers.course.lines
        ]
        if not self._book.chance(0.8):
            return
        statement = self._book.record(_SOURCE, "L", None)
        said = ListStatement(person=self._book.person, kind="discharge", complete=True, rows=len(going_on))
        moment = stay.discharged + 5 * MINUTE
        self._book.write(statement, said, at(moment))
        for number, (course, segment) in enumerate(going_on, start=1):
            row = ListRow(
                person=self._book.person,
                medication=medication(self._book, course, segment.product, "hospital"),
                route=segment.product.route,
                references=(Reference(role="list", target=Identifier(system=_SOURCE, value=statement.source_id)),),
                row=number,
                status="active",
                setting="outpatient",
                period=Period(start=segment.start, end=course.end if course.end_known else None),
                dosage=segment.dosage,
            )
            self._book.write(self._book.record(_SOURCE, "LR", course), row, at(moment))


def _in_units(segment: Segment, product: ProductRow) -> Dosage:
    """Return the segment's dosage; the ward's product has the same strength, so only the unit may differ."""
    steps = tuple(
        msgspec.structs.replace(step, dose=Quantity(value=step.dose.value, unit=product.dose_unit))
        for step in segment.dosage.steps
        if step.dose is not None
    )
    return msgspec.structs.replace(segment.dosage, steps=steps)
