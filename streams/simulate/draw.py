"""Drawing courses: the choices behind one patient's treatments, all from one seeded source of chance."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from contracts.values import Dosage
from mappings.codes.products import ProductRow
from streams.simulate.clock import BEGIN, DAY, END, local, local_day
from streams.simulate.courses import Course, Segment, Stay
from streams.simulate.dosages import regular, when_needed
from streams.simulate.formulary import Therapy, amount

T = TypeVar("T")


class Draw:
    """Chance of one patient, and the patient's stays, which courses keep clear of."""

    def __init__(self, rng: random.Random, stays: Sequence[Stay]) -> None:
        self.rng = rng
        self.stays = tuple(stays)
        self._courses = 0

    def chance(self, share: float) -> bool:
        """Return true in ``share`` of all cases."""
        return self.rng.random() < share

    def pick(self, choices: Sequence[T]) -> T:
        """Return one of the choices."""
        return choices[self.rng.randrange(len(choices))]

    def days(self, least: int, most: int) -> timedelta:
        """Return a whole number of days, ends included."""
        return timedelta(days=self.rng.randint(least, most))

    def visit(self, least: int, most: int) -> datetime:
        """Return a time during office hours, ``least`` to ``most`` days after the world began."""
        return self.office_hours(BEGIN + self.days(least, most))

    def office_hours(self, moment: datetime) -> datetime:
        """Return a time during office hours of the same day."""
        return local(local_day(moment), f"{self.rng.randint(9, 16):02}:{self.rng.randint(0, 59):02}")

    def dosage(self, therapy: Therapy, product: ProductRow, units: str | None = None) -> Dosage:
        """Return a dosage of the therapy, with the given or a drawn amount."""
        value = amount(units if units is not None else self.pick(therapy.units))
        if therapy.most_per_day is not None:
            return when_needed(therapy, value, product.dose_unit)
        return regular(therapy, value, product.dose_unit)

    def segment(self, therapy: Therapy, start: datetime, product: ProductRow | None = None) -> Segment:
        """Return a first segment that begins when it is decided."""
        chosen = product if product is not None else self.pick(therapy.products())
        return Segment(start=start, product=chosen, dosage=self.dosage(therapy, chosen), decided_at=start)

    def course(self, therapy: Therapy, start: datetime, product: ProductRow | None = None) -> Course:
        """Return a course that begins when it is decided, and ends as its therapy says."""
        course = Course(
            id=self.next_id(),
            therapy=therapy,
            origin="primary-care",
            decided_at=start,
            start=start,
            lines=[[self.segment(therapy, start, product)]],
        )
        if therapy.days is not None:
            course.end, course.end_known = local(local_day(start) + timedelta(days=therapy.days), "00:00"), True
        if therapy.weekdays or therapy.cycle is not None:
            course.kinds.add("cyclic")
        if therapy.most_per_day is not None:
            course.kinds.add("as-needed")
        return course

    def next_id(self) -> str:
        """Return the next id of a course."""
        self._courses += 1
        return f"c{self._courses}"

    def clear_of_stays(self, course: Course, margin: timedelta = 4 * DAY) -> bool:
        """Tell whether nothing about the course changes during, or close to, a stay; and all of it within the world."""
        return all(
            moment < END - DAY
            and not any(stay.admitted - margin < moment < stay.discharged + margin for stay in self.stays)
            for moment in course.moments()
        )
