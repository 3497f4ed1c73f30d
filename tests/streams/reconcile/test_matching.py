"""Which entries are one treatment: what is explicit, what is inferred, what tears a group, in every order of the entries."""

from itertools import permutations
from typing import Any

import pytest

from contracts.values import Identifier
from streams.reconcile.entries import Entry
from streams.reconcile.matching import Pair, Wishes, match, wishes
from streams.reconcile.policy import default_rules
from streams.reconcile.records import Ledger
from tests.streams.reconcile.clauses import moment
from tests.streams.reconcile.entry import FUROSEMIDE, RULES, codes, entry, product
from tests.streams.reconcile.history import history

H1, H2 = codes("h1"), codes("h2")
NO_WISHES = Wishes()


def made(*entries: Entry, decided: Wishes = NO_WISHES) -> tuple[list[str], list[str]]:
    """Return the treatments (names joined, sorted) and the codes of the notes, which no order of the entries changes."""
    seen = set()
    for mixed in permutations(entries):
        found = match(mixed, decided, RULES)
        groups = sorted("".join(sorted(e.key.value for e in group)) for group in found.treatments)
        seen.add((tuple(groups), tuple((note.code, note.records) for note in found.notes)))
    ((groups_seen, notes),) = seen
    return list(groups_seen), [code for code, _ in notes]


def drug(substance: str = "furosemide", strength: int | None = None) -> Any:
    """Return the product of a substance, of a strength in mg if it is known."""
    strengths = ((substance, strength, "mg"),) if strength else ()
    return product(
        **{**FUROSEMIDE, "substances": frozenset({substance}), "strengths": strengths, "tokens": frozenset({substance})}
    )


def care(name: str, start: str = "2026-01-01", end: str | None = None, **said: Any) -> Entry:
    """Return primary care's prescription, of furosemide unless said otherwise."""
    return entry(name, start, end, **{"profile": drug(), **said})


def pair(left: str, right: str) -> Pair:
    """Return a pair of primary care's records."""
    return (Identifier(system="primary-care", value=left), Identifier(system="primary-care", value=right))


def test_an_order_elsewhere_does_not_bridge_a_restart() -> None:
    """Primary care restarted after months; the hospital's order, in force all the time, joins the nearer start only."""
    january, june = care("A", end="2026-02-01"), care("B", "2026-06-01")
    hospital = care("H", source="hospital")

    assert made(january, june, hospital) == (["AH", "B"], ["ambiguous-match"])


def test_handovers_without_a_gap_are_no_restart() -> None:
    """Where one source's entries follow each other without a gap, all are one treatment, and nothing is doubtful."""
    january, spring, june = care("A", end="2026-02-01"), care("C", "2026-02-01", "2026-06-01"), care("B", "2026-06-01")

    assert made(january, spring, june, care("H", source="hospital")) == (["ABCH"], [])


def test_a_cancelled_prescription_tears_nothing() -> None:
    """What was never valid is no restart and joins nobody."""
    assert made(care("A"), care("B", "2025-01-01", "2025-02-01", never_valid=True), care("H", source="hospital")) == (
        ["AH", "B"],
        [],
    )


@pytest.mark.parametrize(("strength", "expected"), [(5, ["A", "BH"]), (1, ["AH", "B"])])
def test_of_two_parallel_strengths_the_equal_one_is_joined(strength: int, expected: list[str]) -> None:
    """A source holds 1 mg and 5 mg at once; another's order joins the line of its own strength."""
    one, five = care("A", profile=drug(strength=1)), care("B", profile=drug(strength=5))

    assert made(one, five, care("H", source="hospital", profile=drug(strength=strength)))[0] == expected


def test_a_tie_joins_none() -> None:
    """Nothing tells which of two parallel lines the hospital's order belongs to: three lines and a doubt."""
    assert made(care("A"), care("B"), care("H", source="hospital")) == (["A", "B", "H"], ["ambiguous-match"])


def test_the_nearer_start_decides_where_nothing_else_does() -> None:
    """Of two parallel lines that are alike the one that began nearer in time is joined."""
    assert made(care("A"), care("B", "2026-01-10"), care("H", "2026-01-09", source="hospital"))[0] == ["A", "BH"]


def test_two_pairs_find_each_other() -> None:
    """Two sources hold the same two strengths at once: each finds its own."""
    here = [care(name, profile=drug(strength=n)) for name, n in (("A", 1), ("B", 5))]
    there = [care(name, source="hospital", profile=drug(strength=n)) for name, n in (("X", 1), ("Y", 5))]

    assert made(*here, *there)[0] == ["AX", "BY"]


def test_a_stay_does_not_bridge_two_treatments() -> None:
    """Two settled treatments of two sources, months apart, stay two although one in-patient order meets both."""
    first = care("A", end="2026-02-01")
    second = care("B", "2026-06-01", source="private-clinic")
    inpatient = care("I", source="hospital", kind="inpatient_order")

    assert made(first, second, inpatient)[0] == ["AI", "B"]


