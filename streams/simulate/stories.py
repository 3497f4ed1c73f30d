"""Stories: what may happen to a course of treatment. Each returns the true courses; nobody has written anything yet."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

import msgspec

from contracts.values import Dosage, Period
from streams.simulate.clock import local, local_day
from streams.simulate.courses import Course, Double, Segment
from streams.simulate.dosages import tapering
from streams.simulate.draw import Draw
from streams.simulate.formulary import THERAPIES, Therapy

Story = Callable[[Draw, Therapy], list[Course]]
SideStory = Callable[[Draw], list[Course]]

_LATEST_START_DAY = 420


def plain(draw: Draw, therapy: Therapy) -> list[Course]:
    """It begins and goes on."""
    return [draw.course(therapy, draw.visit(0, _LATEST_START_DAY))]


def dose_change(draw: Draw, therapy: Therapy) -> list[Course]:
    """Another dose, at once."""
    (course,) = plain(draw, therapy)
    start = draw.office_hours(course.start + draw.days(40, 200))
    return [course] if _change_dose(draw, course, start, start) else []


def future_change(draw: Draw, therapy: Therapy) -> list[Course]:
    """Another dose, decided one to three weeks ahead."""
    (course,) = plain(draw, therapy)
    start = local(local_day(course.start + draw.days(60, 200)), "00:00")
    if not _change_dose(draw, course, start, draw.office_hours(start - draw.days(7, 21))):
        return []
    course.kinds.add("future-change")
    return [course]


def brand_switch(draw: Draw, therapy: Therapy) -> list[Course]:
    """Another brand of the same strength, in the same dose."""
    (course,) = plain(draw, therapy)
    (first,) = course.lines[0]
    others = therapy.alternatives(first.product)
    if not others:
        return []
    start = draw.office_hours(course.start + draw.days(40, 200))
    course.lines[0].append(msgspec.structs.replace(first, start=start, decided_at=start, product=draw.pick(others)))
    course.kinds.add("brand-switch")
    return [course]


def stop(draw: Draw, therapy: Therapy) -> list[Course]:
    """It ends, and the stop is registered at once."""
    (course,) = plain(draw, therapy)
    _end(course, draw.office_hours(course.start + draw.days(60, 300)), late=timedelta())
    return [course]


def late_stop(draw: Draw, therapy: Therapy) -> list[Course]:
    """It ends, and the stop is registered weeks later."""
    (course,) = plain(draw, therapy)
    _end(course, draw.office_hours(course.start + draw.days(60, 300)), late=draw.days(14, 70))
    course.kinds.add("late-stop")
    return [course]


def left_open(draw: Draw, therapy: Therapy) -> list[Course]:
    """It ends; the order is stopped, the prescription forgotten."""
    (course,) = stop(draw, therapy)
    course.kinds.add("prescription-left-open")
    return [course]


def silent_stop(draw: Draw, therapy: Therapy) -> list[Course]:
    """The patient stops, tells it months later, and nobody stops the order."""
    (course,) = plain(draw, therapy)
    course.end = draw.office_hours(course.start + draw.days(60, 200))
    course.kinds.add("silent-stop")
    return [course]


def pause(draw: Draw, therapy: Therapy) -> list[Course]:
    """It is paused for one to four weeks."""
    (course,) = plain(draw, therapy)
    start = draw.office_hours(course.start + draw.days(30, 200))
    course.pauses.append(Period(start=start, end=local(local_day(start + draw.days(7, 28)), "00:00")))
    course.kinds.add("pause")
    return [course]


def restart(draw: Draw, therapy: Therapy) -> list[Course]:
    """It ends, and begins again two to seven months later: another course."""
    first = draw.course(therapy, draw.visit(0, 200))
    _end(first, draw.office_hours(first.start + draw.days(40, 150)), late=timedelta())
    second = draw.course(therapy, draw.office_hours(_end_of(first) + draw.days(60, 200)))
    return _marked("restart", first, second)


def planned_start(draw: Draw, therapy: Therapy) -> list[Course]:
    """It is decided one to four weeks before it begins."""
    (course,) = plain(draw, therapy)
    course.start = local(local_day(course.decided_at + draw.days(7, 30)), "00:00")
    course.lines[0][0] = msgspec.structs.replace(course.lines[0][0], start=course.start)
    course.kinds.add("planned-start")
    return [course]


def cancelled(draw: Draw, therapy: Therapy) -> list[Course]:
    """It is decided, and cancelled before it begins: never taken."""
    (course,) = planned_start(draw, therapy)
    course.kinds.add("cancelled")
    course.cancelled_at = draw.office_hours(course.decided_at + draw.days(1, 5))
    return [course]


def free_text(draw: Draw, therapy: Therapy) -> list[Course]:
    """Everybody writes it as free text."""
    (course,) = plain(draw, therapy)
    course.text_in = frozenset({"primary-care", "hospital", "ward", "municipal"})
    course.kinds.add("free-text")
    return [course]


def double_prescription(draw: Draw, therapy: Therapy) -> list[Course]:
    """The hospital's clinic prescribes it too; the patient takes it once, and the second one is stopped when noticed."""
    (course,) = plain(draw, therapy)
    (first,) = course.lines[0]
    start = draw.office_hours(course.start + draw.days(30, 150))
    product = draw.pick((first.product, *therapy.alternatives(first.product)))
    second = Segment(start=start, product=product, dosage=first.dosage, decided_at=start, decided_by="hospital")
    course.double = Double(segment=second, end=draw.office_hours(start + draw.days(30, 180)))
    course.kinds.add("double-prescription")
    return [course]


