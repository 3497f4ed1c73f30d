"""Lines of doses that no order explains: what makes them one line, and that arrival does not."""

from datetime import timedelta
from itertools import permutations

import msgspec
import pytest

from contracts.fact import Fact, Origin, make_fact
from contracts.facts.administration import Administration
from contracts.values import Identifier, Medication
from streams.reconcile.ids import record_id
from streams.reconcile.leaves import Leaf, make_leaf
from streams.reconcile.policy import default_rules
from streams.reconcile.products import NOTHING_KNOWN
from streams.reconcile.profile import Profiler
from streams.reconcile.records import Record
from streams.reconcile.unordered import UnorderedLines
from tests.streams.reconcile.clauses import moment
from tests.streams.reconcile.history import history
from tests.streams.reconcile.scribe import PATIENT, PERSON

RULES = default_rules()
PROFILER = Profiler(NOTHING_KNOWN, RULES.form_group)
GAP_DAYS = RULES.matching.unordered_gap_days
DAY = moment("2026-06-01")
PLAIN = Medication(kind="registered", text="Specialkapsel", atc="C03CA01", form="tablet")


def dose(name: str, day: float, what: Medication = PLAIN, route: str | None = "oral", recorded: int = 0) -> Leaf:
    """Return a dose that was given some days after the first one; ``recorded``: days after that."""
    at = DAY + timedelta(days=day)
    origin = Origin(
        source="municipal", source_id=name, patient=PATIENT, occurred_at=at, recorded_at=at + timedelta(days=recorded)
    )
    content = Administration(
        person=PERSON, medication=what, route=route, status="completed", outcome="given", setting="municipal"
    )
    fact: Fact = make_fact(origin, content, at)
    return make_leaf(Record(Identifier(system="municipal", value=name), (fact,)), PROFILER)


def lines(*leaves: Leaf) -> dict[str, set[str]]:
    """Return the records on each line, by the id of the line."""
    made = UnorderedLines(RULES)
    for leaf in leaves:
        made.add(leaf)
    return {line.strand: {leaf.record.key.value for leaf in line.leaves()} for line in made.lines()}


def name(leaf: Leaf) -> str:
    """Return the id of a line that is named by a leaf."""
    return record_id(leaf.record.key)


@pytest.mark.parametrize(("days", "count"), [(GAP_DAYS, 1), (-GAP_DAYS, 1), (GAP_DAYS + 0.1, 2), (-GAP_DAYS - 0.1, 2)])
def test_a_gap_that_is_too_long_makes_two_lines(days: float, count: int) -> None:
    """Doses are one line while the gap between them is no longer than the rules allow, whichever came first."""
    assert len(lines(dose("A", 0), dose("B", days))) == count


def test_doses_are_one_line_in_every_order() -> None:
    """Doses each within reach of the next are one line, named by the one recorded first, however they arrive."""
    told = [dose("A", 0), dose("B", 40, recorded=-90), dose("C", 80), dose("D", 120)]

    for arrived in permutations(told):
        assert lines(*arrived) == {name(told[1]): {"A", "B", "C", "D"}}


def test_a_dose_between_two_lines_makes_them_one_and_leaves_others_alone() -> None:
    """A late dose closes one gap; the line on the far side of another gap stays."""
    told = [dose("A", 0), dose("B", 80), dose("C", 200), dose("D", 40)]

    for arrived in permutations(told):
        assert lines(*arrived) == {name(told[0]): {"A", "B", "D"}, name(told[2]): {"C"}}


def test_a_dose_says_which_lines_it_changed() -> None:
    """The first dose of a line changes none; one that joins two changes both."""
    made = UnorderedLines(RULES)
    first, second = dose("A", 0), dose("B", 80)

    assert [made.add(first), made.add(second)] == [[], []]
    assert [line.strand for line in made.add(dose("D", 40))] == [name(first), name(second)]


def test_equally_early_records_are_told_apart_by_their_ids() -> None:
    """Two doses recorded at one moment: the smaller id names the line."""
    a, b = dose("A", 0), dose("B", 0)

    assert list(lines(a, b)) == list(lines(b, a)) == [name(a)]


def _said(**changed: object) -> Medication:
    return msgspec.structs.replace(PLAIN, **changed)


CODES = {code: (Identifier(system="urn:test:code", value=code),) for code in ("Z8", "Z9")}


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ({}, {"atc": "C03CA02"}),
        ({}, {"form": "solution-for-injection"}),
        ({"atc": None, "npl_id": "1"}, {"atc": None, "npl_id": "2"}),
        ({"atc": None, "local_codes": CODES["Z8"]}, {"atc": None, "local_codes": CODES["Z9"]}),
    ],
)
def test_two_products_are_two_lines(left: dict[str, object], right: dict[str, object]) -> None:
    """Doses that differ in substance, ATC code, form, or the only code they have, are never one line."""
    assert len(lines(dose("A", 0, _said(**left)), dose("B", 1, _said(**right)))) == 2


def test_two_routes_are_two_lines() -> None:
    """One product given by mouth and into a vein is two lines."""
    assert len(lines(dose("A", 0), dose("B", 1, route="intravenous"))) == 2


def test_brands_and_strengths_of_one_drug_are_one_line() -> None:
    """Another brand, another pack or another strength of the same drug is the same line."""
    brand = {"npl_id": "1", "text": "One"}, {"npl_id": "2", "text": "Other", "form": "capsule"}

    assert len(lines(dose("A", 0, _said(**brand[0])), dose("B", 1, _said(**brand[1])))) == 1


def test_doses_without_an_order_are_lines_of_the_list() -> None:
    """Home care signs doses that nobody ordered in January and in June: two lines of unknown state."""
    patient = history(
        "2026-01-01 08:00 municipal care gives Furix 40 mg, as A",
        "2026-01-02 08:00 municipal care gives Furosemid Nordic Drugs 40 mg, as B",
        "2026-06-01 08:00 municipal care gives Furix 40 mg, as C",
    )

    assert [patient.members(item) for item in patient.made("2026-06-02").items] in (
        [["A", "B"], ["C"]],
        [["C"], ["A", "B"]],
    )
    assert {item.state for item in patient.made("2026-06-02").items} == {"unknown"}
