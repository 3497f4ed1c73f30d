"""Courses: the true state over time."""

import random
from datetime import UTC, datetime

from contracts.values import Period
from streams.simulate.clock import END
from streams.simulate.courses import Course, Segment, Stay, WardPlan, mistakable, probes, stretches
from streams.simulate.draw import Draw
from streams.simulate.formulary import THERAPIES


def day(month: int, number: int) -> datetime:
    """Return a day of 2024."""
    return datetime(2024, month, number, tzinfo=UTC)


def course(name: str = "amlodipine") -> Course:
    """Return a course that is decided on the tenth of January and begins on the twentieth."""
    therapy = THERAPIES[name]
    product = therapy.products()[0]
    dosage = Draw(random.Random(1), ()).dosage(therapy, product)
    segment = Segment(start=day(1, 20), product=product, dosage=dosage, decided_at=day(1, 10))
    return Course(
        id="c1", therapy=therapy, origin="primary-care", decided_at=day(1, 10), start=day(1, 20), lines=[[segment]]
    )


def told(one: Course) -> list[str]:
    """Return the stretches of a course as words."""
    return [f"{stretch.start:%m-%d} {stretch.state}" for stretch in stretches(one)]


def test_planned_active_paused_dormant_ended() -> None:
    """A course is planned until it begins, and shows its pause, the stay that withholds it, and its end."""
    one = course()
    one.pauses.append(Period(start=day(2, 1), end=day(2, 10)))
    one.ward.append(WardPlan(stay=Stay(number=1, admitted=day(3, 1), discharged=day(3, 5)), product=None))
    one.end = day(4, 1)

    assert told(one) == [
        "01-10 planned", "01-20 active", "02-01 paused", "02-10 active", "03-01 dormant", "03-05 active",
        "04-01 ended",
    ]  # fmt: skip


def test_stay_on_which_the_drug_is_given_keeps_it_active() -> None:
    """The patient takes it, whoever ordered it."""
    one = course()
    stay = Stay(number=1, admitted=day(3, 1), discharged=day(3, 5))
    one.ward.append(WardPlan(stay=stay, product=one.lines[0][0].product))

    assert {stretch.state for stretch in stretches(one) if stretch.start >= day(1, 20)} == {"active"}


def test_cancelled_course_was_never_taken() -> None:
    """From its cancelling on it is cancelled, and at no time active."""
    one = course()
    one.cancelled_at = day(1, 15)

    assert told(one) == ["01-15 cancelled"]
    assert not one.taken_at(day(2, 1))


def test_state_is_asked_for_in_the_middle_and_not_of_short_stretches() -> None:
    """No probe lies within half a day of a change."""
    one = course()
    one.pauses.append(Period(start=day(2, 1), end=day(2, 1).replace(hour=20)))

    asked = probes(one)

    assert [state for _, state in asked] == ["planned", "active", "active"]
    assert asked[-1][0] == day(2, 1).replace(hour=20) + (END - day(2, 1).replace(hour=20)) / 2


def test_dose_without_any_decision_has_an_unknown_state() -> None:
    """What staff give from a standing directive stands in no order."""
    one = course()
    one.origin = "directive"

    assert {state for _, state in probes(one)} == {"unknown"}


def test_wrong_reference_points_to_a_drug_that_shares_no_substance() -> None:
    """A combination and its single substance are too close to tell a reference wrong."""
    single, combined, other = course("enalapril"), course("enalapril and hydrochlorothiazide"), course("amlodipine")

    assert not mistakable(combined, single)
    assert mistakable(other, single)
