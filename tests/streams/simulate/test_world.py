"""The world: always the same, honest, and as messy as it says."""

from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import pairwise
from pathlib import Path

import pytest

from contracts.envelope import decode_fact, encode_fact
from contracts.fact import Fact, Origin, make_fact
from contracts.facts.base import TreatmentContent
from contracts.facts.correction import Retraction
from contracts.medication_list import ItemState
from mappings.codes.products import PRODUCTS
from streams.simulate.kinds import KINDS
from streams.simulate.truth import Truth
from streams.simulate.world import Simulated, generate, simulate


def test_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    """Two worlds of one seed are equal, another seed's is another."""
    for name, seed in (("one", 5), ("two", 5), ("other", 6)):
        generate(8, seed, tmp_path / name)

    files = {
        name: [(tmp_path / name / file).read_bytes() for file in ("facts.ndjson", "truth.json")]
        for name in ("one", "two", "other")
    }

    assert files["one"] == files["two"]
    assert files["one"][0] != files["other"][0]


def test_more_patients_leave_the_first_as_they_are() -> None:
    """A patient depends on the seed and their own number alone."""
    assert simulate(5, 3) == simulate(5, 3)
    assert simulate(5, 3).patient != simulate(5, 4).patient


def test_file_has_one_event_per_line_in_the_order_of_arrival(directory: Path, truth: Truth) -> None:
    """Every line is a fact that reads back as it was written; times of receipt never fall."""
    lines = (directory / "facts.ndjson").read_bytes().splitlines()

    facts = [decode_fact(line) for line in lines]

    assert [encode_fact(fact) for fact in facts] == lines
    assert all(one.received_at <= other.received_at for one, other in pairwise(facts))
    assert truth.known_at == facts[-1].received_at
    assert {fact.patient for fact in facts} == set(truth.patients)


def test_ids_are_those_that_an_intake_would_derive(world: tuple[Simulated, ...]) -> None:
    """A fact's id follows from what it says."""
    for fact in (fact for simulated in world[:10] for fact in simulated.facts):
        origin = Origin(**{name: getattr(fact, name) for name in Origin.__struct_fields__})

        assert make_fact(origin, fact.content, fact.received_at) == fact


def test_truth_tells_of_every_fact_exactly_once(world: tuple[Simulated, ...]) -> None:
    """A fact belongs to one course, or to none, or was taken back."""
    for simulated in world:
        told = Counter(
            [fact for group in simulated.truth.groups for fact in group.facts]
            + [*simulated.truth.unattached, *simulated.truth.retracted]
        )

        assert set(told) == {fact.id for fact in simulated.facts}
        assert set(told.values()) <= {1}


def test_records_never_belong_to_two_courses(world: tuple[Simulated, ...]) -> None:
    """All versions of one record are about one course."""
    for simulated in world:
        records = Counter(record for group in simulated.truth.groups for record in group.records)

        assert set(records.values()) <= {1}


def test_references_never_contradict_the_truth_unless_their_substances_tell(world: tuple[Simulated, ...]) -> None:
    """Whatever the sources state as one treatment is one in truth, wrong references to other drugs aside."""
    for simulated in world:
        owner = {fact: group.id for group in simulated.truth.groups for fact in group.facts}
        facts = {(f.source, f.source_id): f for f in simulated.facts if f.id in owner}
        known = {
            identifier: fact
            for fact in facts.values()
            if isinstance(fact.content, TreatmentContent)
            for identifier in ((i.system, i.value) for i in fact.content.identifiers)
        } | facts
        for one, other in _references(facts.values(), known):
            assert owner[one.id] == owner[other.id] or _no_common_substance(one, other)


def test_chains_never_join_two_courses(world: tuple[Simulated, ...]) -> None:
    """A prescription chain is one course."""
    for simulated in world:
        owner = {fact: group.id for group in simulated.truth.groups for fact in group.facts}
        chains: dict[tuple[str, str], set[str]] = {}
        for fact in simulated.facts:
            if isinstance(fact.content, TreatmentContent) and fact.id in owner:
                for reference in fact.content.references:
                    if reference.role == "chain":
                        chains.setdefault((reference.target.system, reference.target.value), set()).add(owner[fact.id])

        assert all(len(courses) == 1 for courses in chains.values())


def test_states_are_asked_for_within_the_known_world(world: tuple[Simulated, ...]) -> None:
    """Probes name groups that exist."""
    for simulated in world:
        groups = {group.id for group in simulated.truth.groups}

        assert {probe.group for probe in simulated.truth.states} <= groups


@pytest.fixture(scope="module")
def many() -> tuple[Simulated, ...]:
    """Enough patients for the rare kinds."""
    return tuple(simulate(3, index) for index in range(500))


def test_every_kind_of_mess_occurs(many: tuple[Simulated, ...]) -> None:
    """Nothing that the table of kinds describes is missing, and nothing occurs that it does not describe."""
    occurring = {kind for one in many for group in one.truth.groups for kind in group.kind_of_mess}

    assert occurring == set(KINDS)


def test_every_state_is_asked_for(many: tuple[Simulated, ...]) -> None:
    """The probes reach every state of the lifecycle."""
    states: set[ItemState] = {probe.state for one in many for probe in one.truth.states}

    assert states == {"planned", "active", "paused", "ended", "cancelled", "dormant", "unknown"}


def test_volume_is_a_regions_mix(many: tuple[Simulated, ...]) -> None:
    """Sixty to a hundred facts per patient on average, half the patients with few, and a long tail."""
    sizes = sorted(len(one.facts) for one in many)

    assert 60 <= sum(sizes) / len(sizes) <= 110
    assert sizes[len(sizes) // 2] < 60
    assert sizes[-1] > 1_000


def test_messages_arrive_twice_late_and_before_what_they_take_back(many: tuple[Simulated, ...]) -> None:
    """Duplicates, late deliveries and retractions ahead of their originals are in the stream."""
    facts = [fact for one in many for fact in one.facts]
    retractions = {
        (fact.source, fact.content.target.value): fact for fact in facts if isinstance(fact.content, Retraction)
    }

    assert len({fact.id for fact in facts}) < len(facts)
    assert any((f.received_at - f.recorded_at).total_seconds() > 3600 for f in facts if f.recorded_at is not None)
    assert any(
        retraction.received_at < fact.received_at
        for fact in facts
        if (retraction := retractions.get((fact.source, fact.source_id))) is not None
    )


def _references(facts: Iterable[Fact], known: Mapping[tuple[str, str], Fact]) -> Iterable[tuple[Fact, Fact]]:
    for fact in facts:
        if isinstance(fact.content, TreatmentContent):
            for reference in fact.content.references:
                target = (reference.target.system, reference.target.value)
                if target in known:
                    yield fact, known[target]


def _no_common_substance(one: Fact, other: Fact) -> bool:
    substances = [_substances(fact) for fact in (one, other)]
    return all(substances) and substances[0].isdisjoint(substances[1])


def _substances(fact: Fact) -> set[str]:
    content = fact.content
    if not isinstance(content, TreatmentContent):
        return set()
    product = PRODUCTS.get(content.medication.npl_id or "")
    return {part.substance for part in (product.ingredients if product else content.medication.ingredients)}
