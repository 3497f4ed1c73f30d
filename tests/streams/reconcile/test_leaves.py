"""Where a dose given or handed out belongs: its reference first, then product and time, else nowhere, with the reason."""

from typing import Any

import pytest

from contracts.facts.administration import Administration
from contracts.values import Identifier, Medication
from streams.reconcile.entries import Entry
from streams.reconcile.leaves import Attacher, Leaf, Place
from streams.reconcile.profile import Profile
from streams.reconcile.records import Record
from tests.streams.reconcile.clauses import moment
from tests.streams.reconcile.entry import FUROSEMIDE, RULES, code, codes, entry, product

DRUG = product(**FUROSEMIDE, tokens=frozenset({"furosemide"}))
CONTENT = Administration(
    person=code("p"),
    medication=Medication(kind="free-text"),
    status="completed",
    outcome="given",
    setting="municipal",
)
OTHER = product(substances=frozenset({"enalapril"}), tokens=frozenset({"enalapril"}))


def order(name: str, start: str = "2026-01-10", end: str | None = "2026-02-01", **said: Any) -> Entry:
    """Return a prescription of furosemide that is in force for three weeks, unless said otherwise."""
    return entry(name, start, end, **{"profile": DRUG, **said})


def place(
    at: str, *lines: Entry, of: Profile = DRUG, source: str = "municipal", names: frozenset[Identifier] = frozenset()
) -> Place:
    """Return where a dose goes among lines of one entry each, every one a treatment of its own."""
    record = Record(Identifier(system=source, value="D"), ())
    leaf = Leaf(record, CONTENT, "administration", of, moment(at), names, given=True)
    return Attacher([[line] for line in lines], list(range(len(lines))), RULES).place(leaf)


def test_a_reference_decides_between_lines_that_are_alike() -> None:
    """A dose that names a record, or an id that the record carries, belongs there, also before and after its time."""
    lines = order("A"), order("B", hubs=codes("h1"))

    assert place("2026-01-15", *lines, names=frozenset({lines[1].key})) == Place(1, "REFERENCE")
    assert place("2026-01-15", *lines, names=codes("h1")) == Place(1, "REFERENCE")
    assert place("2027-01-15", *lines, names=frozenset({lines[0].key})) == Place(0, "REFERENCE")


def test_a_reference_to_another_drug_is_not_used() -> None:
    """A dose goes by its product where the record that it names is of another drug, and that is noticed."""
    lines = order("A", profile=OTHER), order("B")

    found = place("2026-01-15", *lines, names=frozenset({lines[0].key}))

    assert (found.line, found.rule) == (1, "PRODUCT_AND_TIME")
    assert [note.code for note in found.notes] == ["reference-contradicts-substance"]


def test_a_reference_to_two_treatments_joins_neither_by_reference() -> None:
    """Two orders of two treatments named by one dose is noticed."""
    lines = order("A"), order("B")

    found = place("2026-01-15", *lines, names=frozenset(line.key for line in lines))

    assert found.line is None
    assert "reference-to-several" in [note.code for note in found.notes]


@pytest.mark.parametrize(
    ("at", "line"),
    [
        ("2026-01-08 23:59", None),
        ("2026-01-09", 0),
        ("2026-02-02", 0),
        ("2026-02-16", 0),
        ("2026-02-16 00:01", None),
    ],
)
def test_how_long_before_and_after_an_order_a_dose_belongs_to_it(at: str, line: int | None) -> None:
    """From a day before its start to the days after its end that the rules allow; outside that no order explains it."""
    assert place(at, order("A")) == Place(line, "no-order" if line is None else "PRODUCT_AND_TIME")


def test_a_line_in_force_counts_before_one_that_has_ended() -> None:
    """Within the days after one line's end, a dose belongs to the line that is in force."""
    ended, going_on = order("A"), order("B", "2026-01-20", None)

    assert place("2026-02-02 00:01", ended, going_on).line == 1
    assert place("2026-02-02", ended, going_on).rule == "ambiguous"


def test_a_tie_attaches_to_none() -> None:
    """Two lines that are alike: the dose goes to neither, and both are named."""
    lines = order("A"), order("B")

    found = place("2026-01-15", *lines)

    assert (found.line, found.rule) == (None, "ambiguous")
    (note,) = found.notes
    assert (note.code, note.records, note.detail) == (
        "ambiguous-match",
        (lines[0].key, lines[1].key),
        (("what", "supplied or given"),),
    )


def test_its_own_source_breaks_a_tie() -> None:
    """Home care's dose belongs to home care's order where another source has one that is alike."""
    assert place("2026-01-15", order("A"), order("B", source="municipal")).line == 1


def test_the_strength_counts_before_the_source() -> None:
    """The line of the strength that was given is the one, whoever ordered it."""
    strong = product(**FUROSEMIDE, tokens=frozenset({"furosemide"}), strengths=(("furosemide", 40, "mg"),))

    assert place("2026-01-15", order("A", profile=strong), order("B", source="municipal"), of=strong).line == 0


@pytest.mark.parametrize("known", [{"matchable": False, "tokens": frozenset({"furosemide"})}, {}])
def test_free_text_is_never_matched(known: dict[str, Any]) -> None:
    """A dose in free text, or of which nothing is known, goes nowhere."""
    assert place("2026-01-15", order("A"), of=product(**known)) == Place(None, "free-text")


def test_another_drug_and_what_was_never_valid_explain_nothing() -> None:
    """No line of the drug, or only a cancelled one: no order explains the dose."""
    assert place("2026-01-15", order("A", profile=OTHER)) == Place(None, "no-order")
    assert place("2026-01-15", order("A", never_valid=True)) == Place(None, "no-order")


@pytest.mark.parametrize(("route", "line"), [("oral", 0), ("rectal", None), (None, None)])
def test_a_dose_without_a_form_fits_by_substance_and_route(route: str | None, line: int | None) -> None:
    """A dose that tells its substance and route but no form fits a line of that substance and route."""
    vague = product(**{**FUROSEMIDE, "form_group": None, "route": route, "tokens": frozenset({"furosemide"})})

    assert place("2026-01-15", order("A"), of=vague).line == line


def test_a_statement_tells_of_the_time_until_it_was_made() -> None:
    """A row written on the 15th explains doses until then and the days after that, not those of its whole period."""
    row = order("A", "2026-01-10", None, kind="list_row", said_at=moment("2026-01-15"))

    assert place("2026-01-30", row).line == 0
    assert place("2026-01-30 00:01", row).line is None
