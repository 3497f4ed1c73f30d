"""The score: right for the truth, and lower for every way of being wrong."""

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

import msgspec
import pytest

from contracts.fact import Fact
from contracts.medication_list import ListItem, MedicationList
from streams.simulate.render import render, render_kinds
from streams.simulate.score import headline, score
from streams.simulate.truth import Truth

Lister = Callable[[Sequence[Fact], Sequence[datetime]], list[MedicationList]]
Change = Callable[[ListItem], ListItem]


@pytest.mark.parametrize("hide_ids", [False, True])
def test_truth_scores_full_marks(directory: Path, oracle: Lister, hide_ids: bool) -> None:  # noqa: FBT001
    """Who knows the truth is right in everything, with ids shown and hidden."""
    result = score(directory, oracle, hide_ids=hide_ids)

    assert (result.precision, result.recall, result.states_right) == (1.0, 1.0, 1.0)
    assert (result.precision_of_links, result.recall_of_links) == (1.0, 1.0)
    assert result.misses == ()
    assert result.patients == 60
    assert result.states > 300


def test_one_treatment_for_everything_finds_all_links_and_many_wrong_ones(directory: Path, oracle: Lister) -> None:
    """Lumping costs precision, and names the wrong merges first."""
    lumped = _changed(oracle, lambda item: msgspec.structs.replace(item, treatment="all"))

    result = score(directory, lumped, hide_ids=False)

    assert result.recall == 1.0
    assert result.precision < 0.7
    assert result.misses[0].kind == "wrong-merge"
    assert result.misses[0].links >= result.misses[1].links


def test_every_fact_alone_finds_only_versions_of_one_record(directory: Path) -> None:
    """An empty list links nothing but what nobody could miss... and that is nothing, since no record is named."""

    def nothing(facts: Sequence[Fact], times: Sequence[datetime]) -> list[MedicationList]:
        return [MedicationList(patient=facts[0].patient, rules="none") for _ in times]

    result = score(directory, nothing, hide_ids=False)

    assert (result.precision, result.recall, result.states_right) == (1.0, 0.0, 0.0)
    assert {miss.kind for miss in result.misses} == {"missed-link", "wrong-state"}


def test_fact_that_the_list_leaves_out_stands_with_its_record(directory: Path, oracle: Lister) -> None:
    """Superseded versions need not be named on the list."""

    def newest(facts: Sequence[Fact], times: Sequence[datetime]) -> list[MedicationList]:
        last = {(fact.source, fact.source_id): fact.id for fact in facts}
        names = set(last.values())
        return [
            msgspec.structs.replace(
                one,
                items=tuple(
                    msgspec.structs.replace(item, facts=tuple(fact for fact in item.facts if fact in names))
                    for item in one.items
                ),
            )
            for one in oracle(facts, times)
        ]

    result = score(directory, newest, hide_ids=False)

    assert (result.precision, result.recall, result.states_right) == (1.0, 1.0, 1.0)


def test_wrong_states_lower_only_the_states(directory: Path, oracle: Lister) -> None:
    """Everything shown as active is right only where it is."""
    active = _changed(oracle, lambda item: msgspec.structs.replace(item, state="active"))

    result = score(directory, active, hide_ids=False)

    assert (result.precision, result.recall) == (1.0, 1.0)
    assert 0.3 < result.states_right < 0.9
    assert {miss.kind for miss in result.misses} == {"wrong-state"}
    assert result.by_kind["cancelled"].states_right == 0.0


def test_split_course_costs_recall_of_its_kinds_alone(directory: Path, oracle: Lister, truth: Truth) -> None:
    """Administrations and dispensings count as links too; other kinds keep their figures."""
    chosen = {
        (patient, group.id)
        for patient, of_patient in truth.patients.items()
        for group in of_patient.groups
        if "pause" in group.kind_of_mess
    }

    def split(facts: Sequence[Fact], times: Sequence[datetime]) -> list[MedicationList]:
        return [
            msgspec.structs.replace(
                one, items=tuple(part for item in one.items for part in _halves(item, (one.patient, item.treatment) in chosen))
            )
            for one in oracle(facts, times)
        ]  # fmt: skip

    result = score(directory, split, hide_ids=False)

    assert result.precision == 1.0
    assert result.recall < 1.0
    assert (result.by_kind["pause"].recall or 0.0) < 0.7
    assert result.by_kind["cancelled"].recall == 1.0
    assert {miss.kind for miss in result.misses} == {"missed-link"}


