"""What is handed out, packed and given, beside what is ordered: layers, and what they reveal."""

import pytest

from tests.streams.reconcile.clauses import moment
from tests.streams.reconcile.history import history

ROLL = "2026-01-10 dose pharmacy packs Furix 40 mg, 1 x 1, from 2026-01-12, until 2026-01-26, for A, as R"


def test_layers_stand_side_by_side() -> None:
    """Intended, prescribed, dispensed and given of one treatment, each with its own product and time."""
    patient = history(
        "2026-01-01 hospital orders Furix 40 mg, 1 x 1, as O",
        "2026-01-01 hospital prescribes Furix 40 mg, 1 x 1, for O, dispenses 4, as A",
        "2026-01-03 pharmacy dispenses Furosemid Nordic Drugs 40 mg, for A",
        "2026-01-05 08:00 municipal care gives Furosemid Nordic Drugs 40 mg, for O",
    )

    layers = patient.item("2026-01-06").layers
    assert sorted(layers) == ["dispensed", "given", "intended", "prescribed"]
    assert layers["prescribed"].product == "Furix 40 mg"
    assert layers["dispensed"].remaining_dispenses == 3
    assert layers["given"].last_at == moment("2026-01-05 08:00")


@pytest.mark.parametrize("told", ["2026-01-03 10:00", "2026-01-03 10:01"])
def test_what_a_pharmacy_and_nll_both_tell_of_was_handed_out_once(told: str) -> None:
    """The dispense has one id at NLL, whoever tells of it, and in whichever order; another one counts."""
    patient = history(
        "2026-01-01 primary care prescribes Furix 40 mg, 1 x 1, dispenses 4, as A",
        f"{told} pharmacy dispenses Furix 40 mg, for A, nll u-1",
        "2026-01-03 10:00 NLL dispenses Furix 40 mg, for A, nll u-1",
        "2026-01-05 NLL dispenses Furix 40 mg, for A, nll u-2",
    )

    layer = patient.item("2026-01-06").layers["dispensed"]
    assert (layer.count, layer.remaining_dispenses) == (2, 2)


def test_fully_dispensed_is_not_ended() -> None:
    """Nothing is left to dispense, and the patient still takes it (slutexpedierad)."""
    patient = history(
        "2026-01-01 primary care prescribes Furix 40 mg, 1 x 1, dispenses 1, as A",
        "2026-01-03 pharmacy dispenses Furix 40 mg, for A",
        "2026-01-03 primary care finds nothing left to dispense on A",
    )

    assert patient.the_list("2026-01-20") == ["Furix 40 mg: active, 40 mg a day"]
    assert patient.item("2026-01-20").layers["dispensed"].remaining_dispenses == 0


def test_a_cancelled_prescription_that_was_used_has_ended() -> None:
    """Cancelled after a dispense: it cannot never have been valid (NLL: avslutad)."""
    patient = history(
        "2026-01-01 primary care prescribes Furix 40 mg, 1 x 1, as A",
        "2026-01-03 pharmacy dispenses Furix 40 mg, for A",
        "2026-01-10 primary care cancels A",
    )

    assert patient.the_list("2026-01-05") == ["Furix 40 mg: active, 40 mg a day"]
    assert patient.the_list("2026-01-15") == ["Furix 40 mg: ended, 40 mg a day"]


def test_a_roll_shows_until_when_it_lasts() -> None:
    """The dispensed layer tells the pouches' dose and when the last pouch has been for."""
    patient = history("2026-01-01 primary care prescribes Furix 40 mg, 1 x 1, as A", ROLL)

    layer = patient.item("2026-01-15").layers["dispensed"]
    assert layer.next_roll_ends == moment("2026-01-26")
    assert layer.daily_dose is not None
    assert layer.daily_dose.value == 40


def test_a_stopped_drug_in_the_pouches_is_stale() -> None:
    """The drug is stopped while two weeks of pouches are with the patient."""
    patient = history(
        "2026-01-01 primary care prescribes Furix 40 mg, 1 x 1, as A", ROLL, "2026-01-15 primary care stops A"
    )

    assert patient.findings("2026-01-14") == []
    assert patient.findings("2026-01-16") == ["stale-pouch"]
    assert patient.finding("stale-pouch", "2026-01-16").detail == {"reason": "stopped"}
    assert patient.findings("2026-01-26") == []


def test_a_changed_dose_makes_the_pouches_stale() -> None:
    """The dose is doubled while the pouches hold the old one."""
    patient = history(
        "2026-01-01 primary care prescribes Furix 40 mg, 1 x 1, as A", ROLL, "2026-01-15 primary care changes A, 2 x 1"
    )

    assert patient.finding("stale-pouch", "2026-01-16").detail == {"reason": "dose"}


def test_a_returned_roll_is_no_longer_stale() -> None:
    """The roll goes back to the pharmacy: it proves supply, not intake, and worries nobody any more."""
    patient = history(
        "2026-01-01 primary care prescribes Furix 40 mg, 1 x 1, as A",
        ROLL,
        "2026-01-15 primary care stops A",
        "2026-01-16 dose pharmacy takes back R",
    )

    assert patient.findings("2026-01-17") == []
    assert patient.the_list("2026-01-17") == ["Furix 40 mg: ended, 40 mg a day"]


