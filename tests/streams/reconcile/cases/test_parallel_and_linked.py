"""What stands on lines of its own: parallel strengths, other forms and routes, other uses, salts."""

from tests.streams.reconcile.history import history


def test_parallel_warfarin_strengths_of_one_chain_are_two_lines_of_one_treatment() -> None:
    """1 mg and 5 mg warfarin in one chain, in force at once, are two lines, grouped by treatment, and no duplicate."""
    patient = history(
        "2026-01-01 primary care prescribes Warfarin Orion 1 mg, 1 x 1, in chain c1, as A",
        "2026-01-01 primary care prescribes Warfarin Orion 5 mg, 1 x 1, in chain c1, as B",
    )

    assert patient.the_list("2026-01-10") == [
        "Warfarin Orion 1 mg: active, 1 mg a day",
        "Warfarin Orion 5 mg: active, 5 mg a day",
    ]
    assert patient.treatments("2026-01-10") == 1
    assert patient.findings("2026-01-10") == []


def test_a_change_of_one_parallel_strength_leaves_the_other_alone() -> None:
    """The 1 mg of a parallel pair is replaced by 2.5 mg; the 5 mg line goes on as it was."""
    patient = history(
        "2026-01-01 primary care prescribes Warfarin Orion 1 mg, 1 x 1, in chain c1, as A",
        "2026-01-01 primary care prescribes Warfarin Orion 5 mg, 1 x 1, in chain c1, as B",
        "2026-02-01 primary care stops A",
        "2026-02-01 primary care prescribes Waran 2,5 mg, 1 x 1, in chain c1, replacing A, as C",
    )

    assert patient.the_list("2026-02-10") == [
        "Waran 2,5 mg: active, 2.5 mg a day",
        "Warfarin Orion 5 mg: active, 5 mg a day",
    ]


def test_a_shared_chain_id_with_two_strengths_is_no_dose_change() -> None:
    """Two strengths of one chain in force at once: neither replaces the other."""
    patient = history(
        "2026-01-01 primary care prescribes Levaxin 50 mikrogram, 1 x 1, in chain c1, as A",
        "2026-01-15 primary care prescribes Levaxin 100 mikrogram, 1 x 1, in chain c1, as B",
    )

    assert [item.state for item in patient.made("2026-02-01").items] == ["active", "active"]


def test_another_route_is_a_linked_line() -> None:
    """Furosemide by mouth and into a vein are two treatments that point at each other."""
    patient = history(
        "2026-01-01 primary care prescribes Furix 40 mg, 1 x 1, as A",
        "2026-01-05 hospital orders Furix 10 mg/ml, 4 x 1, as B",
    )

    one, other = patient.made("2026-01-10").items
    assert one.treatment != other.treatment
    assert one.related == (other.strand,)
    assert other.related == (one.strand,)


def test_another_form_is_a_linked_line() -> None:
    """Prolonged-release oxycodone and short-acting capsules stand on two linked lines."""
    patient = history(
        "2026-01-01 primary care prescribes Oxycontin 10 mg, 1 x 2, as A",
        "2026-01-01 primary care prescribes Oxynorm 5 mg, 1 as needed at most 4 a day, as B",
    )

    one, other = patient.made("2026-01-10").items
    assert one.related == (other.strand,)
    assert patient.the_list("2026-01-10") == [
        "Oxycontin 10 mg: active, 20 mg a day",
        "Oxynorm 5 mg: active, as needed, at most 20 mg a day",
    ]


def test_salts_with_one_atc_code_are_not_one_treatment() -> None:
    """Metoprolol succinate (depot) and tartrate share an ATC code but not a form group."""
    patient = history(
        "2026-01-01 primary care prescribes Seloken ZOC 50 mg, 1 x 1, as A",
        "2026-01-05 hospital orders Seloken 50 mg (tartrat), 1 x 2, as B",
    )

    assert patient.treatments("2026-01-10") == 2
    assert patient.findings("2026-01-10") == ["duplicate-substance"]


def test_one_substance_for_two_uses_is_two_treatments() -> None:
    """Low-dose and analgesic acetylsalicylic acid have two ATC codes and stay two lines."""
    patient = history(
        "2026-01-01 primary care prescribes Trombyl 75 mg, 1 x 1, as A",
        "2026-01-05 hospital orders Magnecyl 500 mg, 1 as needed at most 3 a day, as B",
    )

    assert patient.treatments("2026-01-10") == 2
    assert patient.findings("2026-01-10") == ["duplicate-substance"]


def test_a_mouth_dissolving_tablet_may_replace_a_tablet() -> None:
    """Tablet and hard capsule are one form group: another source's capsule is the same treatment."""
    patient = history(
        "2026-01-01 primary care prescribes Ramipril Krka 5 mg, 1 x 1, as A",
        "2026-01-05 hospital orders Ramipril Stada 5 mg, 1 x 1, as B",
    )

    assert patient.members(patient.item("2026-01-10")) == ["A", "B"]


def test_two_prescriptions_of_one_source_at_once_are_a_duplicate() -> None:
    """One clinic has prescribed the same product twice, side by side: two lines and a conflict."""
    patient = history(
        "2026-01-01 primary care prescribes Omeprazol Sandoz 20 mg, 1 x 1, as A",
        "2026-01-15 primary care prescribes Omeprazol Sandoz 20 mg, 1 x 1, as B",
    )

    assert patient.treatments("2026-02-01") == 2
    assert patient.findings("2026-02-01") == ["duplicate-product"]


def test_the_same_substance_twice_is_a_duplicate() -> None:
    """Another brand and strength of a drug, prescribed beside it by the same clinic, is noticed."""
    patient = history(
        "2026-01-01 primary care prescribes Atorvastatin Krka 40 mg, 1 x 1, as A",
        "2026-01-15 primary care prescribes Atorvastatin Sandoz 40 mg, 1 x 1, as B",
    )

    assert patient.findings("2026-02-01") == ["duplicate-substance"]


def test_two_drugs_of_one_therapy_are_told() -> None:
    """Two statins at the same time are worth a note, and never one line."""
    patient = history(
        "2026-01-01 primary care prescribes Atorvastatin Krka 40 mg, 1 x 1, as A",
        "2026-01-15 hospital orders Simvastatin Krka 20 mg, 1 x 1, as B",
    )

    assert patient.treatments("2026-02-01") == 2
    assert patient.findings("2026-02-01") == ["duplicate-therapy"]


def test_a_duplicate_is_over_when_one_has_ended() -> None:
    """Two lines that are not in force at the same time are no duplicate."""
    patient = history(
        "2026-01-01 primary care prescribes Atorvastatin Krka 40 mg, 1 x 1, until 2026-01-20, as A",
        "2026-01-15 hospital orders Simvastatin Krka 20 mg, 1 x 1, as B",
    )

    assert patient.findings("2026-01-18") == ["duplicate-therapy"]
    assert patient.findings("2026-01-20") == []
