"""Person numbers that are changed, merged, and un-merged: a link is a fact, never an edit."""

from typing import Literal

import msgspec

from contracts.fact import Fact, Origin, make_fact
from contracts.facts.correction import Retraction
from contracts.facts.person import IdentityLink
from contracts.systems import PERSONNUMMER, SAMORDNINGSNUMMER
from contracts.values import Identifier
from streams.reconcile.population import lists
from tests.streams.reconcile.clauses import moment
from tests.streams.reconcile.history import RECONCILER, history, line

OLD = Identifier(system=SAMORDNINGSNUMMER, value="196109732393")
NEW = Identifier(system=PERSONNUMMER, value="196101182803")
BEFORE = history("2026-01-01 primary care prescribes Furix 40 mg, 1 x 1, as A")
SINCE = history("2026-02-01 hospital orders Furix 40 mg, 1 x 1, as B", "2026-02-01 hospital orders Eliquis 5 mg, 1 x 2")


def of(patient: str, person: Identifier, facts: tuple[Fact, ...]) -> list[Fact]:
    """The facts as said of another person."""
    return [
        msgspec.structs.replace(fact, patient=patient, content=msgspec.structs.replace(fact.content, person=person))
        for fact in facts
    ]


TOLD = [*of("p-old", OLD, BEFORE.facts), *of("p-new", NEW, SINCE.facts)]


def link(status: Literal["linked", "separate"], version: int, day: str) -> Fact:
    """What is said about the two numbers on a day."""
    content = IdentityLink(person=NEW, other=OLD, other_patient="p-old", status=status, cause="number-changed")
    origin = Origin(source="hospital", source_id="link", patient="p-new", version=version, recorded_at=moment(day))
    return make_fact(origin, content, moment(day))


def the_lists(facts: list[Fact], at: str = "2026-04-01", known_at: str | None = None) -> dict[str, list[str]]:
    """The lines of each person, in words; the same for the facts backwards."""
    known = None if known_at is None else moment(known_at)
    found = [
        {
            made.patient: sorted(line(item) for item in made.items)
            for made in lists(order, RECONCILER, moment(at), known)
        }
        for order in (facts, facts[::-1])
    ]
    assert found[0] == found[1]
    return found[0]


def test_two_numbers_are_two_persons() -> None:
    """Without a link nothing of the one stands on the other's list."""
    assert the_lists(TOLD) == {
        "p-new": ["Eliquis 5 mg: active, 10 mg a day", "Furix 40 mg: active, 40 mg a day"],
        "p-old": ["Furix 40 mg: active, 40 mg a day"],
    }


def test_a_changed_number_makes_one_list() -> None:
    """A coordination number became a person number: one list, under the number that goes on, and one furosemide line."""
    assert the_lists([*TOLD, link("linked", 1, "2026-03-01")]) == {
        "p-new": ["Eliquis 5 mg: active, 10 mg a day", "Furix 40 mg: active, 40 mg a day"]
    }


def test_a_link_needs_confirming() -> None:
    """While a link stands, that the identity was changed is shown for a person to confirm."""
    (made,) = lists([*TOLD, link("linked", 1, "2026-03-01")], RECONCILER, moment("2026-04-01"))

    assert "identity-in-doubt" in {found.code for found in made.findings}


def test_a_merge_that_was_a_mistake_is_undone() -> None:
    """A later version that separates the two gives each person back what was theirs."""
    undone = [*TOLD, link("linked", 1, "2026-03-01"), link("separate", 2, "2026-03-15")]

    assert the_lists(undone) == the_lists(TOLD)
    assert the_lists(undone, known_at="2026-03-10") == the_lists([*TOLD, link("linked", 1, "2026-03-01")])


def test_a_retracted_link_is_as_never_made() -> None:
    """Taking the link back gives both lists back."""
    linked = link("linked", 1, "2026-03-01")
    target = Identifier(system="hospital", value="link")
    origin = Origin(source="hospital", source_id="back", patient="p-new", recorded_at=moment("2026-03-20"))
    back = make_fact(origin, Retraction(person=NEW, target=target), moment("2026-03-20"))

    assert the_lists([*TOLD, linked, back]) == the_lists(TOLD)


def test_what_comes_under_the_old_number_still_arrives() -> None:
    """A system that goes on with the old number reaches the one list."""
    late = history("2026-03-10 municipal care gives Eliquis 5 mg, as G")
    facts = [*TOLD, link("linked", 1, "2026-03-01"), *of("p-old", OLD, late.facts)]

    (made,) = lists(facts, RECONCILER, moment("2026-04-01"))

    (eliquis,) = [item for item in made.items if item.product == "Eliquis 5 mg"]
    assert late.facts[0].id in eliquis.facts
