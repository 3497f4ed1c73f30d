"""Whose word counts, and what happens when the rules leave it to a person."""

from importlib.resources import files

import pytest

from streams.reconcile.policy import Rules, RulesError, parse_rules
from tests.streams.reconcile.history import history

FOLDER = files("streams.reconcile") / "rules"
TOML, TABLE = (FOLDER / "default.toml").read_text(), (FOLDER / "precedence.csv").read_text()
TWO_DOSES = (
    "2026-01-01 primary care orders Furix 40 mg, 1 x 1, as A",
    "2026-01-05 hospital orders Furix 40 mg, 2 x 1, as B",
)


def ruled(*verdicts: tuple[str, str]) -> Rules:
    """The package's rules with other verdicts: ``(line of the table without verdict, verdict)``."""
    table = TABLE.splitlines()
    for pair, verdict in verdicts:
        (number,) = [n for n, text in enumerate(table) if text.startswith(pair + ",")]
        table[number] = f"{pair},{verdict}"
    return parse_rules(TOML.encode(), "\n".join(table).encode())


def test_an_order_goes_before_a_prescription() -> None:
    """Intended and prescribed dose differ: the order's dose is the line's, both are shown, and it is a conflict."""
    patient = history(
        "2026-01-01 hospital orders Furix 40 mg, 2 x 1, as O",
        "2026-01-01 hospital prescribes Furix 40 mg, 1 x 1, for O, as P",
    )

    item = patient.item("2026-01-10")
    assert patient.the_list("2026-01-10") == ["Furix 40 mg: active, 80 mg a day"]
    assert item.layers["prescribed"].daily_dose != item.layers["intended"].daily_dose
    assert item.because["dosage"].rule == "PRECEDENCE_TABLE"
    assert patient.findings("2026-01-10") == ["dose-differs"]


def test_among_equals_the_latest_decision_counts() -> None:
    """Two out-patient orders: the later decided dose is shown, with the rule that chose it and the fact it is from."""
    patient = history(*TWO_DOSES)

    because = patient.item("2026-01-10").because["dosage"]
    assert (because.rule, because.facts) == ("LATEST_DECISION", (patient.says("B"),))


def test_what_the_rules_leave_to_a_person_has_no_value() -> None:
    """Undecided: no dose is shown, all candidates are named, and a person is asked."""
    patient = history(*TWO_DOSES, rules=ruled(("dosage,outpatient_order,outpatient_order", "undecided")))

    assert patient.the_list("2026-01-10") == ["Furix 40 mg: active, undecided dosage"]
    assert set(patient.item("2026-01-10").because["dosage"].facts) == {patient.says("A"), patient.says("B")}
    assert "field-undecided" in patient.findings("2026-01-10")


def test_a_person_decides_what_the_rules_leave_open() -> None:
    """The choice fills the field, and nothing is asked any more."""
    patient = history(
        *TWO_DOSES,
        "2026-01-10 a person decides for the dosage of B over A",
        rules=ruled(("dosage,outpatient_order,outpatient_order", "undecided")),
    )

    assert patient.the_list("2026-01-20") == ["Furix 40 mg: active, 80 mg a day"]
    assert patient.findings("2026-01-20") == []


def test_a_state_that_is_left_to_a_person_is_unknown() -> None:
    """Undecided states show no state, and do not hide the line."""
    patient = history(
        "2026-01-01 primary care orders Furix 40 mg, 1 x 1, as A",
        "2026-01-05 hospital orders Furix 40 mg, 1 x 1, as B",
        "2026-01-10 hospital pauses B",
        rules=ruled(("state,outpatient_order,outpatient_order", "undecided")),
    )

    assert patient.the_list("2026-01-08") == ["Furix 40 mg: active, 40 mg a day"]
    assert patient.the_list("2026-01-20") == ["Furix 40 mg: unknown, 40 mg a day, undecided state"]
    assert patient.findings("2026-01-20") == ["field-undecided"]


def test_agreement_needs_no_winner() -> None:
    """Sources that say the same are all named as the reason."""
    patient = history(
        "2026-01-01 primary care orders Furix 40 mg, 1 x 1, as A",
        "2026-01-05 hospital orders Furix 40 mg, 1 x 1, as B",
    )

    because = patient.item("2026-01-10").because["dosage"]
    assert because.rule == "ALL_AGREE"
    assert set(because.facts) == {patient.says("A"), patient.says("B")}


def test_a_cycle_of_kinds_is_refused_at_start_up() -> None:
    """A beats B, B beats C, C beats A: the result would depend on the order of comparing."""
    with pytest.raises(RulesError, match="inpatient_order"):
        ruled(("dosage,inpatient_order,prescription", "column"))


def test_every_value_of_the_rules_is_part_of_their_identity() -> None:
    """Other rules have another identity, and the list names the rules that made it."""
    other = ruled(("dosage,outpatient_order,outpatient_order", "undecided"))
    patient = history(*TWO_DOSES, rules=other)

    assert patient.made("2026-01-10").rules == other.identity
    assert other.identity != history(*TWO_DOSES).made("2026-01-10").rules


def test_what_is_reported_counts_only_where_nothing_else_is_known() -> None:
    """The patient says half a tablet, the order one: the order's dose stands, the reported layer shows the other."""
    patient = history(
        "2026-01-01 primary care orders Furix 40 mg, 1 x 1, as A",
        "2026-01-05 hospital notes use of Furix 40 mg, 0.5 x 1, from 2026-01-01",
    )

    item = patient.item("2026-01-10")
    assert patient.the_list("2026-01-10") == ["Furix 40 mg: active, 40 mg a day"]
    reported = item.layers["reported"].daily_dose
    assert reported is not None
    assert reported.value == 20
