"""Evidence between two entries: what makes them one treatment, what keeps them apart, on each side of every limit."""

from typing import Any

import msgspec
import pytest

from streams.reconcile.entries import Entry
from streams.reconcile.evidence import (
    CHANGE_BY_SOURCE,
    SAME_GROUP,
    SAME_PRODUCT,
    SAME_SUBSTANCE,
    apart,
    closeness,
    held_at_once,
    inferred,
    meet,
    overlap,
    product_tier,
    restarted,
    same_drug,
)
from tests.streams.reconcile.clauses import moment
from tests.streams.reconcile.entry import DAY, FUROSEMIDE, RULES, code, codes, entry, product

ENALAPRIL, COMBINED = frozenset({"enalapril"}), frozenset({"enalapril", "hydrochlorothiazide"})


@pytest.mark.parametrize(
    ("left", "right", "tier"),
    [
        ({"npl_id": "1"}, {"npl_id": "1"}, SAME_PRODUCT),
        ({"npl_id": "1"}, {"npl_id": "2"}, None),
        ({"codes": codes("Z8", "Z9")}, {"codes": codes("Z9")}, SAME_PRODUCT),
        ({"codes": codes("Z8")}, {"codes": codes("Z9")}, None),
        ({"codes": codes("Z8")}, {}, None),
        ({"group": "g", "route": "oral"}, {"group": "g", "route": "oral"}, SAME_GROUP),
        ({"group": "g", "route": "oral"}, {"group": "g"}, None),
        ({"group": "g"}, {"group": "g"}, None),
        (FUROSEMIDE, FUROSEMIDE, SAME_SUBSTANCE),
        (FUROSEMIDE, {**FUROSEMIDE, "form_group": None}, None),
        (FUROSEMIDE, {**FUROSEMIDE, "atc": "C03CB01"}, None),
        ({"npl_id": "1", "matchable": False}, {"npl_id": "1"}, None),
        ({"npl_id": "1", "matchable": False}, {"npl_id": "1", "matchable": False}, None),
        ({"npl_id": "1", "route": "oral"}, {"npl_id": "1", "route": "rectal"}, None),
        ({"npl_id": "1", "form_group": "a"}, {"npl_id": "1", "form_group": "b"}, None),
        ({"npl_id": "1", "substances": ENALAPRIL}, {"npl_id": "1", "substances": frozenset({"x"})}, None),
        ({}, {}, None),
    ],
)
def test_the_tier_of_two_products(left: dict[str, Any], right: dict[str, Any], tier: int | None) -> None:
    """The strongest thing both know decides; what both know and differ in excludes; what is unknown equals nothing."""
    a, b = product(**left), product(**right)

    assert product_tier(a, b) == product_tier(b, a) == tier


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        ({"atc": "1", "substances": ENALAPRIL}, {"atc": "1", "substances": ENALAPRIL}, True),
        ({"atc": "1", "substances": ENALAPRIL}, {"atc": "1", "substances": COMBINED}, False),
        ({"atc": "1", "substances": ENALAPRIL}, {"atc": "1"}, True),
        ({"atc": "1"}, {"atc": "1"}, True),
        ({"atc": "1", "substances": ENALAPRIL}, {"atc": "2", "substances": ENALAPRIL}, False),
        ({"atc": "1", "substances": ENALAPRIL}, {"substances": ENALAPRIL}, True),
        ({"substances": ENALAPRIL}, {"substances": ENALAPRIL}, True),
        ({"substances": ENALAPRIL}, {"substances": COMBINED}, False),
        ({"atc": "1"}, {"substances": ENALAPRIL}, False),
        ({}, {}, False),
    ],
)
def test_the_same_drug(left: dict[str, Any], right: dict[str, Any], *, same: bool) -> None:
    """Code and substances agree as far as both are known; one substance under two codes is two uses."""
    a, b = product(**left), product(**right)

    assert (same_drug(a, b), same_drug(b, a)) == (same, same)


def test_periods_meet_within_the_tolerance() -> None:
    """Two periods that miss each other by just the tolerance meet; by more they do not. Overlap must be more than it."""
    first = entry("A", "2026-01-01", "2026-01-10")
    touching, gap = entry("B", "2026-01-11"), entry("C", "2026-01-11 00:01")
    overlapping, more = entry("D", "2026-01-09"), entry("E", "2026-01-08 23:59")

    assert meet(first, touching, DAY)
    assert meet(touching, first, DAY)
    assert not meet(first, gap, DAY)
    assert not meet(gap, first, DAY)
    assert [overlap(first, other, DAY) for other in (overlapping, more)] == [False, True]


def tier(a: Entry, b: Entry) -> int | None:
    """Return the inferred tier, which is the same from both sides."""
    found = inferred(a, b, RULES)
    assert inferred(b, a, RULES) == found
    return found