def double_taken(draw: Draw, therapy: Therapy) -> list[Course]:
    """Two doctors of one clinic prescribe it, and the patient takes both."""
    (first,) = plain(draw, therapy)
    product = first.lines[0][0].product
    second = draw.course(therapy, draw.office_hours(first.start + draw.days(20, 90)), product)
    _end(second, draw.office_hours(second.start + draw.days(40, 200)), late=timedelta())
    return _marked("double-taken", first, second)


def hospital_clinic(draw: Draw, therapy: Therapy) -> list[Course]:
    """An out-patient clinic of the hospital prescribes it and keeps it."""
    (course,) = dose_change(draw, therapy) or plain(draw, therapy)
    course.origin = "hospital"
    course.lines[0] = [msgspec.structs.replace(segment, decided_by="hospital") for segment in course.lines[0]]
    return [course]


def parallel_strengths(draw: Draw) -> list[Course]:
    """Two strengths make up the dose: warfarin 2.5 and 5 mg, levothyroxine 50 and 100 micrograms."""
    therapy = THERAPIES[draw.pick(("warfarin", "levothyroxine"))]
    small, large = therapy.strengths()[:2]
    course = draw.course(therapy, draw.visit(0, _LATEST_START_DAY), small)
    course.lines.append([draw.segment(therapy, course.start, large)])
    return _marked("parallel-strengths", course)


def form_switch(draw: Draw) -> list[Course]:
    """Another form of the same substance takes over."""
    before, after = draw.pick((("paracetamol regularly", "paracetamol oral solution"),
                               ("metoprolol", "metoprolol depot")))  # fmt: skip
    return _marked("form-switch", *_replaced(draw, THERAPIES[before], THERAPIES[after]))


def combination(draw: Draw) -> list[Course]:
    """A combination product takes over from its single substance."""
    return _marked(
        "combination", *_replaced(draw, THERAPIES["enalapril"], THERAPIES["enalapril and hydrochlorothiazide"])
    )


