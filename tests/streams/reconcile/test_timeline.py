"""When a record is in force: every boundary on its moment, every state by its rule."""

from collections.abc import Sequence
from datetime import timedelta

import msgspec
import pytest

from contracts.fact import Fact
from contracts.facts.person import Encounter
from contracts.facts.prescribing import Prescription
from contracts.values import Identifier, Period
from streams.reconcile.policy import default_rules
from streams.reconcile.records import EARLIEST, LATEST, Ledger, Record
from streams.reconcile.timeline import Stay, boundaries, called_off, end_of, span, standing, stays
from tests.streams.reconcile.clauses import moment
from tests.streams.reconcile.history import history

STARTED = "2026-01-01 primary care prescribes Furix 40 mg, 1 x 1, as A"


def record(*told: str) -> Record:
    """Return the only record that sentences tell of."""
    return made(history(*told).facts)


def made(facts: Sequence[Fact]) -> Record:
    """Return the only record of facts."""
    ledger = Ledger(default_rules())
    for fact in facts:
        ledger.add(fact)
    (found,) = ledger.records.values()
    return found


def stands(found: Record, at: str, *, used: bool = False, cut: str | None = None) -> tuple[object, ...]:
    """Return state, rule and period of a record at a time."""
    seen = standing(found, moment(at), used=used, cut=moment(cut) if cut else None)
    return seen.state, seen.rule, seen.start, seen.end


def test_a_stop_registered_late_ends_on_its_own_day() -> None:
    """A stop written on the 20th for the 10th: ended from the 10th on, in force before, also when asked of the past."""
    found = record(STARTED, "2026-01-20 primary care stops A, until 2026-01-10")

    for day, state in (
        ("2026-01-09", "active"),
        ("2026-01-10", "ended"),
        ("2026-01-15", "ended"),
        ("2026-01-25", "ended"),
    ):
        assert stands(found, day)[0] == state


def test_a_stop_without_an_end_ends_when_it_applies() -> None:
    """A stop that names no day ends the record from its own time, and not before."""
    found = record(STARTED, "2026-01-20 primary care stops at an unknown time A")

    assert end_of(found.newest) == moment("2026-01-20")
    assert stands(found, "2026-01-19")[0] == "active"
    assert stands(found, "2026-01-20")[:2] == ("ended", "STOPPED")


def test_a_completed_order_has_ended_and_a_completed_prescription_has_not() -> None:
    """Completed ends an order; of a prescription it says that all is dispensed."""
    prescription = record(STARTED, "2026-01-20 primary care finds nothing left to dispense on A")
    order = record(
        "2026-01-01 hospital orders Furix 40 mg, 1 x 1, as A",
        "2026-01-20 hospital finds nothing left to dispense on A",
    )

    assert stands(order, "2026-01-21")[:2] == ("ended", "STOPPED")
    assert stands(prescription, "2026-01-21")[:2] == ("active", "IN_FORCE")


def test_a_pause_begins_and_ends_on_its_moments() -> None:
    """Before a stated pause and from its end on the record is in force; both moments are boundaries."""
    found = record("2026-01-01 primary care prescribes Furix 40 mg, 1 x 1, resting 2026-02-01 to 2026-02-10, as A")

    seen = [stands(found, day)[0] for day in ("2026-01-31", "2026-02-01", "2026-02-09", "2026-02-10")]

    assert seen == ["active", "paused", "paused", "active"]
    assert {moment("2026-01-01"), moment("2026-02-01"), moment("2026-02-10")} <= set(boundaries(found))


@pytest.mark.parametrize(("start", "end"), [(None, moment("2026-02-10")), (moment("2026-02-01"), None)])
def test_a_pause_may_be_open(start: object, end: object) -> None:
    """A pause without a begin has always been; one without an end goes on; neither has a boundary where it is open."""
    (fact,) = history(STARTED).facts
    pause = msgspec.convert({"start": start, "end": end}, Period)
    found = made([msgspec.structs.replace(fact, content=msgspec.structs.replace(fact.content, pauses=(pause,)))])

    assert stands(found, "2026-02-05")[:2] == ("paused", "PAUSED_BY_PERIOD")
    assert sorted(set(boundaries(found)) - {moment("2026-01-01")}) == [start or end]


def test_a_cancelled_record_that_nobody_used_was_never_valid() -> None:
    """Cancelled without use: its start is still told, it has no end, the cancellation is the reason."""
    found = record(STARTED, "2026-01-20 primary care cancels A")

    for day in ("2026-01-10", "2026-01-25"):
        assert stands(found, day) == ("cancelled", "CANCELLED_BY_SOURCE", moment("2026-01-01"), None)
        assert standing(found, moment(day), used=False).fact == found.newest