def test_two_rows_do_not_bridge_two_stays() -> None:
    """Two in-patient orders months apart stay two although the rows of a list that name them are alike."""
    stay = {"source": "hospital", "kind": "inpatient_order"}
    orders = [care("I", end="2026-02-01", **stay), care("J", "2026-06-01", **stay)]
    rows = [
        care(name, start, kind="list_row", said_at=moment(start))
        for name, start in (("R", "2026-01-01"), ("S", "2026-06-01"))
    ]

    assert made(*orders, *rows)[0] == ["IR", "JS"]


def test_a_person_keeps_two_apart_and_joins_two() -> None:
    """A decision stands above all evidence for, and against, one treatment; one about an unknown record does nothing."""
    a, b, other = care("A"), care("B", kind="outpatient_order"), care("C", profile=drug("enalapril"))

    assert made(a, b)[0] == ["AB"]
    assert made(a, b, decided=Wishes(different=frozenset({pair("A", "B")})))[0] == ["A", "B"]
    assert made(a, other)[0] == ["A", "C"]
    assert made(a, other, decided=Wishes(same=frozenset({pair("A", "C"), pair("A", "Z")})))[0] == ["AC"]


def test_what_a_person_keeps_apart_a_third_does_not_join() -> None:
    """Two that a person has told apart are not one over a third source's order that is like both."""
    three = [care("A"), care("B", kind="outpatient_order"), care("H", "2026-01-02", source="hospital")]

    groups, _ = made(*three, decided=Wishes(different=frozenset({pair("A", "B")})))

    assert not any({"A", "B"} <= set(group) for group in groups)


def test_a_person_keeps_apart_what_a_source_links() -> None:
    """Two entries of one chain that a person has told apart are two treatments; without the decision they are one."""
    a, b = care("A", hubs=H1), care("B", "2027-01-01", kind="outpatient_order", hubs=H1)

    assert made(a, b)[0] == ["AB"]
    assert made(a, b, decided=Wishes(different=frozenset({pair("A", "B")})))[0] == ["A", "B"]


def _of(name: str, *substances: str, hubs: frozenset[Identifier] = H1) -> Entry:
    return care(name, hubs=hubs, profile=product(substances=frozenset(substances)))


def test_a_link_is_followed_among_those_that_share_a_substance() -> None:
    """Members of one chain are one treatment as far as their substances meet, also over a combination product."""
    enalapril, combined, thiazide, furosemide = (
        _of("A", "enalapril"),
        _of("B", "enalapril", "hydrochlorothiazide"),
        _of("C", "hydrochlorothiazide"),
        _of("D", "furosemide"),
    )

    assert made(enalapril, combined, thiazide) == (["ABC"], [])
    assert made(enalapril, thiazide) == (["A", "C"], ["reference-contradicts-substance"])
    assert made(enalapril, combined, thiazide, furosemide) == (["ABC", "D"], ["reference-contradicts-substance"])


def test_an_entry_of_unknown_substance_joins_what_it_names() -> None:
    """What says no substance goes with the one it refers to, also over another such entry; two such are one."""
    known, direct, over = _of("A", "enalapril"), _of("V"), _of("W", hubs=H1 | H2)

    assert made(known, direct) == (["AV"], [])
    assert made(known, over, _of("X", hubs=H2)) == (["AWX"], [])
    assert made(_of("V"), _of("W")) == (["VW"], [])


def test_an_entry_of_unknown_substance_bridges_nothing() -> None:
    """What says no substance and refers to two drugs goes with neither."""
    two = [_of("A", "enalapril"), _of("B", "furosemide", hubs=H2)]

    assert made(*two, _of("V", hubs=H1 | H2)) == (["A", "B", "V"], ["reference-to-several"])


def test_the_later_recorded_of_two_decisions_counts() -> None:
    """Of two decisions about a pair the later recorded counts, whenever it was received; other pairs keep theirs."""
    patient = history(
        "2026-01-01 primary care prescribes Furix 40 mg, 1 x 1, as A",
        "2026-01-01 primary care prescribes Furix 40 mg, 1 x 1, as B",
        "2026-01-01 primary care prescribes Furix 40 mg, 1 x 1, as C",
        "2026-01-05 a person decides that A and B are different, received 2026-01-09, as P",
        "2026-01-06 a person decides that A and B are the same, as Q",
        "2026-01-07 a person decides that A and C are different, as R",
    )
    ledger = Ledger(default_rules())
    for fact in patient.facts:
        ledger.add(fact)

    found = wishes(ledger.records.values())

    assert found == Wishes(same=frozenset({pair("A", "B")}), different=frozenset({pair("A", "C")}))


def test_a_third_record_does_not_undo_what_a_person_set_apart() -> None:
    """A and B are different, a person said; that C shares their chain does not make them one, and is a finding."""
    a, b, c = (care(name, hubs=H1) for name in "ABC")
    wishes_ = Wishes(different=frozenset({(a.key, b.key)}))

    groups, notes = made(a, b, c, decided=wishes_)

    assert "ABC" not in groups
    assert not any({"A", "B"} <= set(group) for group in groups)
    assert "ambiguous-match" in notes
