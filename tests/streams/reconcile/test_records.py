"""From facts to records: which version speaks, which receipt counts, which retraction stands."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import permutations

import msgspec
import pytest

from contracts.fact import Fact, Origin, make_fact
from contracts.facts.correction import Retraction
from contracts.values import Identifier
from streams.command.knowledge import reconciler
from streams.reconcile.policy import default_rules
from streams.reconcile.records import Ledger
from streams.simulate.world import simulate
from tests.streams.reconcile.history import history

A = Identifier(system="primary-care", value="A")
RECORDED = datetime(2026, 1, 1, tzinfo=UTC)
TOLD = ("2026-01-01 primary care prescribes Furix 40 mg, 1 x 1, as A",)


def ledger(facts: Iterable[Fact]) -> Ledger:
    """Return a ledger that took the facts in, in their order."""
    made = Ledger(default_rules())
    for fact in facts:
        made.add(fact)
    return made


def test_the_earliest_receipt_of_a_fact_counts() -> None:
    """A fact received twice keeps its earliest receipt in its record, whichever came first, and changes no other fact."""
    first, second = history(*TOLD, "2026-01-05 primary care changes A, 2 x 1").facts
    early = msgspec.structs.replace(first, received_at=first.received_at.replace(year=2025))

    made = ledger([first, second, early])
    turned = ledger([early, second, first])

    assert [f.received_at for f in made.records[A].versions] == [early.received_at, second.received_at]
    assert made.records[A].fact_ids == (first.id, second.id)
    assert turned.records[A].versions == made.records[A].versions
    assert made[first.id].received_at == early.received_at


def test_a_numbered_version_speaks_before_one_without_number() -> None:
    """What a source numbers is newer than what it did not, whenever it was recorded."""
    patient = history(
        "2026-01-01 primary care prescribes Furix 40 mg, 1 x 1, version 1, as A",
        "2026-01-05 primary care changes A, 2 x 1",
    )

    made = ledger(patient.facts)

    assert made.records[A].newest.version == 1


def test_version_zero_is_a_number() -> None:
    """A source that counts from zero: 1 is newer than 0, although 0 was recorded later."""
    patient = history(
        "2026-01-01 primary care prescribes Furix 40 mg, 1 x 1, version 1, as A",
        "2026-01-05 primary care changes A, 2 x 1, version 0",
    )

    made = ledger(patient.facts)

    assert made.records[A].newest.version == 1


def test_a_fact_that_nobody_knows_is_not_live() -> None:
    """An id that was never received speaks for nothing."""
    made = ledger(history(*TOLD).facts)

    assert not made.is_live("unheard-of")


def test_a_retraction_without_version_takes_every_version() -> None:
    """A record whose versions are numbered is gone when its source retracts it as a whole."""
    patient = history(
        "2026-01-01 primary care prescribes Furix 40 mg, 1 x 1, version 1, as A",
        "2026-01-05 primary care changes A, 2 x 1, version 2",
        "2026-01-06 primary care retracts A",
    )

    assert patient.the_list("2026-01-10") == []


@pytest.mark.parametrize("named", ["", ", version 1"])
def test_a_retraction_of_a_retraction_counts_by_record_and_by_version(named: str) -> None:
    """A retraction is itself retracted as a whole, or in the version it had; the record is back."""
    patient = history(
        *TOLD,
        "2026-01-05 primary care retracts A, as R" + (", version 1" if named else ""),
        f"2026-01-06 primary care retracts R{named}",
    )

    made = ledger(_by_record(patient.facts))

    assert A in made.records


def _by_record(facts: Iterable[Fact]) -> list[Fact]:
    """Return facts of which the first retraction names the whole record A, whatever version it has itself."""
    return [
        msgspec.structs.replace(f, content=msgspec.structs.replace(f.content, version=None))
        if f.source_id == "R"
        else f
        for f in facts
    ]


def test_a_retraction_three_deep_retracts_again() -> None:
    """Taking back that one took back a retraction makes the retraction count again."""
    patient = history(
        *TOLD,
        "2026-01-05 primary care retracts A, as R",
        "2026-01-06 primary care retracts R, as S",
        "2026-01-07 primary care retracts S, as T",
    )

    for told in permutations(patient.facts):
        assert A not in ledger(told).records


def test_a_circle_of_retractions_retracts_nothing() -> None:
    """Two retractions that name each other take neither away: what the record of the one retracted before is still gone."""
    patient = history(
        *TOLD,
        "2026-01-05 primary care retracts A, as R",
        "2026-01-06 primary care retracts S, as R",
        "2026-01-06 primary care retracts R, as S",
    )

    for told in permutations(patient.facts):
        assert ledger(told).records.keys() == set()


def test_two_retractions_of_one_record_are_one() -> None:
    """A record that is retracted twice is gone, and told as retracted by the same fact in every order."""
    patient = history(*TOLD, "2026-01-05 primary care retracts A, as R", "2026-01-06 primary care retracts A, as S")
    by = min(fact.id for fact in patient.facts[1:])

    for told in permutations(patient.facts):
        assert [(fact.id, killer) for fact, killer in ledger(told).retracted()] == [(patient.facts[0].id, by)]


def test_every_foreign_retraction_is_told() -> None:
    """Two retractions of another source's record are two findings, in the same order in every order."""
    patient = history(*TOLD, "2026-01-05 hospital retracts A, as R", "2026-01-06 hospital retracts A, as S")
    expected = sorted(fact.id for fact in patient.facts[1:])

    for told in permutations(patient.facts):
        assert [fact.id for fact in ledger(told).foreign_retractions] == expected


