"""What a list asks NLL to hold, and what never leaves."""

from typing import Any

import msgspec
import pytest

from contracts.medication_list import Finding, Layer
from contracts.publication import HELD_REASONS
from contracts.sources import DEFAULT_SOURCES
from contracts.systems import NLL_PRESCRIPTION
from contracts.values import Identifier
from streams.publish.desired import desired, wanted_hash
from streams.publish.policy import policy_of
from tests.streams.publish.cases import POLICY, line, standing, the_list, withdrawn


def conflict(*items: str, code: str = "dose-differs", settled: bool = False) -> Finding:
    """A finding, a conflict unless it is settled."""
    return Finding(code=code, severity="high", conflict=not settled, items=items, facts=("f",), key="k")


def test_lines_without_a_prescription_never_leave() -> None:
    """Orders of a ward, administrations, dispensings and what a patient reports are no prescriptions."""
    layers = {"intended": Layer(state="active"), "given": Layer(count=3), "reported": Layer(), "dispensed": Layer()}

    wish = desired(the_list(line(layers=layers)), POLICY)

    assert (wish.wanted, wish.retire, wish.held) == ((), (), ())


@pytest.mark.parametrize(
    ("reason", "prescription", "item", "whole"),
    [
        ("source-unknown", {"source": "stranger"}, {}, {}),
        ("publishes-itself", {"source": "nll"}, {}, {}),
        ("inpatient", {"setting": "inpatient"}, {}, {}),
        ("inpatient", {"setting": "self"}, {}, {}),
        ("undecided", {}, {"undecided": ("dose",)}, {}),
        ("state-unknown", {"state": "unknown"}, {}, {}),
        ("state-unknown", {"status": "unknown"}, {}, {}),
        ("conflict", {}, {"strand": "s-1"}, {"findings": (conflict("s-1"),)}),
        ("conflict", {}, {"strand": "s-1"}, {"findings": (conflict("s-1", code="of-a-later-version"),)}),
        ("patient-in-doubt", {}, {}, {"findings": (conflict(code="identity-in-doubt"),)}),
        ("patient-in-doubt", {}, {}, {"person": None}),
    ],
)
def test_what_is_held_back_is_told_with_its_reason(
    reason: str, prescription: dict[str, Any], item: dict[str, Any], whole: dict[str, Any]
) -> None:
    """It is neither asked for nor asked away."""
    rx = standing(**prescription)

    wish = desired(the_list(line(rx, **item), **whole), POLICY)

    assert (wish.wanted, wish.retire) == ((), ())
    assert [(one.record, one.reason) for one in wish.held] == [(rx.record, reason)]
    assert reason in HELD_REASONS


def test_a_settled_finding_and_another_lines_conflict_hold_nothing() -> None:
    """Only what a person still has to settle, about what is prescribed, and only on its own line."""
    findings = (conflict("s-1", settled=True), conflict("s-2"), conflict("s-1", code="stale-pouch"))

    wish = desired(the_list(line(standing(), strand="s-1"), findings=findings), POLICY)

    assert [one.target for one in wish.wanted] == ["standing"]


@pytest.mark.parametrize(
    ("state", "status", "target"),
    [
        ("active", "active", "standing"),
        ("planned", "active", "standing"),
        ("paused", "on-hold", "standing"),
        ("dormant", "active", "standing"),
        ("active", "completed", "standing"),
        ("ended", "stopped", "ended"),
        ("ended", "active", "run-out"),
        ("ended", "completed", "run-out"),
        ("cancelled", "cancelled", "cancelled"),
    ],
)
def test_what_the_endpoint_should_hold_follows_from_state_and_status(state: str, status: str, target: str) -> None:
    """A pause and a stay at a hospital end nothing; fully dispensed is no end; only its prescriber stops it."""
    wish = desired(the_list(line(standing(state=state, status=status))), POLICY)

    assert [one.target for one in wish.wanted] == [target]


def test_a_source_that_registers_itself_is_linked() -> None:
    """Its NLL id is known from its own record; nothing is asked for."""
    ids = (Identifier(system=NLL_PRESCRIPTION, value="f-9"),)
    rx = standing(source="nll", identifiers=ids)

    wish = desired(the_list(line(rx)), POLICY)

    assert wish.linked == ((rx.record, "f-9"),)
    assert wish.wanted == ()


def test_withdrawals_follow_the_policy() -> None:
    """Taken back: never valid. Blocked: locked. Or left alone, where the region decides so."""
    gone = (withdrawn(standing("a"), "retracted"), withdrawn(standing("b"), "blocked"))
    left_alone = msgspec.structs.replace(POLICY, withdrawals={"retracted": "cancel", "blocked": "keep"})

    assert sorted(one.how for one in desired(the_list(withdrawn=gone), POLICY).retire) == ["cancel", "lock"]
    assert [one.how for one in desired(the_list(withdrawn=gone), left_alone).retire] == ["cancel"]


def test_the_wish_does_not_change_with_what_is_not_asked_for() -> None:
    """An administration more, another finding: nothing to send, so the same hash."""
    rx = standing()
    more = line(rx, layers={"given": Layer(count=4)}, facts=("fact-rx-1", "given-4"))

    before, after = desired(the_list(line(rx)), POLICY), desired(the_list(more, rules="r2"), POLICY)

    assert wanted_hash(before) == wanted_hash(after)
    assert wanted_hash(before) != wanted_hash(desired(the_list(line(standing(packages=2))), POLICY))


def test_equal_lists_ask_alike_whatever_the_order_of_their_lines() -> None:
    """The wish is sorted by record."""
    first, second = line(standing("a")), line(standing("b"))

    assert desired(the_list(first, second), POLICY) == desired(the_list(second, first), POLICY)


def test_the_policy_of_the_sources_links_those_that_register_themselves() -> None:
    """What a source states about itself decides, and nothing else."""
    sources = (*DEFAULT_SOURCES[:1], msgspec.structs.replace(DEFAULT_SOURCES[1], publishes_itself=True))

    assert policy_of(sources).handling == {"hospital": "register", "primary-care": "link"}