def test_a_returned_roll_proves_no_intake() -> None:
    """A roll that came back was never taken: nothing counts as given."""
    patient = history(
        "2026-01-01 primary care prescribes Furix 40 mg, 1 x 1, as A", ROLL, "2026-01-11 dose pharmacy takes back R"
    )

    assert "given" not in patient.item("2026-01-20").layers


def test_given_without_order() -> None:
    """A dose of a drug that nobody ordered stands on a line of its own and is a conflict."""
    patient = history("2026-01-05 08:00 municipal care gives Alvedon 500 mg")

    assert patient.the_list("2026-01-06") == ["Alvedon 500 mg: unknown"]
    assert patient.findings("2026-01-06") == ["given-not-ordered"]


def test_given_by_standing_directive_needs_no_order() -> None:
    """A nurse may give by a general directive (generellt direktiv): that is no finding."""
    patient = history("2026-01-05 08:00 municipal care gives Alvedon 500 mg, directive D12")

    assert patient.findings("2026-01-06") == []


def test_refused_without_order_is_no_intake() -> None:
    """A dose that was not given was not given without order."""
    patient = history("2026-01-05 08:00 municipal care does not give Alvedon 500 mg")

    assert patient.findings("2026-01-06") == []


def test_given_after_stop() -> None:
    """A dose two days after the stop belongs to the line and is a conflict."""
    patient = history(
        "2026-01-01 primary care orders Furix 40 mg, 1 x 1, as A",
        "2026-01-10 primary care stops A",
        "2026-01-12 08:00 municipal care gives Furix 40 mg, for A, as G",
    )

    assert patient.findings("2026-01-11") == []
    assert patient.findings("2026-01-13") == ["given-after-stop"]
    assert patient.says("G") in patient.finding("given-after-stop", "2026-01-13").facts


def test_given_late_after_a_stop_that_arrived_late() -> None:
    """When the dose was given nobody could know of the stop: the list of that day shows an active drug."""
    patient = history(
        "2026-01-01 primary care orders Furix 40 mg, 1 x 1, as A",
        "2026-01-10 primary care stops A, recorded 2026-01-20",
        "2026-01-12 08:00 municipal care gives Furix 40 mg, for A",
    )

    assert patient.findings("2026-01-13", known_at="2026-01-13") == []
    assert patient.findings("2026-01-13") == ["given-after-stop"]


def test_dispensed_after_stop() -> None:
    """The pharmacy hands out what was stopped last week."""
    patient = history(
        "2026-01-01 primary care prescribes Furix 40 mg, 1 x 1, as A",
        "2026-01-10 primary care stops A",
        "2026-01-17 pharmacy dispenses Furix 40 mg, for A",
    )

    assert patient.findings("2026-01-18") == ["dispensed-after-stop"]


def test_a_dose_between_two_orders_of_one_drug_is_not_guessed() -> None:
    """A dose without reference, of a drug on two lines that fit alike, is put on neither."""
    patient = history(
        "2026-01-01 primary care orders Omeprazol Sandoz 20 mg, 1 x 1, as A",
        "2026-01-01 primary care orders Omeprazol Sandoz 20 mg, 1 x 1, as B",
        "2026-01-05 08:00 municipal care gives Omeprazol Sandoz 20 mg, as G",
    )

    assert "ambiguous-match" in patient.findings("2026-01-06")
    assert patient.says("G") in {one.fact for one in patient.made("2026-01-06").unattached}


def test_a_resting_dose_patient_keeps_the_prescriptions() -> None:
    """The dose pharmacy rests the patient (vilande): that pauses supply, and no treatment."""
    patient = history(
        "2026-01-01 primary care prescribes Furix 40 mg, 1 x 1, as A",
        ROLL,
        "2026-01-20 dose pharmacy rests the patient",
    )

    assert patient.the_list("2026-01-22") == ["Furix 40 mg: active, 40 mg a day"]


def test_a_dispense_whose_prescription_nobody_sent_is_no_intake_without_order() -> None:
    """A dispense alone stands on its own line; nothing was given, so nothing is amiss."""
    patient = history("2026-01-03 pharmacy dispenses Furix 40 mg, for X")

    assert patient.the_list("2026-01-05") == ["Furix 40 mg: unknown"]
    assert patient.findings("2026-01-05") == []


def test_late_doses_of_two_strengths_find_their_lines() -> None:
    """Doses of parallel strengths without reference go to the line of their strength."""
    patient = history(
        "2026-01-01 primary care prescribes Warfarin Orion 1 mg, 1 x 1, in chain c1, as A",
        "2026-01-01 primary care prescribes Warfarin Orion 5 mg, 1 x 1, in chain c1, as B",
        "2026-01-05 18:00 municipal care gives Warfarin Orion 5 mg, as G",
    )

    assert patient.members(patient.item("2026-01-06", "Warfarin Orion 5 mg")) == ["B", "G"]
