"""What was given beside what is ordered."""

from tests.streams.reconcile.history import history


def test_another_dose_than_the_ordered_one_is_noticed() -> None:
    """Home care gives the old 40 mg although the doctor has doubled it."""
    patient = history(
        "2026-01-01 primary care prescribes Furix 40 mg, 2 x 1, as A",
        "2026-01-05 08:00 municipal care gives Furix 40 mg, for A",
    )

    assert patient.findings("2026-01-05 12:00") == ["given-differs"]


def test_the_ordered_dose_in_other_tablets_is_the_ordered_dose() -> None:
    """The order says two tablets; two were given: nothing to notice."""
    patient = history(
        "2026-01-01 primary care prescribes Furix 40 mg, 1 x 1, as A",
        "2026-01-05 08:00 municipal care gives Furix 40 mg, for A",
    )

    assert patient.findings("2026-01-05 12:00") == []


def test_the_ward_may_order_another_dose_than_the_dormant_prescription() -> None:
    """While the patient is admitted the prescription from home rests: another dose on the ward is no finding."""
    patient = history(
        "2026-01-01 primary care prescribes Furix 40 mg, 1 x 1, as A",
        "2026-01-10 hospital admits",
        "2026-01-10 ward orders Furix 40 mg, 2 x 1, as B",
        "2026-01-15 hospital discharges",
    )

    assert patient.findings("2026-01-12") == []
