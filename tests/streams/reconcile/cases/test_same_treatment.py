"""What is one treatment although systems share no id: evidence of product, substance, form, time."""

from tests.streams.reconcile.history import history


def test_generic_substitution_stays_one_line() -> None:
    """The pharmacy hands out another brand of the substitution group: one line, and the brand is told on its layer."""
    patient = history(
        "2026-01-01 primary care prescribes Enalapril Sandoz 10 mg, 1 x 1, as A",
        "2026-01-03 pharmacy dispenses Enalapril Krka 10 mg, for A, substituted",
    )

    assert patient.the_list("2026-01-10") == ["Enalapril Sandoz 10 mg: active, 10 mg a day"]
    assert patient.item("2026-01-10").layers["dispensed"].product == "Enalapril Krka 10 mg"


def test_generic_substitution_without_reference_stays_one_line() -> None:
    """A dispense of another brand that names no prescription still finds its line."""
    patient = history(
        "2026-01-01 primary care prescribes Enalapril Sandoz 10 mg, 1 x 1, as A",
        "2026-01-03 pharmacy dispenses Enalapril Krka 10 mg, as D",
    )

    assert patient.members(patient.item("2026-01-10")) == ["A", "D"]


def test_two_sources_that_share_no_id_are_one_line() -> None:
    """Primary care's prescription and the hospital's order of another brand are one line by substitution group."""
    patient = history(
        "2026-01-01 primary care prescribes Metoprolol Sandoz 50 mg, 1 x 1, as A",
        "2026-01-05 hospital orders Seloken ZOC 50 mg, 1 x 1, as B",
    )

    item = patient.item("2026-01-10")
    assert patient.members(item) == ["A", "B"]
    assert item.because["treatment"].rule == "SAME_SUBSTITUTION_GROUP_MEETING_PERIODS"


def test_two_tablets_of_half_the_strength_stay_one_line() -> None:
    """2 x 5 mg instead of 1 x 10 mg is the same treatment at the same daily dose."""
    patient = history(
        "2026-01-01 primary care prescribes Enalapril Sandoz 10 mg, 1 x 1, as A",
        "2026-01-05 hospital orders Enalapril Sandoz 5 mg, 2 x 1, as B",
    )

    assert patient.members(patient.item("2026-01-10")) == ["A", "B"]
    assert patient.dose("2026-01-10") == "10 mg a day"
    assert patient.findings("2026-01-10") == []


def test_another_strength_with_another_dose_is_a_named_dose_difference() -> None:
    """The hospital writes 20 mg where primary care writes 10 mg: one treatment, and the difference is a conflict."""
    patient = history(
        "2026-01-01 primary care prescribes Enalapril Sandoz 10 mg, 1 x 1, as A",
        "2026-01-05 hospital orders Enalapril Sandoz 20 mg, 1 x 1, as B",
    )

    assert patient.members(patient.item("2026-01-10")) == ["A", "B"]
    assert patient.findings("2026-01-10") == ["dose-differs"]


def test_a_dose_change_by_a_new_prescription_is_one_line() -> None:
    """A source that ends one prescription and starts another strength the same day has changed the dose."""
    patient = history(
        "2026-01-01 primary care prescribes Furix 20 mg, 1 x 1, as A",
        "2026-02-01 primary care stops A",
        "2026-02-01 primary care prescribes Furix 40 mg, 1 x 1, as B",
    )

    assert patient.the_list("2026-02-10") == ["Furix 40 mg: active, 40 mg a day"]
    assert "dose: 20 mg -> 40 mg" in patient.changes("2026-01-20", "2026-02-10")
    assert "strength: 20 mg -> 40 mg" in patient.changes("2026-01-20", "2026-02-10")


def test_a_chain_is_followed_over_members_that_do_not_know_each_other() -> None:
    """Three prescriptions of one chain are one treatment, whatever brand they are of."""
    patient = history(
        "2026-01-01 primary care prescribes Eliquis 5 mg, 1 x 2, in chain c1, until 2026-03-01, as A",
        "2026-03-01 private clinic prescribes Apixaban Krka 5 mg, 1 x 2, in chain c1, until 2026-05-01, as B",
        "2026-05-01 primary care prescribes Eliquis 5 mg, 1 x 2, in chain c1, as C",
    )

    assert patient.members(patient.item("2026-05-10")) == ["A", "B", "C"]


