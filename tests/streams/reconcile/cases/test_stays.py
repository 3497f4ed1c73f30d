"""Admission, what is dormant meanwhile, and discharge."""

from tests.streams.reconcile.history import history


def test_outpatient_treatments_are_dormant_while_admitted() -> None:
    """While the patient lies on a ward what is taken at home rests, and it goes on by itself after discharge."""
    patient = history(
        "2026-01-01 primary care prescribes Furix 40 mg, 1 x 1, as A",
        "2026-01-10 hospital admits",
        "2026-01-15 hospital discharges",
    )

    assert patient.the_list("2026-01-12") == ["Furix 40 mg: dormant, 40 mg a day"]
    assert patient.the_list("2026-01-15") == ["Furix 40 mg: active, 40 mg a day"]


def test_the_ward_owns_the_dose_during_the_stay() -> None:
    """The ward doubles the dose: that is the dose of the line until discharge, when the old one is back."""
    patient = history(
        "2026-01-01 primary care prescribes Furix 40 mg, 1 x 1, as A",
        "2026-01-10 hospital admits",
        "2026-01-10 ward orders Furix 40 mg, 2 x 1, as B",
        "2026-01-15 hospital discharges",
    )

    assert patient.the_list("2026-01-12") == ["Furix 40 mg: active, 80 mg a day"]
    assert patient.item("2026-01-12").because["dosage"].rule == "PRECEDENCE_TABLE"
    assert patient.the_list("2026-01-16") == ["Furix 40 mg: active, 40 mg a day"]


def test_an_inpatient_order_ends_with_its_stay() -> None:
    """A ward order that nobody ended ends when the patient goes home."""
    patient = history(
        "2026-01-10 hospital admits",
        "2026-01-10 ward orders Cefotaxim Stragen 1 g, 1 x 3, as B",
        "2026-01-15 hospital discharges",
    )

    assert patient.the_list("2026-01-14") == ["Cefotaxim Stragen 1 g: active, 3000 mg a day"]
    assert patient.the_list("2026-01-15") == ["Cefotaxim Stragen 1 g: ended, 3000 mg a day"]
    assert patient.item("2026-01-15").because["state"].rule == "STAY_ENDED"


def test_a_ward_stop_does_not_end_what_is_taken_at_home() -> None:
    """The ward stops its own order; the prescription at home is dormant, then active again, never ended by it."""
    patient = history(
        "2026-01-01 primary care prescribes Furix 40 mg, 1 x 1, as A",
        "2026-01-10 hospital admits",
        "2026-01-10 ward orders Furix 40 mg, 2 x 1, as B",
        "2026-01-12 ward stops B",
        "2026-01-15 hospital discharges",
    )

    assert patient.the_list("2026-01-13") == ["Furix 40 mg: dormant, 40 mg a day"]
    assert patient.the_list("2026-01-16") == ["Furix 40 mg: active, 40 mg a day"]


def test_a_late_discharge_reaches_back() -> None:
    """The discharge comes a week late: in the meantime the stay was believed to go on, afterwards it was not."""
    patient = history(
        "2026-01-01 primary care prescribes Furix 40 mg, 1 x 1, as A",
        "2026-01-10 hospital admits",
        "2026-01-15 hospital discharges, recorded 2026-01-22",
    )

    assert patient.the_list("2026-01-18", known_at="2026-01-18") == ["Furix 40 mg: dormant, 40 mg a day"]
    assert patient.the_list("2026-01-18") == ["Furix 40 mg: active, 40 mg a day"]


def test_a_treatment_that_ended_before_is_not_dormant() -> None:
    """Admission does not wake what has ended."""
    patient = history(
        "2026-01-01 primary care prescribes Furix 40 mg, 1 x 1, until 2026-01-05, as A",
        "2026-01-10 hospital admits",
    )

    assert patient.the_list("2026-01-12") == ["Furix 40 mg: ended, 40 mg a day"]


def test_after_discharge_nobody_waits_for_the_ward_to_sign() -> None:
    """Doses that the ward signed are no promise that somebody signs at home."""
    patient = history(
        "2026-01-01 primary care prescribes Furix 40 mg, 1 x 1, as A",
        "2026-01-10 hospital admits",
        "2026-01-10 ward orders Furix 40 mg, 1 x 1, as B",
        "2026-01-11 08:00 ward gives Furix 40 mg, for B",
        "2026-01-12 08:00 ward gives Furix 40 mg, for B",
        "2026-01-15 hospital discharges",
    )

    assert patient.findings("2026-02-10") == []