def test_a_cancelled_record_that_was_used_has_ended() -> None:
    """Cancelled after a dispense: in force until the cancellation applies, ended from that moment on."""
    found = record(STARTED, "2026-01-05 primary care changes A, 2 x 1", "2026-01-20 primary care cancels A")
    period = (moment("2026-01-01"), moment("2026-01-20"))

    assert stands(found, "2026-01-19", used=True) == ("active", "CANCELLED_AFTER_USE", *period)
    assert stands(found, "2026-01-20", used=True) == ("ended", "CANCELLED_AFTER_USE", *period)
    assert standing(found, moment("2026-01-19"), used=True).fact == found.versions[0]
    assert standing(found, moment("2026-01-20"), used=True).fact == found.newest


def test_a_replaced_record_ends_where_it_is_replaced() -> None:
    """What replaces a record ends it, unless it has ended before."""
    lasting, ended = record(STARTED), record(STARTED.replace("as A", "until 2026-01-10, as A"))

    assert stands(lasting, "2026-01-19", cut="2026-01-20")[0] == "active"
    assert stands(lasting, "2026-01-20", cut="2026-01-20")[0::3] == ("ended", moment("2026-01-20"))
    assert stands(ended, "2026-01-20", cut="2026-01-20")[0::3] == ("ended", moment("2026-01-10"))


def _moved(start: str | None, end: str | None = None) -> Record:
    """Return a record of which the newer version, from the same day, states another period."""
    first, second = history(STARTED, "2026-01-01 primary care changes A, 2 x 1, recorded 2026-01-02").facts
    assert isinstance(second.content, Prescription)
    period = Period(start=moment(start) if start else None, end=moment(end) if end else None)
    return made(
        [first, msgspec.structs.replace(second, content=msgspec.structs.replace(second.content, period=period))]
    )


def test_a_start_that_is_moved_counts_from_the_version_that_moved_it() -> None:
    """The version that speaks says when it starts; only where it says nothing do earlier versions count."""
    assert stands(_moved("2026-02-01"), "2026-01-10")[:3] == ("planned", "STARTS_LATER", moment("2026-02-01"))
    assert stands(_moved(None), "2026-01-10")[:3] == ("active", "IN_FORCE", moment("2026-01-01"))


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("2026-02-01", "2026-01-31", True),
        ("2026-02-01", "2026-02-01", True),
        ("2026-02-01", "2026-02-02", False),
        ("2026-02-01", None, False),
        (None, "2026-01-01", True),
        (None, "2026-01-02", False),
    ],
)
def test_what_ends_before_or_as_it_begins_is_called_off(start: str | None, end: str | None, *, expected: bool) -> None:
    """A record that ends no later than it begins was never in force."""
    assert called_off(_moved(start, end)) is expected


def test_nothing_is_invented_for_a_record_without_times() -> None:
    """A record that says nothing of time may have begun at any time and goes on; it is active, from an unknown start."""
    (fact,) = history("2026-01-01 primary care prescribes Furix 40 mg, 1 x 1, start unknown, as A").facts
    found = made([msgspec.structs.replace(fact, occurred_at=None)])

    assert span(found) == (EARLIEST, LATEST)
    assert stands(found, "2026-01-10") == ("active", "IN_FORCE", None, None)


def _stay(name: str, **changed: object) -> Record:
    content = Encounter(
        person=history(STARTED).facts[0].content.person,
        encounter_class="inpatient",
        status="finished",
        period=Period(start=moment("2026-01-10"), end=moment("2026-01-20")),
    )
    (fact,) = history(STARTED).facts
    changed_content = msgspec.structs.replace(content, **changed)
    key = Identifier(system="hospital", value=name)
    return Record(key, (msgspec.structs.replace(fact, content=changed_content),))


def test_a_stay_covers_its_first_moment_and_not_its_last() -> None:
    """A stay is half-open: admitted from the moment of admission, not at the moment of discharge."""
    (stay,) = stays([_stay("S")])

    last = moment("2026-01-20") - timedelta(microseconds=1)
    assert [stay.covers(when) for when in (stay.start, last, moment("2026-01-20"))] == [True, True, False]
    assert not stay.covers(stay.start - timedelta(microseconds=1))


def test_only_inpatient_stays_that_took_place_are_stays() -> None:
    """Visits, cancelled stays, stays without a start and other records are none."""
    none = [
        _stay("visit", encounter_class="outpatient"),
        _stay("cancelled", status="cancelled"),
        _stay("no start", period=Period(end=moment("2026-01-20"))),
        record(STARTED),
    ]

    assert stays(none) == ()


def test_stays_are_told_earliest_first() -> None:
    """Stays are ordered by their start, equal ones by their key, and keep the fact that tells of them."""
    late = _stay("A", period=Period(start=moment("2026-02-01")))
    first, second = _stay("B"), _stay("C")

    found = stays([second, late, first])

    assert [stay.key for stay in found] == [("hospital", "B"), ("hospital", "C"), ("hospital", "A")]
    assert found[2] == Stay(("hospital", "A"), moment("2026-02-01"), None, late.newest)