def test_text_that_names_no_drug_belongs_to_nothing(directory: Path, oracle: Lister, truth: Truth) -> None:
    """Linking a note to a treatment is a wrong link."""

    def eager(facts: Sequence[Fact], times: Sequence[datetime]) -> list[MedicationList]:
        extra = truth.patients[facts[0].patient].unattached
        return [
            msgspec.structs.replace(
                one,
                items=(msgspec.structs.replace(one.items[0], facts=(*one.items[0].facts, *extra)), *one.items[1:]),
            )
            for one in oracle(facts, times)
        ]

    result = score(directory, eager, hide_ids=False)

    assert result.precision < 1.0
    assert all("no drug named" in miss.groups for miss in result.misses)


def test_retracted_fact_on_the_list_is_a_miss(directory: Path, oracle: Lister, truth: Truth) -> None:
    """What a source took back stands on no line."""

    def stubborn(facts: Sequence[Fact], times: Sequence[datetime]) -> list[MedicationList]:
        extra = truth.patients[facts[0].patient].retracted
        return [
            msgspec.structs.replace(
                one,
                items=(msgspec.structs.replace(one.items[0], facts=(*one.items[0].facts, *extra)), *one.items[1:]),
            )
            for one in oracle(facts, times)
        ]

    result = score(directory, stubborn, hide_ids=False)

    assert {miss.kind for miss in result.misses} == {"retracted-shown"}


def test_fact_on_two_treatments_is_a_miss(directory: Path, oracle: Lister) -> None:
    """A fact belongs to one treatment."""

    def doubled(facts: Sequence[Fact], times: Sequence[datetime]) -> list[MedicationList]:
        return [
            msgspec.structs.replace(
                one,
                items=(
                    *one.items,
                    msgspec.structs.replace(one.items[0], treatment="zz", strand="zz", facts=one.items[0].facts[:1]),
                ),
            )
            for one in oracle(facts, times)
        ]

    result = score(directory, doubled, hide_ids=False)

    assert {miss.kind for miss in result.misses} == {"in-two-treatments"}
    assert len(result.misses) == 60


def test_headline_is_one_line_of_json_without_misses(directory: Path, oracle: Lister) -> None:
    """A script reads the last line."""
    result = score(
        directory, _changed(oracle, lambda item: msgspec.structs.replace(item, state="ended")), hide_ids=True
    )

    line = headline(result)

    assert b"\n" not in line
    figures = json.loads(line)
    assert {"precision", "recall", "states_right", "by_kind", "hide_ids"} <= set(figures)
    assert "misses" not in figures
    assert figures["by_kind"]["pause"]["recall"] == 1.0


def test_report_shows_figures_kinds_and_the_worst_misses(directory: Path, oracle: Lister) -> None:
    """The words carry what the figures say, and no more misses than asked for."""
    result = score(
        directory, _changed(oracle, lambda item: msgspec.structs.replace(item, state="ended")), hide_ids=True
    )

    text = render(result, misses=3)

    assert "60 patients" in text
    assert "ids hidden" in text
    assert "parallel-strengths" in text
    assert text.count("\n- ") == 3
    assert "ended instead of" in text


def test_report_of_kinds_explains_each() -> None:
    """The table names every kind."""
    assert render_kinds().count("\n| ") == 36


def _changed(oracle: Lister, change: Change) -> Lister:
    def reconcile(facts: Sequence[Fact], times: Sequence[datetime]) -> list[MedicationList]:
        return [
            msgspec.structs.replace(one, items=tuple(change(item) for item in one.items))
            for one in oracle(facts, times)
        ]

    return reconcile


def _halves(item: ListItem, split: bool) -> tuple[ListItem, ...]:  # noqa: FBT001
    if not split or len(item.facts) < 2:
        return (item,)
    half = len(item.facts) // 2
    return (
        msgspec.structs.replace(item, facts=item.facts[:half]),
        msgspec.structs.replace(
            item, treatment=f"{item.treatment}b", strand=f"{item.strand}b", facts=item.facts[half:]
        ),
    )
