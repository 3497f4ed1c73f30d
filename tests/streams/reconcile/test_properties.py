"""What must hold for every set of facts: order, repetition, portions, corrections and time change nothing they should not.

Histories come from the simulated region (all its mess included) and are cut down, shuffled and repeated by hypothesis.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from contracts.fact import Fact, Origin, make_fact
from contracts.facts.correction import Retraction
from contracts.facts.person import Block, IdentityLink
from contracts.facts.prescribing import Order
from contracts.medication_list import MedicationList, encode_list
from contracts.values import Identifier
from streams.command.knowledge import reconciler
from streams.reconcile.patient import LIST_BYTES
from streams.reconcile.population import lists
from streams.reconcile.state import PatientState
from streams.simulate.world import simulate

RECONCILER = reconciler()
SEED = 20260322
MOST_FACTS = 30


@cache
def story(index: int) -> tuple[Fact, ...]:
    """All facts of one simulated patient."""
    return tuple(simulate(SEED, index).facts)


@st.composite
def histories(draw: st.DrawFn) -> list[Fact]:
    """Some facts of one simulated patient, in their order of arrival."""
    facts = story(draw(st.integers(0, 60)))
    start = draw(st.integers(0, max(0, len(facts) - 1)))
    return list(facts[start : start + draw(st.integers(1, MOST_FACTS))])


def a_time(draw: st.DrawFn, facts: Sequence[Fact]) -> datetime:
    """A time around a fact."""
    fact = draw(st.sampled_from(facts))
    return (fact.occurred_at or fact.received_at) + timedelta(hours=draw(st.integers(-400, 4000)))


def mixed(data: st.DataObject, facts: Sequence[Fact]) -> list[Fact]:
    """The facts in some other order."""
    copy = list(facts)
    data.draw(st.randoms(use_true_random=False)).shuffle(copy)
    return copy


def the_list(facts: Sequence[Fact], when: datetime) -> bytes:
    """Bytes of the list from scratch."""
    return encode_list(RECONCILER.derive(facts[0].patient, facts, when))


@given(data=st.data())
def test_order_and_repetition_do_not_matter(data: st.DataObject) -> None:
    """Any order, any duplication gives the byte-identical list."""
    facts = data.draw(histories())
    when = data.draw(st.composite(a_time)(facts))
    repeated = [*facts, *data.draw(st.lists(st.sampled_from(facts), max_size=10))]
    shuffled = mixed(data, repeated)

    assert the_list(shuffled, when) == the_list(facts, when)


@given(data=st.data())
def test_portions_do_not_matter(data: st.DataObject) -> None:
    """Facts in portions, with lists made in between at any times, give the byte-identical list as all facts at once."""
    facts = data.draw(histories())
    times = [data.draw(st.composite(a_time)(facts)) for _ in range(3)]
    shuffled = mixed(data, facts)
    bit_by_bit = RECONCILER.patient(facts[0].patient)
    position = 0
    while position < len(shuffled):
        size = data.draw(st.integers(1, 8))
        bit_by_bit.add(shuffled[position : position + size])
        bit_by_bit.list_at(data.draw(st.sampled_from(times)))
        position += size
    for when in times:
        at_once = RECONCILER.patient(facts[0].patient)
        at_once.add(facts)

        assert encode_list(bit_by_bit.list_at(when)) == encode_list(at_once.list_at(when))
        assert bit_by_bit.view_at(when).encoded == encode_list(at_once.list_at(when))


@given(data=st.data())
def test_rows_restore_the_patient(data: st.DataObject) -> None:
    """State written as rows and read back gives the same list and the same rows, whatever the order of arrival."""
    facts = data.draw(histories())
    when = data.draw(st.composite(a_time)(facts))
    state = PatientState(facts[0].patient, RECONCILER)
    for fact in mixed(data, facts):
        state.add((fact,))
    restored = PatientState(facts[0].patient, RECONCILER, state.rows())
    other_order = PatientState(facts[0].patient, RECONCILER)
    other_order.add(facts)

    assert restored.rows() == state.rows() == other_order.rows()
    assert restored.patient.view_at(when).encoded == state.patient.view_at(when).encoded


@given(data=st.data())
def test_a_late_fact_takes_its_place(data: st.DataObject) -> None:
    """Asked for what was known before a late fact, the list is as if it had never come; asked for now, as if in time."""
    facts = data.draw(histories())
    when = data.draw(st.composite(a_time)(facts))
    late = data.draw(st.sampled_from(facts))
    last = max(fact.received_at for fact in facts)
    delayed = msgspec.structs.replace(late, received_at=last + timedelta(days=3))
    others = [fact for fact in facts if fact.id != late.id]
    with_late = [*others, delayed]

    assert the_list(with_late, when) == the_list(facts, when)
    if others:
        known = RECONCILER.derive(facts[0].patient, with_late, when, known_at=last)
        assert known.items == RECONCILER.derive(facts[0].patient, others, when).items


@given(data=st.data())
def test_retracted_is_as_never_sent(data: st.DataObject) -> None:
    """Retracting a record gives the lines of a list that never knew it, before or after it came."""
    facts = data.draw(histories())
    when = data.draw(st.composite(a_time)(facts))
    gone = data.draw(st.sampled_from(facts))
    if isinstance(gone.content, Retraction):
        return
    retraction = retract(gone)
    without = [fact for fact in facts if (fact.source, fact.source_id) != (gone.source, gone.source_id)]
    with_retraction = mixed(data, [*facts, retraction])

    corrected = RECONCILER.derive(facts[0].patient, with_retraction, when)
    never_sent = RECONCILER.derive(facts[0].patient, without, when)
    assert corrected.items == never_sent.items
    assert corrected.findings == never_sent.findings
    assert {u.fact for u in corrected.unattached} == {u.fact for u in never_sent.unattached} | {retraction.id}


@given(data=st.data())
def test_every_live_fact_stands_in_one_place(data: st.DataObject) -> None:
    """Every live fact stands in exactly one line, or under unattached, once."""
    facts = data.draw(histories())
    when = data.draw(st.composite(a_time)(facts))

    made = RECONCILER.derive(facts[0].patient, facts, when)

    places = [fact for item in made.items for fact in item.facts] + [u.fact for u in made.unattached]
    assert len(places) == len(set(places))
    assert set(places) <= {fact.id for fact in facts}
    if not any(isinstance(fact.content, Retraction) for fact in facts):
        assert set(places) == {fact.id for fact in facts}


@given(data=st.data())
def test_merged_and_unmerged_persons_are_as_before(data: st.DataObject) -> None:
    """Linking two person numbers makes one list of both; retracting the link gives both lists back, byte for byte."""
    one, other = (story(data.draw(st.integers(low, low + 20)))[:MOST_FACTS] for low in (0, 61))
    when = data.draw(st.composite(a_time)(one))
    link = link_of(one[0], other[0])
    unlink = retract(link)

    before = lists_by_patient([*one, *other], when)
    merged = lists_by_patient(mixed(data, [*one, *other, link]), when)
    after = lists_by_patient(mixed(data, [*one, *other, link, unlink]), when)

    assert set(merged) == {one[0].patient}
    assert all_facts(merged) == all_facts(before) | {link.id}
    assert {patient: made.items for patient, made in after.items()} == {
        patient: made.items for patient, made in before.items()
    }


@given(data=st.data())
def test_a_lifted_block_is_as_never_set(data: st.DataObject) -> None:
    """While a block on a source stands, nothing of that source is on the list; lifted, the list is what it was."""
    facts = data.draw(histories())
    when = data.draw(st.composite(a_time)(facts))
    source = data.draw(st.sampled_from(sorted({fact.source for fact in facts})))
    set_, lifted = block(facts[0], source, "set", 1), block(facts[0], source, "lifted", 2)
    others = {fact.id for fact in facts if fact.source != source}

    blocked = RECONCILER.derive(facts[0].patient, mixed(data, [*facts, set_]), when)
    free = RECONCILER.derive(facts[0].patient, mixed(data, [*facts, set_, lifted]), when)

    assert {fact for item in blocked.items for fact in item.facts} <= others
    assert free.items == RECONCILER.derive(facts[0].patient, facts, when).items


@given(data=st.data())
def test_nothing_changes_before_the_announced_moment(data: st.DataObject) -> None:
    """Until ``next_change_at`` the list stays the same, but for that announcement itself."""
    facts = data.draw(histories())
    when = data.draw(st.composite(a_time)(facts))
    made = RECONCILER.derive(facts[0].patient, facts, when)
    until = made.next_change_at or when + timedelta(days=5000)
    share = data.draw(st.floats(0, 0.999))

    later = RECONCILER.derive(facts[0].patient, facts, when + (until - when) * share)

    assert later == made


def retract(fact: Fact) -> Fact:
    """A retraction of the fact's record by its source."""
    origin = Origin(source=fact.source, source_id=f"retraction-of-{fact.source_id}", patient=fact.patient)
    target = Identifier(system=fact.source, value=fact.source_id)
    return make_fact(origin, Retraction(person=fact.content.person, target=target), fact.received_at)