def test_what_was_never_valid_is_evidence_of_nothing() -> None:
    """A cancelled entry matches nobody."""
    assert tier(entry("A", never_valid=True), entry("B", source="hospital")) is None


@pytest.mark.parametrize(
    ("said_at", "expected"),
    [
        ("2026-01-08 23:59", None),
        ("2026-01-09", SAME_SUBSTANCE),
        ("2026-01-15", SAME_SUBSTANCE),
        ("2026-01-21", SAME_SUBSTANCE),
        ("2026-01-21 00:01", None),
    ],
)
@pytest.mark.parametrize("kind", ["list_row", "reported_use"])
def test_a_statement_is_about_what_is_in_force_when_it_is_made(said_at: str, expected: int | None, kind: str) -> None:
    """Whatever period it states: a row matches an order in force when the row is written, a day more or less."""
    order = entry("A", "2026-01-10", "2026-01-20")
    row = entry("B", "2020-01-01", "2020-02-01", kind=kind, said_at=moment(said_at))

    assert tier(order, row) == expected


@pytest.mark.parametrize("kind", ["list_row", "reported_use"])
def test_two_statements_are_one_treatment_where_their_periods_meet(kind: str) -> None:
    """Two rows, of one source or of two, are compared by what they state, not by when they were written."""
    row = entry("A", "2026-01-01", "2026-02-01", kind="list_row")
    meeting = entry("B", "2026-01-15", kind=kind, said_at=moment("2027-01-01"))
    apart_in_time = entry("C", "2026-05-01", kind=kind, said_at=moment("2026-01-15"))

    assert tier(row, meeting) == SAME_SUBSTANCE
    assert tier(row, apart_in_time) is None


def test_an_order_and_a_prescription_of_one_source_are_compared_like_any_other() -> None:
    """That one source writes both at once is how it writes one treatment."""
    assert tier(entry("A", kind="outpatient_order"), entry("B")) == SAME_SUBSTANCE


ORAL = {"route": "oral"}


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        (FUROSEMIDE, FUROSEMIDE, CHANGE_BY_SOURCE),
        (FUROSEMIDE, {**FUROSEMIDE, "route": None}, None),
        ({"substances": ENALAPRIL}, {"substances": ENALAPRIL}, None),
        ({"substances": ENALAPRIL, "npl_id": "1"}, {"substances": ENALAPRIL, "npl_id": "2"}, None),
        ({"substances": ENALAPRIL, "npl_id": "1"}, {"substances": ENALAPRIL}, None),
        ({"substances": ENALAPRIL, "codes": codes("Z8")}, {"substances": ENALAPRIL, "codes": codes("Z9")}, None),
        ({"npl_id": "1"}, {"npl_id": "1"}, CHANGE_BY_SOURCE),
        ({"npl_id": "1", **ORAL}, {"npl_id": "2", **ORAL}, None),
        ({"npl_id": "1", **ORAL}, {**ORAL}, None),
        ({"codes": codes("Z9")}, {"codes": codes("Z9")}, CHANGE_BY_SOURCE),
        ({"codes": codes("Z8"), **ORAL}, {"codes": codes("Z9"), **ORAL}, None),
        (ORAL, ORAL, None),
        ({**FUROSEMIDE, "matchable": False}, FUROSEMIDE, None),
        ({**FUROSEMIDE, "matchable": False}, {**FUROSEMIDE, "matchable": False}, None),
        (FUROSEMIDE, {**FUROSEMIDE, "form_group": "parenteral"}, None),
    ],
)
def test_a_stop_and_a_start_of_one_source_are_a_change(
    left: dict[str, Any], right: dict[str, Any], expected: int | None
) -> None:
    """One source ends the one as it starts the other: the same drug by the same route, product or code; else nothing."""
    ended = entry("A", end="2026-02-01", profile=product(**left))
    started = entry("B", "2026-02-01", profile=product(**right))

    assert tier(ended, started) == expected


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ((), (), CHANGE_BY_SOURCE),
        (("c1",), (), CHANGE_BY_SOURCE),
        (("c1",), ("c1", "c2"), CHANGE_BY_SOURCE),
        (("c1",), ("c2",), None),
    ],
)
def test_a_source_that_chains_differently_has_not_changed(
    left: tuple[str, ...], right: tuple[str, ...], expected: int | None
) -> None:
    """A stop in one chain and a start in another are two treatments by the source's own word."""
    ended = entry("A", end="2026-02-01", chains=codes(*left))
    started = entry("B", "2026-02-01", chains=codes(*right))

    assert tier(ended, started) == expected


def test_what_one_source_holds_for_long_at_once_is_no_change() -> None:
    """Two prescriptions of one source that overlap by more than the tolerance, or miss each other by more, are not one."""
    first = entry("A", end="2026-02-01")

    assert tier(first, entry("B", "2026-01-31")) == CHANGE_BY_SOURCE
    assert tier(first, entry("B", "2026-01-30")) is None
    assert tier(first, entry("B", "2026-02-03")) is None