def test_two_versions_of_one_number_are_disputed() -> None:
    """A record of two facts only, which claim one version, is disputed."""
    patient = history(
        "2026-01-01 primary care prescribes Furix 40 mg, 1 x 1, version 1, as A",
        "2026-01-01 primary care changes A, 2 x 1, version 1",
    )

    assert patient.findings("2026-01-10") == ["versions-disputed"]


def test_a_source_that_gives_two_kinds_of_things_one_id_stops_nobody() -> None:
    """Its stays and its orders are numbered alike: the later one speaks, and the list is made."""
    patient = history(
        "2026-01-01 hospital admits, as A",
        "2026-01-02 primary care prescribes Furix 40 mg, 1 x 1, as A",
    )

    assert {fact.source_id for fact in patient.facts} == {"A"}
    assert patient.the_list("2026-01-10") == ["Furix 40 mg: active, 40 mg a day"]


def of_every_kind() -> list[Fact]:
    """A fact of each kind that the simulated region has, the first of each."""
    found: dict[type, Fact] = {}
    for index in range(40):
        for fact in simulate(20260322, index).facts:
            found.setdefault(type(fact.content), fact)
    return [found[kind] for kind in sorted(found, key=lambda kind: kind.__name__)]


@pytest.mark.parametrize(
    "pair", list(permutations(of_every_kind(), 2)), ids=lambda pair: "-".join(f.type for f in pair)
)
def test_versions_of_two_kinds_make_one_list_in_every_order(pair: tuple[Fact, Fact]) -> None:
    """The newest says what the record is; the other stands on no line, and both are told of."""
    older, newer = (
        make_fact(
            Origin(source="hospital", source_id="A", patient="P", recorded_at=RECORDED + timedelta(hours=hours)),
            one.content,
            RECORDED + timedelta(days=1),
        )
        for hours, one in enumerate(pair)
    )

    lists = [
        reconciler().derive("P", facts, RECORDED + timedelta(days=2)) for facts in ((older, newer), (newer, older))
    ]

    by_bits = reconciler().patient("P")
    for fact in (older, newer):
        by_bits.add([fact])
        by_bits.list_at(RECORDED)
    assert lists[0] == lists[1] == by_bits.list_at(RECORDED + timedelta(days=2), every_fact=True)
    told = {one.fact for one in lists[0].unattached} | {fact for item in lists[0].items for fact in item.facts}
    assert told == {older.id, newer.id} or Retraction in {type(one.content) for one in pair}