def link_of(goes_on: Fact, taken_in: Fact) -> Fact:
    """A link between two persons."""
    content = IdentityLink(
        person=goes_on.content.person,
        other=taken_in.content.person,
        other_patient=taken_in.patient,
        status="linked",
        cause="merged",
    )
    return make_fact(
        Origin(source="medlist", source_id="link-1", patient=goes_on.patient), content, goes_on.received_at
    )


def block(fact: Fact, source: str, status: str, version: int) -> Fact:
    """A block on a source, set or lifted."""
    content = Block(
        person=fact.content.person,
        status="set" if status == "set" else "lifted",
        kind="integrity",
        scope="source",
        target=Identifier(system="source", value=source),
    )
    origin = Origin(source="medlist", source_id="block-1", patient=fact.patient, version=version)
    return make_fact(origin, content, fact.received_at)


def lists_by_patient(facts: Sequence[Fact], when: datetime) -> dict[str, MedicationList]:
    """The list of each person."""
    return {made.patient: made for made in lists(facts, RECONCILER, when)}


def all_facts(made: dict[str, MedicationList]) -> set[str]:
    """All facts of some lists, on lines or without one."""
    on_lines = {fact for one in made.values() for item in one.items for fact in item.facts}
    return on_lines | {aside.fact for one in made.values() for aside in one.unattached}


def test_a_list_that_no_record_can_hold_says_so() -> None:
    """A source that sends thousands of orders for one patient gets a finding, not a record that stops the stream."""
    facts = [fact for fact in story(0) if isinstance(fact.content, Order)][:1]
    flood = [
        make_fact(
            Origin(source="hospital", source_id=f"flood-{number}", patient=facts[0].patient),
            facts[0].content,
            facts[0].received_at,
        )
        for number in range(900)
    ]
    patient = RECONCILER.patient(facts[0].patient)

    patient.add(flood)
    view = patient.view_at(facts[0].received_at)

    assert [found.code for found in view.medication_list.findings] == ["list-too-large"]
    assert len(view.encoded) <= LIST_BYTES
