"""Corrections: new versions, retractions, wrong references, integrity. The list becomes what it would have been."""

from tests.streams.reconcile.history import history


def test_a_retraction_takes_away_what_it_names() -> None:
    """A prescription that its source takes back is on no list, and told as withdrawn."""
    patient = history(
        "2026-01-01 primary care prescribes Furix 40 mg, 1 x 1, as A",
        "2026-01-05 primary care retracts A",
    )

    assert patient.the_list("2026-01-10") == []
    (withdrawn,) = patient.made("2026-01-10").withdrawn
    assert (withdrawn.source_id, withdrawn.reason) == ("A", "retracted")


def test_a_retraction_may_come_before_what_it_retracts() -> None:
    """The retraction is received first; the prescription never appears."""
    patient = history(
        "2026-01-02 primary care retracts A",
        "2026-01-01 primary care prescribes Furix 40 mg, 1 x 1, received 2026-01-05, as A",
    )

    assert patient.the_list("2026-01-10", known_at="2026-01-03") == []
    assert patient.the_list("2026-01-10") == []


def test_a_retraction_of_a_retraction_brings_it_back() -> None:
    """The source takes back that it took back."""
    patient = history(
        "2026-01-01 primary care prescribes Furix 40 mg, 1 x 1, as A",
        "2026-01-05 primary care retracts A, as R",
        "2026-01-06 primary care retracts R",
    )

    assert patient.the_list("2026-01-10", known_at="2026-01-05 12:00") == []
    assert patient.the_list("2026-01-10") == ["Furix 40 mg: active, 40 mg a day"]


def test_a_retracted_stop_lets_the_treatment_go_on() -> None:
    """Only the version that stopped is taken back: the treatment was never stopped."""
    patient = history(
        "2026-01-01 primary care prescribes Furix 40 mg, 1 x 1, version 1, as A",
        "2026-01-05 primary care stops A, version 2",
        "2026-01-06 primary care retracts A, version 2",
    )

    assert patient.the_list("2026-01-10") == ["Furix 40 mg: active, 40 mg a day"]


def test_nobody_retracts_for_another_source() -> None:
    """The hospital cannot take back primary care's prescription; that it tried is noticed."""
    patient = history(
        "2026-01-01 primary care prescribes Furix 40 mg, 1 x 1, as A",
        "2026-01-05 hospital retracts A",
    )

    assert patient.the_list("2026-01-10") == ["Furix 40 mg: active, 40 mg a day"]
    assert patient.findings("2026-01-10") == ["foreign-retraction"]


def test_a_persons_retraction_in_the_console_counts_for_any_source() -> None:
    """A person's correction is trusted for records of all sources."""
    patient = history(
        "2026-01-01 primary care prescribes Furix 40 mg, 1 x 1, as A",
        "2026-01-05 a person retracts A",
    )

    assert patient.the_list("2026-01-10") == []


def test_a_new_version_corrects_the_past() -> None:
    """A correction that applies from the beginning replaces what was said, on the axis of knowledge only."""
    patient = history(
        "2026-01-01 primary care prescribes Furix 40 mg, 4 x 1, as A",
        "2026-01-01 primary care changes A, 1 x 1, recorded 2026-01-03",
    )

    assert patient.the_list("2026-01-02") == ["Furix 40 mg: active, 40 mg a day"]
    assert patient.the_list("2026-01-02", known_at="2026-01-02") == ["Furix 40 mg: active, 160 mg a day"]


def test_a_wrong_reference_is_not_used() -> None:
    """A dispense of another drug than the prescription it names is not put on that line."""
    patient = history(
        "2026-01-01 primary care prescribes Furix 40 mg, 1 x 1, as A",
        "2026-01-01 primary care prescribes Eliquis 5 mg, 1 x 2, as B",
        "2026-01-03 pharmacy dispenses Apixaban Krka 5 mg, for A, as D",
    )

    assert patient.members(patient.item("2026-01-10", "Eliquis 5 mg")) == ["B", "D"]
    assert patient.findings("2026-01-10") == ["reference-contradicts-substance"]


def test_a_chain_of_another_drug_is_not_followed() -> None:
    """Two prescriptions of one chain with different substances are two treatments and a finding."""
    patient = history(
        "2026-01-01 primary care prescribes Furix 40 mg, 1 x 1, in chain c1, as A",
        "2026-01-01 primary care prescribes Eliquis 5 mg, 1 x 2, in chain c1, as B",
    )

    assert patient.treatments("2026-01-10") == 2
    assert patient.findings("2026-01-10") == ["reference-contradicts-substance"]


def test_a_dose_that_names_two_orders_joins_none() -> None:
    """One administration that refers to two treatments is a finding, not a bridge."""
    patient = history(
        "2026-01-01 hospital orders Enalapril Sandoz 10 mg, 1 x 1, as A",
        "2026-01-01 hospital orders Enalapril Sandoz 5 mg, 1 x 1, as B",
        "2026-01-03 08:00 municipal care gives Enalapril Sandoz 10 mg, for A, for B, as G",
    )

    assert "reference-to-several" in patient.findings("2026-01-10")
    assert patient.treatments("2026-01-10") == 2


def test_one_version_with_two_contents_is_disputed() -> None:
    """A source sends version 2 twice with different content: every replica shows the same one, and it is told."""
    patient = history(
        "2026-01-01 primary care prescribes Furix 40 mg, 1 x 1, version 1, as A",
        "2026-01-05 primary care changes A, 2 x 1, version 2",
        "2026-01-05 primary care changes A, 3 x 1, version 2",
    )

    assert patient.findings("2026-01-10") == ["versions-disputed"]
    assert len(patient.finding("versions-disputed", "2026-01-10").facts) == 2


def test_repeated_messages_count_once() -> None:
    """The same message three times is one fact."""
    patient = history(
        "2026-01-01 primary care prescribes Furix 40 mg, 1 x 1, as A",
        "2026-01-01 primary care prescribes Furix 40 mg, 1 x 1, received 2026-01-02, as A",
        "2026-01-01 primary care prescribes Furix 40 mg, 1 x 1, received 2026-01-03, as A",
    )

    assert len(patient.item("2026-01-10").facts) == 1
    assert patient.the_list("2026-01-10", known_at="2026-01-01") == ["Furix 40 mg: active, 40 mg a day"]
