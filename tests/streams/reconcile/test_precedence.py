"""Whose word counts: the table alone decides, the latest decision where it leaves that open, nobody where it says so."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from streams.reconcile.policy import Kind, Rules, Verdict, default_rules
from streams.reconcile.precedence import Candidate, choose, decided_at
from streams.reconcile.records import EARLIEST
from tests.streams.reconcile.clauses import moment

NOW = moment("2026-01-01")
LATER = NOW + timedelta(days=1)
A: Kind = "inpatient_order"
B: Kind = "outpatient_order"
C: Kind = "prescription"
D: Kind = "list_row"
kinds = (A, B, C, D)


def table(**verdicts: Verdict) -> Rules:
    """Return rules in which pairs like ``ab`` have a verdict, and every other pair is compared by time."""
    named: dict[str, Kind] = {"a": A, "b": B, "c": C, "d": D}
    made: dict[Any, Verdict] = {("dosage", x, y): "latest" for x in kinds for y in kinds}
    for pair, verdict in verdicts.items():
        left, right = named[pair[0]], named[pair[1]]
        flipped: dict[Verdict, Verdict] = {"row": "column", "column": "row"}
        made |= {("dosage", left, right): verdict, ("dosage", right, left): flipped.get(verdict, verdict)}
    return msgspec.structs.replace(default_rules(), verdicts=made)


def says(value: int, kind: Kind, day: int = 0) -> Candidate:
    """Return a candidate whose decision was made some days after the others'; its fact is named after it."""
    return Candidate(value, kind, (f"{kind}-{value}",), (NOW + timedelta(days=day), NOW, kind))


def test_nobody_says_anything() -> None:
    """Without candidates there is no choice, not an empty one."""
    assert choose("dosage", [], table()) is None


def test_the_table_counts_before_the_time() -> None:
    """What the table puts above wins although the other decided later; only the winner's fact is the reason."""
    choice = choose("dosage", [says(1, A), says(2, B, day=9)], table(ab="row"))

    assert choice is not None
    assert choice.winner == says(1, A)
    assert (choice.rule, choice.facts) == ("PRECEDENCE_TABLE", (f"{A}-1",))


def test_the_latest_decision_counts_where_the_table_compares_by_time() -> None:
    """Of two kinds that stand alike the later decision counts."""
    choice = choose("dosage", [says(2, B, day=9), says(1, A)], table())

    assert choice is not None
    assert choice.winner == says(2, B, day=9)
    assert choice.rule == "LATEST_DECISION"


@pytest.mark.parametrize("pair", ["ab", "ac", "ad", "bc", "bd", "cd"])
def test_one_undecided_pair_leaves_it_to_a_person(pair: str) -> None:
    """Among four who differ, any one pair that the table leaves undecided makes the whole undecided, with all facts."""
    four = [says(n, kind, day=n) for n, kind in enumerate(kinds)]

    choice = choose("dosage", four, table(**dict[str, Verdict]({pair: "undecided"})))

    assert choice is not None
    assert (choice.winner, choice.rule) == (None, "UNDECIDED")
    assert choice.facts == tuple(sorted(f"{kind}-{n}" for n, kind in enumerate(kinds)))


def test_agreement_needs_no_person() -> None:
    """An undecided pair that says the same is agreed, with both facts as the reason."""
    choice = choose("dosage", [says(1, A), says(1, B)], table(ab="undecided"))

    assert choice is not None
    assert (choice.rule, choice.facts) == ("ALL_AGREE", (f"{A}-1", f"{B}-1"))


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        (decided_at(NOW, LATER, "b"), decided_at(LATER, NOW, "a")),
        (decided_at(NOW, NOW, "b"), decided_at(NOW, LATER, "a")),
        (decided_at(NOW, NOW, "a"), decided_at(NOW, NOW, "b")),
        (decided_at(None, LATER, "b"), decided_at(NOW, NOW, "a")),
        (decided_at(NOW, None, "b"), decided_at(NOW, NOW, "a")),
    ],
)
def test_decisions_are_compared_by_when_they_apply_then_recorded_then_named(earlier: Any, later: Any) -> None:
    """When it applies counts first, then when it was recorded, then the record; an unknown time is the earliest."""
    assert earlier < later


def test_a_decision_without_times_is_the_earliest() -> None:
    """Nothing is invented for a time that is not known."""
    assert decided_at(None, None, "a") == (EARLIEST, EARLIEST, "a")
