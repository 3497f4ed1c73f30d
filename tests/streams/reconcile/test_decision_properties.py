"""Decisions, blocks and retractions among the facts: order, portions and repetition still do not matter."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Final, Literal, get_args

from hypothesis import given
from hypothesis import strategies as st

from contracts.fact import Fact, Origin, make_fact
from contracts.facts.base import TreatmentContent
from contracts.facts.correction import Decision, Retraction
from contracts.facts.person import Block
from contracts.medication_list import encode_list
from contracts.values import Identifier
from streams.command.knowledge import reconciler
from streams.simulate.world import simulate

RECONCILER = reconciler()
SEED: Final = 20260322
MOST_FACTS: Final = 25
KIND = Literal["same-treatment", "different-treatment", "choose-value", "accept"]
FIELDS: Final = ("state", "dosage", "product", "start", "end")
FINDINGS: Final = ("dose-differs", "status-differs", "duplicate-substance", "duplicate-product", "unconfirmed")


@cache
def story(index: int) -> tuple[Fact, ...]:
    """All facts of one simulated patient."""
    return tuple(simulate(SEED, index).facts)


def key(fact: Fact) -> Identifier:
    """The key of a fact's record."""
    return Identifier(system=fact.source, value=fact.source_id)


@st.composite
def with_persons(draw: st.DrawFn) -> list[Fact]:
    """Some facts of one simulated patient, and what persons make of them: decisions, blocks, retractions."""
    facts = story(draw(st.integers(0, 60)))
    start = draw(st.integers(0, max(0, len(facts) - 1)))
    kept = [f for f in facts[start : start + MOST_FACTS] if not isinstance(f.content, Block)]
    about = [fact for fact in kept if isinstance(fact.content, TreatmentContent)]
    if not about:
        return kept
    said = [draw(decisions(about, number)) for number in range(draw(st.integers(1, 4)))]
    blocked, corrected = draw(st.booleans()), draw(st.booleans())
    if blocked:
        said.append(draw(blocks(about)))
    if corrected:
        said.append(taken_back(draw(st.sampled_from([*about, *said]))))
    return [*kept, *said]


@st.composite
def decisions(draw: st.DrawFn, about: Sequence[Fact], number: int) -> Fact:
    """A decision on some records, on the basis of everything or of a part."""
    records = draw(st.lists(st.sampled_from(about), min_size=1, max_size=3))
    basis = about if draw(st.booleans()) else draw(st.lists(st.sampled_from(about), max_size=10))
    content = Decision(
        person=about[0].content.person,
        kind=draw(st.sampled_from(get_args(KIND))),
        records=tuple(sorted({key(fact) for fact in records})),
        basis=tuple(sorted({fact.id for fact in basis})),
        finding=draw(st.sampled_from(FINDINGS)),
        field=draw(st.sampled_from(FIELDS)),
        chosen=key(records[0]),
    )
    at = records[0].received_at
    origin = Origin(source="medlist", source_id=f"decision-{number}", patient=about[0].patient, recorded_at=at)
    return make_fact(origin, content, at)


@st.composite
def blocks(draw: st.DrawFn, about: Sequence[Fact]) -> Fact:
    """A block on a record, set or lifted."""
    fact = draw(st.sampled_from(about))
    content = Block(
        person=fact.content.person,
        status=draw(st.sampled_from(("set", "lifted"))),
        kind="integrity",
        scope="record",
        target=key(fact),
    )
    origin = Origin(source="medlist", source_id="block-1", patient=fact.patient, recorded_at=fact.received_at)
    return make_fact(origin, content, fact.received_at)


def taken_back(fact: Fact) -> Fact:
    """A person's retraction of a record."""
    content = Retraction(person=fact.content.person, target=key(fact))
    origin = Origin(source="medlist", source_id=f"retraction-{fact.source_id}", patient=fact.patient)
    return make_fact(origin, content, fact.received_at)


def a_time(draw: st.DrawFn, facts: Sequence[Fact]) -> datetime:
    """A time around a fact."""
    fact = draw(st.sampled_from(facts))
    return (fact.occurred_at or fact.received_at) + timedelta(hours=draw(st.integers(-400, 4000)))


@given(data=st.data())
def test_what_persons_decide_does_not_depend_on_order(data: st.DataObject) -> None:
    """In any order, in portions, with lists made in between, repeated: the byte-identical list."""
    facts = data.draw(with_persons())
    times = [data.draw(st.composite(a_time)(facts)) for _ in range(2)]
    mixed = [*facts, *data.draw(st.lists(st.sampled_from(facts), max_size=5))]
    data.draw(st.randoms(use_true_random=False)).shuffle(mixed)
    bit_by_bit = RECONCILER.patient(facts[0].patient)
    position = 0
    while position < len(mixed):
        size = data.draw(st.integers(1, 8))
        bit_by_bit.add(mixed[position : position + size])
        bit_by_bit.list_at(data.draw(st.sampled_from(times)))
        position += size

    for when in times:
        at_once = RECONCILER.patient(facts[0].patient)
        at_once.add(facts)

        assert encode_list(bit_by_bit.list_at(when)) == encode_list(at_once.list_at(when))
        assert bit_by_bit.view_at(when).encoded == encode_list(at_once.list_at(when))


@given(data=st.data())
def test_a_decision_taken_back_is_as_never_made(data: st.DataObject) -> None:
    """With every decision retracted the lines and findings are those of a list that nobody decided on."""
    facts = data.draw(with_persons())
    when = data.draw(st.composite(a_time)(facts))
    decided = [fact for fact in facts if isinstance(fact.content, Decision)]
    undecided = [fact for fact in facts if not isinstance(fact.content, Decision)]
    if not undecided:
        return

    corrected = RECONCILER.derive(facts[0].patient, [*facts, *map(taken_back, decided)], when)
    never = RECONCILER.derive(facts[0].patient, undecided, when)

    assert corrected.items == never.items
    assert corrected.findings == never.findings


@given(data=st.data())
def test_nothing_changes_before_the_announced_moment_under_decisions(data: st.DataObject) -> None:
    """Until ``next_change_at`` the list stays the same, whatever persons have decided, blocked or taken back."""
    facts = data.draw(with_persons())
    when = data.draw(st.composite(a_time)(facts))
    made = RECONCILER.derive(facts[0].patient, facts, when)
    until = made.next_change_at or when + timedelta(days=5000)
    share = data.draw(st.floats(0, 0.999))

    assert RECONCILER.derive(facts[0].patient, facts, when + (until - when) * share) == made
