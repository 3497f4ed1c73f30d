"""What is told as changed between two lists, in kinds that mean something to whoever reads it."""

from tests.streams.reconcile.history import history

FIRST = "2026-01-01 primary care orders Enalapril Sandoz 10 mg, 1 x 1, prescriber 1234567, as A"


def changed(*later: str) -> list[str]:
    """What changes between the 10th of January and the 20th."""
    return history(FIRST, *later).changes("2026-01-10", "2026-01-20")


def test_nothing_new_is_no_change() -> None:
    """Time passes and nothing happens."""
    assert changed() == []


def test_a_new_line_appears() -> None:
    """A new drug."""
    assert changed("2026-01-15 primary care orders Furix 40 mg, 1 x 1") == ["appeared: None -> Furix 40 mg"]


def test_a_retracted_line_disappears() -> None:
    """A drug that was never meant for this patient."""
    assert changed("2026-01-15 primary care retracts A") == ["disappeared: Enalapril Sandoz 10 mg -> None"]


def test_a_stop_is_a_change_of_state_and_end() -> None:
    """The drug is stopped."""
    assert changed("2026-01-15 primary care stops A") == [
        "end: None -> 2026-01-14 23:00:00+00:00",
        "state: active -> ended",
    ]


def test_another_dose() -> None:
    """The dose is doubled."""
    assert changed("2026-01-15 primary care changes A, 2 x 1") == ["dose: 10 mg -> 20 mg"]


def test_other_words_for_the_same_daily_dose() -> None:
    """One in the morning becomes one in the evening: the dose per day is the same, and what to do is not."""
    assert changed('2026-01-15 primary care changes A, 1 x 1, says "1 tablett till natten"') == [
        "instructions: None -> 1 tablett till natten"
    ]


def test_another_brand_of_the_same() -> None:
    """Another manufacturer's tablet: only the brand has changed."""
    assert changed("2026-01-15 primary care changes A to Enalapril Krka 10 mg, 1 x 1") == [
        "brand: 99000000000360 -> 99000000000370"
    ]


def test_another_strength_at_the_same_dose() -> None:
    """Two tablets of half the strength: brand and strength, and no change of dose."""
    assert changed("2026-01-15 primary care changes A to Enalapril Sandoz 5 mg, 2 x 1") == [
        "brand: 99000000000360 -> 99000000000350",
        "strength: 10 mg -> 5 mg",
    ]


def test_another_prescriber() -> None:
    """Somebody else takes over the responsibility."""
    assert changed("2026-01-15 primary care changes A, prescriber 7654321") == ["prescriber: 1234567 -> 7654321"]


def test_another_form_or_route_within_one_record() -> None:
    """A source that rewrites its order to a solution into a vein has changed form, route and product."""
    found = history(
        "2026-01-01 hospital orders Furix 40 mg, 1 x 1, as A",
        "2026-01-15 hospital changes A to Furix 10 mg/ml, 40 mg x 1",
    ).changes("2026-01-10", "2026-01-20")

    assert [change.partition(":")[0] for change in found] == ["brand", "form", "route", "strength"]


def test_another_therapy_within_one_record() -> None:
    """A correction of the drug itself is told as another therapy."""
    found = history(
        "2026-01-01 hospital orders Trombyl 75 mg, 1 x 1, as A",
        "2026-01-15 hospital changes A to Clopidogrel Krka 75 mg, 1 x 1",
    ).changes("2026-01-10", "2026-01-20")

    assert "therapy: B01AC06 -> B01AC04" in found


def test_a_line_that_became_part_of_another_is_superseded() -> None:
    """An earlier order arrives late and names the treatment from then on: the old id is told to lead to the new one."""
    patient = history(
        "2026-01-05 hospital orders Furix 40 mg, 1 x 1, as B",
        "2026-01-01 primary care prescribes Furix 40 mg, 1 x 1, received 2026-01-15, as A",
    )
    early = patient.made("2026-01-10", known_at="2026-01-10").items[0]
    late = patient.made("2026-01-20").items[0]

    found = patient.changes("2026-01-10", "2026-01-20")

    assert f"superseded: {early.strand} -> {late.strand}" in found
    assert not any(change.startswith(("appeared", "disappeared")) for change in found)


def test_doses_that_find_their_order_are_superseded() -> None:
    """The line of doses without order goes into the line of the order when that comes."""
    found = history(
        "2026-01-05 08:00 municipal care gives Furix 40 mg, as G",
        "2026-01-01 primary care orders Furix 40 mg, 1 x 1, received 2026-01-15, as A",
    ).changes("2026-01-10", "2026-01-20")

    assert {"dose: None -> 40 mg", "state: unknown -> active"} < set(found)
    assert [change.partition(":")[0] for change in found] == ["dose", "start", "state", "superseded"]