def two_uses(draw: Draw) -> list[Course]:
    """Acetylsalicylic acid against clots, and against pain."""
    first = draw.course(THERAPIES["acetylsalicylic acid 75"], draw.visit(0, 200))
    second = draw.course(THERAPIES["acetylsalicylic acid 500"], draw.office_hours(first.start + draw.days(10, 200)))
    return _marked("two-uses", first, second)


def regular_and_as_needed(draw: Draw) -> list[Course]:
    """The same drug regularly and as needed, decided at one visit."""
    start = draw.visit(0, _LATEST_START_DAY)
    pair = draw.pick((("paracetamol regularly", "paracetamol"), ("oxycodone depot", "oxycodone")))
    return _marked("regular-and-as-needed", *(draw.course(THERAPIES[name], start) for name in pair))


def taper(draw: Draw) -> list[Course]:
    """A dose that goes down step by step."""
    therapy, days = THERAPIES["prednisolone"], draw.rng.randint(3, 7)
    course = draw.course(therapy, draw.visit(0, _LATEST_START_DAY))
    (first,) = course.lines[0]
    dosage: Dosage = tapering(therapy, first.product.dose_unit, days)
    course.lines[0] = [msgspec.structs.replace(first, dosage=dosage)]
    course.end = local(local_day(course.start) + timedelta(days=days * len(therapy.units)), "00:00")
    course.end_known = True
    return _marked("tapering", course)


def over_the_counter(draw: Draw) -> list[Course]:
    """Bought without prescription, and told when somebody asks."""
    course = draw.course(THERAPIES["ibuprofen"], draw.visit(0, _LATEST_START_DAY))
    course.origin = "self"
    course.end = draw.office_hours(course.start + draw.days(100, 250))
    return _marked("over-the-counter", course)


STORIES: Final[Mapping[Story, int]] = MappingProxyType(
    {
        plain: 30, dose_change: 14, stop: 7, late_stop: 7, pause: 6, hospital_clinic: 6, brand_switch: 6, restart: 5,
        planned_start: 4, left_open: 4, double_prescription: 4, future_change: 3, cancelled: 3, double_taken: 1,
        free_text: 1, silent_stop: 1,
    }
)  # fmt: skip
"""Story of a chronic therapy -> its weight."""

SIDE_STORIES: Final[Mapping[SideStory, int]] = MappingProxyType(
    {
        parallel_strengths: 5, form_switch: 5, regular_and_as_needed: 2, combination: 4, two_uses: 4, taper: 5,
        over_the_counter: 4,
    }
)  # fmt: skip
"""Story that brings its own drugs -> its weight."""


def _change_dose(draw: Draw, course: Course, start: datetime, decided_at: datetime) -> bool:
    (first,) = course.lines[0]
    therapy = course.therapy
    before = first.dosage.steps[0].dose
    options = [
        (product, units)
        for product in therapy.strengths()
        for units in therapy.units
        if before is None or (str(product.ingredients), units) != (str(first.product.ingredients), str(before.value))
    ]
    if not options:
        return False
    product, units = draw.pick(options)
    if product.ingredients == first.product.ingredients:
        product = first.product
    course.lines[0].append(
        Segment(start=start, product=product, dosage=draw.dosage(therapy, product, units), decided_at=decided_at)
    )
    course.kinds.add("dose-change")
    return True


def _replaced(draw: Draw, before: Therapy, after: Therapy) -> tuple[Course, Course]:
    first = draw.course(before, draw.visit(0, 300))
    change = draw.office_hours(first.start + draw.days(40, 200))
    _end(first, change, late=timedelta())
    return first, draw.course(after, change)


def _end(course: Course, end: datetime, late: timedelta) -> None:
    course.end, course.stop_recorded, course.end_known = end, end + late, False


def _end_of(course: Course) -> datetime:
    if course.end is None:
        raise ValueError("the course goes on")
    return course.end


def _marked(kind: str, *courses: Course) -> list[Course]:
    for course in courses:
        course.kinds.add(kind)
    return list(courses)
