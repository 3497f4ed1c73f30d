"""Blocks (spärr): what they cover is not shown and not published, only that something is blocked."""

from tests.streams.reconcile.history import history


def test_a_block_on_a_record_covers_its_whole_chain() -> None:
    """Blocking one prescription of a chain hides the chain; what is published must be withdrawn."""
    patient = history(
        "2026-01-01 primary care prescribes Sertralin Sandoz 50 mg, 1 x 1, in chain c1, until 2026-02-01, as A",
        "2026-02-01 primary care prescribes Sertralin Sandoz 50 mg, 1 x 1, in chain c1, as B",
        "2026-01-01 primary care prescribes Furix 40 mg, 1 x 1, as C",
        "2026-02-05 a person blocks record A",
    )

    assert patient.the_list("2026-02-10") == ["Furix 40 mg: active, 40 mg a day"]
    assert patient.findings("2026-02-10") == ["blocked-information"]
    assert sorted(w.source_id for w in patient.made("2026-02-10").withdrawn) == ["A", "B"]


def test_a_block_set_after_publishing_takes_away_and_lifting_brings_back() -> None:
    """Set, the line disappears; lifted, the list is what it would have been."""
    told = (
        "2026-01-01 primary care prescribes Sertralin Sandoz 50 mg, 1 x 1, as A",
        "2026-02-05 a person blocks record A, as K",
    )
    patient = history(*told, "2026-02-20 a person lifts K")

    assert patient.the_list("2026-02-10", known_at="2026-02-01") == ["Sertralin Sandoz 50 mg: active, 50 mg a day"]
    assert patient.the_list("2026-02-10", known_at="2026-02-10") == []
    assert patient.made("2026-02-25").items == history(told[0]).made("2026-02-25").items


def test_what_its_source_ends_while_it_is_blocked_is_told_to_be_over() -> None:
    """What was published of it must not be dispensed any more; nothing else of it is told."""
    told = (
        "2026-01-01 primary care prescribes Sertralin Sandoz 50 mg, 1 x 1, as A",
        "2026-02-05 a person blocks record A",
    )
    patient = history(*told, "2026-02-10 primary care stops A")

    before, after = patient.made("2026-02-20", known_at="2026-02-08"), patient.made("2026-02-20")
    assert [(w.reason, w.block, w.over) for w in before.withdrawn] == [("blocked", "integrity", None)]
    assert [(w.reason, w.block, w.over) for w in after.withdrawn] == [("blocked", "integrity", "ended")]


def test_a_block_ends_by_itself() -> None:
    """A temporary block is over when its time is, and the list announces it."""
    patient = history(
        "2026-01-01 primary care prescribes Sertralin Sandoz 50 mg, 1 x 1, as A",
        "2026-02-05 a person blocks record A, until 2026-02-20",
    )

    assert patient.the_list("2026-02-10") == []
    assert patient.made("2026-02-10").next_change_at is not None
    assert patient.the_list("2026-02-20") == ["Sertralin Sandoz 50 mg: active, 50 mg a day"]


def test_a_block_on_a_unit_covers_what_its_staff_wrote() -> None:
    """The psychiatric clinic is blocked: its order is hidden, primary care's prescription stands."""
    patient = history(
        "2026-01-01 hospital orders Sertralin Sandoz 50 mg, 1 x 1, unit psychiatry, as A",
        "2026-01-01 hospital orders Furix 40 mg, 1 x 1, unit medicine, as B",
        "2026-02-05 a person blocks unit psychiatry",
    )

    assert patient.the_list("2026-02-10") == ["Furix 40 mg: active, 40 mg a day"]


def test_nothing_shines_through_a_block() -> None:
    """A blocked order does not decide what else belongs together, nor does it raise a duplicate."""
    patient = history(
        "2026-01-01 hospital orders Atorvastatin Krka 40 mg, 1 x 1, as A",
        "2026-01-05 primary care prescribes Simvastatin Krka 20 mg, 1 x 1, as B",
        "2026-02-05 a person blocks source hospital",
    )

    assert patient.findings("2026-02-01", known_at="2026-02-01") == ["duplicate-therapy"]
    assert patient.findings("2026-02-10") == ["blocked-information"]


def test_what_follows_from_a_blocked_order_is_blocked_with_it() -> None:
    """Dispenses and doses of a blocked order would tell the drug; they are as blocked as the order."""
    patient = history(
        "2026-01-01 hospital orders Sertralin Sandoz 50 mg, 1 x 1, unit psychiatry, as A",
        "2026-01-01 hospital prescribes Sertralin Sandoz 50 mg, 1 x 1, for A, as P",
        "2026-01-03 pharmacy dispenses Sertralin Sandoz 50 mg, for P",
        "2026-01-03 08:00 municipal care gives Sertralin Sandoz 50 mg, for A",
        "2026-02-05 a person blocks unit psychiatry",
    )

    assert patient.the_list("2026-02-10") == []
    assert patient.findings("2026-02-10") == ["blocked-information"]


def test_what_another_unit_prescribes_is_not_blocked_with_it() -> None:
    """Another unit's own prescription stands, with what was dispensed on it."""
    patient = history(
        "2026-01-01 hospital orders Sertralin Sandoz 50 mg, 1 x 1, unit psychiatry, as A",
        "2026-01-01 primary care prescribes Sertralin Sandoz 50 mg, 1 x 1, unit vardcentral, as P",
        "2026-01-03 pharmacy dispenses Sertralin Sandoz 50 mg, for P",
        "2026-02-05 a person blocks unit psychiatry",
    )

    assert patient.the_list("2026-02-10") == ["Sertralin Sandoz 50 mg: active, 50 mg a day"]
    assert patient.item("2026-02-10").layers["dispensed"].product == "Sertralin Sandoz 50 mg"
