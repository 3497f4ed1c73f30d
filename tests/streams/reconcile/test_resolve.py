"""Ids that survive: whatever id a list ever gave leads somewhere, whatever came later."""

from hypothesis import given
from hypothesis import strategies as st

from streams.command.knowledge import reconciler
from streams.reconcile.resolve import resolve
from streams.simulate.world import simulate
from tests.streams.reconcile.history import history

RECONCILER = reconciler()
SEED = 20260322


@given(patient=st.integers(0, 80), share=st.floats(0.05, 0.95))
def test_every_id_ever_given_resolves(patient: int, share: float) -> None:
    """All ids of the list as it was known earlier lead somewhere in the list of today."""
    facts = simulate(SEED, patient).facts
    when = facts[-1].received_at
    before = RECONCILER.derive(facts[0].patient, facts[: max(1, int(len(facts) * share))], when)
    after = RECONCILER.derive(facts[0].patient, facts, when)

    given_ids = {name for item in before.items for name in (item.strand, item.treatment, *item.records)}
    lost = [name for name in given_ids if resolve(after, name, facts) is None]

    assert lost == []


def test_an_id_leads_to_the_line_it_became_part_of() -> None:
    """Two sources' records were two lines while only one was known; both ids lead to the one line."""
    patient = history(
        "2026-01-05 hospital orders Furix 40 mg, 1 x 1, as B",
        "2026-01-01 primary care prescribes Furix 40 mg, 1 x 1, received 2026-01-09, as A",
    )
    early = patient.made("2026-01-06", known_at="2026-01-06").items[0]
    late = patient.item("2026-01-10")

    assert early.treatment != late.treatment
    found = resolve(patient.made("2026-01-10"), early.treatment)
    assert found is not None
    assert (found.how, found.item) == ("record", late)


def test_the_id_of_doses_without_order_leads_to_their_order() -> None:
    """Doses stood alone until their order came; the id of that line leads to the order's line, by the facts."""
    patient = history(
        "2026-01-05 08:00 municipal care gives Furix 40 mg, as G",
        "2026-01-01 primary care orders Furix 40 mg, 1 x 1, received 2026-01-09, as A",
    )
    alone = patient.made("2026-01-06", known_at="2026-01-06").items[0]
    made = patient.made("2026-01-10")

    found = resolve(made, alone.strand, patient.facts)

    assert found is not None
    assert found.item == made.items[0]


def test_the_id_of_a_registered_prescription_resolves() -> None:
    """An id of the national list that a prescription carries leads to its line, and still after it was taken back."""
    told = "2026-01-01 primary care prescribes Furix 40 mg, 1 x 1, nll N1, as A"
    standing = history(told).made("2026-01-10")
    gone = history(told, "2026-01-05 primary care retracts A").made("2026-01-10")

    found, lost = resolve(standing, "N1"), resolve(gone, "N1")
    assert found is not None
    assert found.item == standing.items[0]
    assert lost is not None
    assert lost.how == "retracted"


def test_blocked_records_resolve_to_nothing_but_that() -> None:
    """The id of a blocked record says that it is blocked, and shows no line."""
    patient = history(
        "2026-01-01 primary care orders Furix 40 mg, 1 x 1, as A", "2026-01-05 a person blocks source primary-care"
    )
    before = patient.made("2026-01-03", known_at="2026-01-03").items[0]

    found = resolve(patient.made("2026-01-10"), before.strand, patient.facts)

    assert found is not None
    assert (found.how, found.item) == ("blocked", None)


def test_an_id_that_was_never_given_resolves_to_nothing() -> None:
    """A made-up id is not mistaken for anything."""
    patient = history("2026-01-01 primary care orders Furix 40 mg, 1 x 1, as A")

    assert resolve(patient.made("2026-01-10"), "no-such-id", patient.facts) is None