@pytest.mark.parametrize(
    ("left", "right", "held"),
    [
        ({}, {}, True),
        ({}, {"source": "hospital"}, False),
        ({}, {"kind": "outpatient_order"}, False),
        ({"kind": "list_row"}, {"kind": "list_row"}, False),
        ({"kind": "list_row", "statement": code("L1")}, {"kind": "list_row", "statement": code("L1")}, True),
        ({"kind": "list_row", "statement": code("L1")}, {"kind": "list_row", "statement": code("L2")}, False),
        ({"never_valid": True}, {}, False),
        ({"never_valid": True}, {"never_valid": True}, False),
    ],
)
def test_what_a_source_holds_at_once(left: dict[str, Any], right: dict[str, Any], *, held: bool) -> None:
    """Two orders of one source and kind in force together, or two rows of one statement."""
    a, b = entry("A", **left), entry("B", **right)

    assert (held_at_once(a, b, RULES), held_at_once(b, a, RULES)) == (held, held)


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ({"chains": codes("c1")}, {"chains": codes("c2")}, True),
        ({"chains": codes("c1", "c2")}, {"chains": codes("c2")}, False),
        ({"chains": codes("c1")}, {}, False),
        ({"chains": codes("c1")}, {"chains": codes("c2"), "source": "hospital"}, False),
    ],
)
def test_a_source_keeps_two_chains_apart(left: dict[str, Any], right: dict[str, Any], *, expected: bool) -> None:
    """Chained differently by one source is apart, at any time; what another source chains is its own affair."""
    a, b = entry("A", end="2026-02-01", **left), entry("B", "2026-02-01", **right)

    assert (apart([a], [b], RULES), apart([b], [a], RULES)) == (expected, expected)


def test_one_pair_held_at_once_keeps_two_groups_apart() -> None:
    """It is enough that one member of each is in force together with the other in one source."""
    old, lasting = entry("A", end="2025-02-01"), entry("B")

    assert apart([old, lasting], [entry("C")], RULES)
    assert not apart([old], [entry("C")], RULES)


def test_a_gap_in_one_source_is_a_restart() -> None:
    """A source that ended the one months before it began the other has restarted; one handover between them is enough."""
    january, june = entry("A", end="2026-02-01"), entry("B", "2026-06-01")
    between = entry("C", "2026-02-01", "2026-06-01")

    assert restarted([january], [june], RULES)
    assert not restarted([january, between], [june], RULES)
    assert not restarted([january], [between], RULES)


def test_only_what_lasts_restarts_in_its_own_source_and_kind() -> None:
    """In-patient orders, other sources and what was never valid say nothing of a restart, for it or against it."""
    january, june = entry("A", end="2026-02-01"), entry("B", "2026-06-01")
    inpatient = [msgspec.structs.replace(e, kind="inpatient_order") for e in (january, june)]
    outpatient = [msgspec.structs.replace(e, kind="outpatient_order") for e in (january, june)]
    elsewhere = entry("D", source="hospital")

    assert restarted(outpatient[:1], outpatient[1:], RULES)
    assert not restarted(inpatient[:1], inpatient[1:], RULES)
    assert not restarted(outpatient[:1], [june], RULES)
    assert not restarted([january], [msgspec.structs.replace(june, never_valid=True)], RULES)
    assert not restarted([msgspec.structs.replace(january, never_valid=True)], [june], RULES)
    assert not restarted([elsewhere], [june], RULES)
    assert restarted([january, elsewhere], [june], RULES)
    assert restarted([january, entry("E", kind="outpatient_order")], [june], RULES)


def test_how_close_a_link_is() -> None:
    """A group counts as the product; then overlap, a known equal strength, a known equal unit, and the nearer start."""
    strength = product(**FUROSEMIDE, strengths=(("furosemide", 40, "mg"),))
    other = product(**FUROSEMIDE, strengths=(("furosemide", 20, "mg"),))
    a = entry("A", end="2026-01-10", profile=strength, unit=code("u1"))
    same = entry("B", "2026-01-09 12:00", profile=strength, unit=code("u1"))
    touching = entry("C", "2026-01-10", profile=other, unit=code("u2"))
    vague = entry("D")

    assert closeness(a, same, SAME_GROUP)[:4] == (SAME_PRODUCT, False, False, False)
    assert closeness(same, a, SAME_SUBSTANCE)[:4] == (SAME_SUBSTANCE, False, False, False)
    assert closeness(a, touching, SAME_PRODUCT)[:4] == (SAME_PRODUCT, True, True, True)
    assert closeness(vague, vague, SAME_PRODUCT)[:4] == (SAME_PRODUCT, False, True, True)
    assert closeness(vague, entry("E"), SAME_PRODUCT) < closeness(vague, entry("F", "2026-03-01"), SAME_PRODUCT)
