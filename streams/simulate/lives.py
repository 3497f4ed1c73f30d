"""Lives: who the patients are, when they are in hospital, who helps them, and which courses they go through."""

import random
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import Final, Literal, TypeVar

import msgspec

from contracts.values import Period
from mappings.codes.products import ProductRow
from streams.simulate.clock import BEGIN, DAY, END, local, local_day
from streams.simulate.courses import Course, Segment, Stay, WardPlan, segment_at
from streams.simulate.draw import Draw
from streams.simulate.formulary import BY_USE, THERAPIES
from streams.simulate.persons import birth_date
from streams.simulate.stories import SIDE_STORIES, STORIES, plain

T = TypeVar("T")
Care = Literal["occasional", "few", "chronic", "home-care", "dose"]
MESS: Final[Mapping[str, float]] = MappingProxyType(
    {
        "missing-ids": 0.10,
        "wrong-order": 0.08,
        "duplicate": 0.06,
        "correction": 0.06,
        "local-code": 0.05,
        "wrong-reference": 0.05,
        "retraction": 0.04,
    }
)
"""Mess that may befall the messages of any course -> its share of courses."""


class CarePattern(msgspec.Struct, frozen=True, kw_only=True):
    """What a kind of patient has: numbers of chronic and short courses, and the share that ever is in hospital."""

    chronic: tuple[int, int]
    others: tuple[int, int]
    in_hospital: float


CARE: Final[Mapping[Care, CarePattern]] = MappingProxyType(
    {
        "occasional": CarePattern(chronic=(0, 1), others=(1, 2), in_hospital=0.03),
        "few": CarePattern(chronic=(1, 3), others=(0, 2), in_hospital=0.10),
        "chronic": CarePattern(chronic=(3, 7), others=(0, 2), in_hospital=0.40),
        "home-care": CarePattern(chronic=(4, 9), others=(0, 3), in_hospital=0.50),
        "dose": CarePattern(chronic=(6, 11), others=(0, 3), in_hospital=0.50),
    }
)
_BY_AGE: Final[Mapping[int, Mapping[Care, int]]] = MappingProxyType(
    {
        50: {"occasional": 60, "few": 38, "chronic": 2},
        75: {"occasional": 15, "few": 55, "chronic": 29, "home-care": 1},
        200: {"few": 33, "chronic": 42, "home-care": 19, "dose": 8},
    }
)
"""Age below -> weights of the kinds of patients."""


class Life(msgspec.Struct, kw_only=True):
    """One patient's truth: courses, stays, and the times in which municipal staff and the dose pharmacy are at work."""

    care: Care
    stays: tuple[Stay, ...]
    courses: list[Course]
    municipal: Period | None
    pouches: Period | None

    def at_home(self, moment: datetime) -> bool:
        """Tell whether the patient is out of hospital at ``moment``."""
        return not any(stay.covers(moment) for stay in self.stays)


def live(rng: random.Random, index: int) -> Life:
    """Return the life of patient ``index``."""
    care = _weighted(rng, next(weights for age, weights in _BY_AGE.items() if _age(index) < age))
    pattern = CARE[care]
    stays = _stays(rng) if rng.random() < pattern.in_hospital else ()
    draw = Draw(rng, stays)
    courses = _courses(draw, pattern)
    for stay in stays:
        _in_hospital(draw, stay, courses)
    for course in courses:
        course.kinds |= {kind for kind, share in MESS.items() if draw.chance(share)}
    if not courses:
        courses = plain(draw, THERAPIES["amlodipine"])
    pouches = Period(start=local(local_day(BEGIN + draw.days(150, 700)), "00:00"), end=END) if care == "dose" else None
    return Life(care=care, stays=stays, courses=courses, municipal=_municipal(draw, care), pouches=pouches)


def _age(index: int) -> int:
    return (date(2026, 1, 1) - birth_date(index)).days * 4 // 1461


def _weighted(rng: random.Random, weights: Mapping[T, int]) -> T:
    return rng.choices(list(weights), weights=list(weights.values()))[0]


def _stays(rng: random.Random) -> tuple[Stay, ...]:
    first = BEGIN + timedelta(days=rng.randint(120, 560))
    starts = [first, first + timedelta(days=rng.randint(90, 200))][: 1 if rng.random() < 0.75 else 2]  # noqa: PLR2004
    return tuple(
        Stay(
            number=number,
            admitted=local(local_day(start), f"{rng.randint(8, 21):02}:{rng.randint(0, 59):02}"),
            discharged=local(local_day(start + timedelta(days=rng.randint(2, 9))), "14:00"),
        )
        for number, start in enumerate(starts, start=1)
    )


def _municipal(draw: Draw, care: Care) -> Period | None:
    if care not in {"home-care", "dose"}:
        return None
    length = draw.days(150, 450) if draw.chance(0.08) else draw.days(20, 60)
    end = END - draw.days(0, 200)
    return Period(start=local(local_day(end - length), "00:00"), end=end)


