"""The lines of one treatment: what is held at once stays on two, and what goes with which."""

from typing import Any

import msgspec
import pytest

from contracts.values import Reference
from streams.reconcile.entries import Entry
from streams.reconcile.records import Record
from streams.reconcile.strands import replacements, strands
from tests.streams.reconcile.entry import FUROSEMIDE, RULES, entry, product
from tests.streams.reconcile.history import history


def lines(*entries: Entry) -> list[str]:
    """Return the names on each line, joined, sorted."""
    return sorted("".join(sorted(e.key.value for e in line)) for line in strands(entries, RULES))


def strong(milligrams: int) -> dict[str, Any]:
    """Return what is known of a product of a strength."""
    return {"strengths": (("furosemide", milligrams, "mg"),)}


@pytest.mark.parametrize(
    ("one", "other", "third", "expected"),
    [
        (strong(1), strong(5), strong(5), ["A", "BC"]),
        (strong(1), strong(5), strong(1), ["AC", "B"]),
        (strong(1), strong(5), strong(2), ["A", "B", "C"]),
        ({"npl_id": "1"}, {"npl_id": "2"}, {"npl_id": "2"}, ["A", "BC"]),
        ({"npl_id": "1"}, {"npl_id": "2"}, {"npl_id": "3"}, ["A", "B", "C"]),
        ({"npl_id": "1"}, {}, {}, ["A", "B", "C"]),
        ({}, {}, {}, ["A", "B", "C"]),
    ],
)
def test_a_third_entry_goes_with_the_parallel_one_of_its_product_or_strength(
    one: dict[str, Any], other: dict[str, Any], third: dict[str, Any], expected: list[str]
) -> None:
    """A source holds two at once; another source's entry is on the line of its own product or strength, else alone."""
    profiles = [product(**FUROSEMIDE, **known) for known in (one, other, third)]

    made = lines(
        entry("A", profile=profiles[0]),
        entry("B", profile=profiles[1]),
        entry("C", source="hospital", profile=profiles[2]),
    )

    assert made == expected


def test_three_held_at_once_are_three_lines() -> None:
    """Every pair of three parallel entries is kept apart, also those of one product."""
    assert lines(*(entry(name, profile=product(npl_id="1")) for name in "ABC")) == ["A", "B", "C"]


def test_an_old_record_that_names_its_successor_is_replaced_by_it() -> None:
    """A source may say it on the old record instead of the new: one line, also while both are in force."""
    old, new = history(
        "2026-01-01 primary care prescribes Furix 40 mg, 1 x 1, as A",
        "2026-02-01 primary care prescribes Furix 40 mg, 2 x 1, as B",
    ).facts
    replaced_by = frozenset({Reference(role="successor", target=entry("B").key)})
    a = entry("A", record=Record(entry("A").key, (old,)), references=replaced_by)
    b = entry("B", record=Record(entry("B").key, (new,)))

    assert replacements([a, b]) == {a.key: [b]}
    assert lines(a, b) == lines(b, a) == ["AB"]
    assert replacements([a, msgspec.structs.replace(b, never_valid=True)]) == {a.key: []}