def test_a_dispense_before_its_prescription_waits_for_it() -> None:
    """A dispense that refers to a prescription nobody has sent stands alone until the prescription comes."""
    told = (
        "2026-01-03 pharmacy dispenses Furix 40 mg, for A, as D",
        "2026-01-01 primary care prescribes Furix 40 mg, 1 x 1, nll A, received 2026-01-09, as P",
    )
    patient = history(*told)

    assert patient.the_list("2026-01-10", known_at="2026-01-05") == ["Furix 40 mg: unknown"]
    assert patient.the_list("2026-01-10") == ["Furix 40 mg: active, 40 mg a day"]


def test_an_unknown_product_code_matches_itself() -> None:
    """A code that no table knows still says that two entries are of one product."""
    patient = history(
        "2026-01-01 primary care prescribes Specialkapsel, code Z9, 1 x 1, as A",
        "2026-01-05 hospital orders Specialkapsel special, code Z9, 1 x 1, as B",
    )

    assert patient.members(patient.item("2026-01-10")) == ["A", "B"]


def test_two_unknown_product_codes_do_not_match() -> None:
    """Two codes that no table knows are two lines, however alike their words."""
    patient = history(
        "2026-01-01 primary care prescribes Specialkapsel, code Z9, 1 x 1, as A",
        "2026-01-05 hospital orders Specialkapsel, code Z8, 1 x 1, as B",
    )

    assert patient.treatments("2026-01-10") == 2


def test_what_the_message_itself_says_is_enough() -> None:
    """Without a product code the substance and form in the message are evidence."""
    patient = history(
        "2026-01-01 primary care prescribes Furix 40 mg, 1 x 1, as A",
        "2026-01-05 hospital orders Furosemid Nordic Drugs 40 mg, 1 x 1, without product code, as B",
    )

    assert patient.members(patient.item("2026-01-10")) == ["A", "B"]


def test_free_text_is_never_matched() -> None:
    """An entry in free text stands as a line of its own, whatever it says."""
    patient = history(
        "2026-01-01 primary care prescribes Furix 40 mg, 1 x 1, as A",
        "2026-01-05 hospital orders Furix 40 mg, as free text, as B",
    )

    assert patient.treatments("2026-01-10") == 2


def test_combination_products_are_compared_by_their_substances() -> None:
    """A combination and one of its substances are two lines, and the shared substance is noticed."""
    patient = history(
        "2026-01-01 primary care prescribes Enalapril comp Stada 20 mg/12,5 mg, 1 x 1, as A",
        "2026-01-05 hospital orders Enalapril Sandoz 20 mg, 1 x 1, as B",
    )

    assert patient.treatments("2026-01-10") == 2
    assert patient.findings("2026-01-10") == ["duplicate-substance"]


def test_two_episodes_with_a_gap_are_two_treatments() -> None:
    """A course of antibiotics in January and another in May have nothing to do with each other."""
    patient = history(
        "2026-01-01 primary care prescribes Kåvepenin 1 g, 1 x 3, until 2026-01-08, as A",
        "2026-05-01 primary care prescribes Kåvepenin 1 g, 1 x 3, until 2026-05-08, as B",
    )

    assert patient.treatments("2026-05-02") == 2


def test_no_inferred_link_bridges_what_a_source_keeps_apart() -> None:
    """A clinic holds two warfarin strengths at once; the hospital's order cannot make them one."""
    patient = history(
        "2026-01-01 primary care prescribes Warfarin Orion 5 mg, 1 x 1, as A",
        "2026-01-01 primary care prescribes Warfarin Orion 1 mg, 1 x 1, as B",
        "2026-01-05 hospital orders Waran 2,5 mg, 1 x 1, as C",
    )

    lines = [patient.members(item) for item in patient.made("2026-01-10").items]
    assert not any({"A", "B"} <= set(names) for names in lines)