def _courses(draw: Draw, pattern: CarePattern) -> list[Course]:
    courses: list[Course] = []
    for _ in range(draw.rng.randint(*pattern.chronic)):
        if draw.chance(0.1):
            _add(draw, courses, _side_story(draw))
        else:
            therapy = draw.pick(BY_USE["chronic"])
            if not _used(courses, therapy.atc):
                _add(draw, courses, _weighted(draw.rng, STORIES)(draw, therapy))
    for _ in range(draw.rng.randint(*pattern.others)):
        therapy = draw.pick((*BY_USE["as-needed"], *BY_USE["short"]))
        if not _used(courses, therapy.atc):
            _add(draw, courses, plain(draw, therapy))
    if draw.chance(0.03) and not _used(courses, "N02BE01"):
        directive = draw.course(THERAPIES["paracetamol"], draw.visit(300, 800))
        directive.origin, directive.end = "directive", directive.start + DAY
        directive.kinds.add("directive")
        _add(draw, courses, [directive])
    return courses


def _side_story(draw: Draw) -> list[Course]:
    return _weighted(draw.rng, SIDE_STORIES)(draw)


def _used(courses: Sequence[Course], atc: str) -> bool:
    return any(course.therapy.atc == atc for course in courses)


def _add(draw: Draw, courses: list[Course], story: list[Course]) -> None:
    """Take a story in, unless it brings a drug that the patient has already, or changes something during a stay."""
    if any(_used(courses, course.therapy.atc) for course in story):
        return
    outside = not any(
        course.origin in {"self", "directive"} and course.overlaps(stay.admitted, stay.discharged)
        for course in story
        for stay in draw.stays
    )
    if outside and all(draw.clear_of_stays(course) for course in story):
        courses.extend(story)


def _in_hospital(draw: Draw, stay: Stay, courses: list[Course]) -> None:
    """Decide what the ward does with each course, and which courses begin on the ward."""
    for course in courses:
        if course.taken_at(stay.admitted) and course.origin != "self":
            _on_ward(draw, stay, course)
            if course.therapy.name == "furosemide" and course.ward[-1].product is None:
                course.kinds.add("other-route")
    if any("other-route" in course.kinds and course.ward[-1].stay == stay for course in courses if course.ward):
        courses.append(_ward_course(draw, stay, "furosemide intravenous", "other-route"))
    for therapy in [therapy for therapy in BY_USE["ward"] if draw.chance(0.3)]:
        same = [course for course in courses if course.therapy.atc == therapy.atc and course.taken_at(stay.admitted)]
        courses.append(_ward_course(draw, stay, therapy.name, "other-route" if same else None))
        for course in same:
            course.kinds.add("other-route")
    if draw.chance(0.5):
        _start_on_ward(draw, stay, courses)


def _on_ward(draw: Draw, stay: Stay, course: Course) -> None:
    segment = segment_at(course.lines[0], stay.admitted)
    if draw.chance(0.4 if course.as_needed or course.therapy.name == "furosemide" else 0.15):
        course.ward.append(WardPlan(stay=stay, product=None))
        course.kinds.add("withheld")
        return
    others = course.therapy.alternatives(segment.product)
    product = segment.product
    if others and len(course.lines) == 1 and draw.chance(0.4):
        product = draw.pick(others)
        course.kinds.add("brand-switch")
    course.ward.append(WardPlan(stay=stay, product=product))
    course.kinds.add("inpatient")
    settled = course.takeover is None and course.end is None and course.origin == "primary-care"
    untouched = not any(moment > stay.admitted for moment in course.moments())
    if settled and untouched and course.double is None and len(course.lines) == 1:
        _at_discharge(draw, stay, course, segment)


def _at_discharge(draw: Draw, stay: Stay, course: Course, segment: Segment) -> None:
    """Let the hospital change the dose, or stop the course, at discharge; primary care follows weeks later."""
    options = [units for units in course.therapy.units if units != str(_units(segment))]
    if options and draw.chance(0.15):
        dosage = draw.dosage(course.therapy, segment.product, draw.pick(options))
        course.lines[0].append(
            msgspec.structs.replace(
                segment, start=stay.discharged, decided_at=stay.discharged, decided_by="hospital", dosage=dosage
            )
        )
        course.takeover = draw.office_hours(stay.discharged + draw.days(10, 45))
        course.kinds |= {"discharge-change", "dose-change"}
    elif draw.chance(0.07):
        course.end, course.stopped_by = stay.discharged, "hospital"
        course.stop_recorded = draw.office_hours(stay.discharged + draw.days(10, 45))
        course.kinds.add("discharge-change")


def _units(segment: Segment) -> object:
    dose = segment.dosage.steps[0].dose
    return None if dose is None else dose.value


def _ward_course(draw: Draw, stay: Stay, name: str, kind: str | None) -> Course:
    start = stay.admitted + timedelta(hours=draw.rng.randint(1, 5))
    course = draw.course(THERAPIES[name], start)
    course.origin = "ward"
    course.lines[0] = [msgspec.structs.replace(segment, decided_by="hospital") for segment in course.lines[0]]
    course.end = course.stop_recorded = stay.discharged
    course.ward.append(WardPlan(stay=stay, product=_first_product(course)))
    course.kinds |= {"inpatient"} | ({kind} if kind else set())
    return course


def _start_on_ward(draw: Draw, stay: Stay, courses: list[Course]) -> None:
    """Begin a chronic treatment on the ward; primary care takes it over after discharge."""
    therapy = draw.pick(BY_USE["chronic"])
    if _used(courses, therapy.atc):
        return
    course = _ward_course(draw, stay, therapy.name, "hospital-started")
    course.end = course.stop_recorded = None
    course.takeover = draw.office_hours(stay.discharged + draw.days(14, 60))
    courses.append(course)


def _first_product(course: Course) -> ProductRow:
    return course.lines[0][0].product
