"""What persons decide: it holds over replays, and is re-opened when the facts under it change."""

from tests.streams.reconcile.history import history

TWO_DOSES = (
    "2026-01-01 primary care orders Enalapril Sandoz 10 mg, 1 x 1, as A",
    "2026-01-05 hospital orders Enalapril Sandoz 20 mg, 1 x 1, as B",
)
FREE_TEXT = (
    "2026-01-01 primary care prescribes Furix 40 mg, 1 x 1, as A",
    "2026-01-05 hospital orders Vätskedrivande 40 mg, as free text, as B",
)
TWO_STATINS = (
    "2026-01-01 primary care prescribes Atorvastatin Krka 40 mg, 1 x 1, as A",
    "2026-01-15 hospital orders Simvastatin Krka 20 mg, 1 x 1, as B",
)


def test_a_person_says_that_two_are_the_same() -> None:
    """What no evidence may join, a person may."""
    patient = history(*FREE_TEXT, "2026-01-10 a person decides that A and B are the same")

    assert patient.members(patient.item("2026-01-20")) == ["A", "B"]
    assert patient.treatments("2026-01-20") == 1


def test_a_person_says_that_two_are_different() -> None:
    """What evidence joins, a person may part."""
    patient = history(*TWO_DOSES, "2026-01-10 a person decides that A and B are different")

    assert patient.treatments("2026-01-20") == 2


def test_the_latest_decision_on_a_pair_counts() -> None:
    """Different on Monday, the same on Friday: the same, and nothing is re-opened."""
    patient = history(
        *TWO_DOSES,
        "2026-01-10 a person decides that A and B are different",
        "2026-01-14 a person decides that A and B are the same",
        "2026-01-14 a person decides for the dosage of A over B",
    )

    assert patient.treatments("2026-01-20") == 1
    assert patient.findings("2026-01-20") == []


def test_a_decision_that_is_taken_back_is_as_never_made() -> None:
    """A retracted decision leaves no trace on the lines."""
    patient = history(
        *FREE_TEXT,
        "2026-01-10 a person decides that A and B are the same, as D",
        "2026-01-11 a person retracts D",
    )

    assert patient.made("2026-01-20").items == history(*FREE_TEXT).made("2026-01-20").items


def test_an_accepted_duplicate_is_quiet() -> None:
    """The physician means both statins: the note is gone while nothing changes."""
    patient = history(*TWO_STATINS, "2026-01-20 a person decides to accept duplicate-therapy on A and B")

    assert patient.findings("2026-01-18", known_at="2026-01-18") == ["duplicate-therapy"]
    assert patient.findings("2026-02-01") == []


def test_an_accepted_finding_is_reopened_by_a_new_fact() -> None:
    """One of the statins gets another dose: what was accepted has to be looked at again."""
    patient = history(
        *TWO_STATINS,
        "2026-01-20 a person decides to accept duplicate-therapy on A and B",
        "2026-02-10 hospital changes B, 2 x 1",
    )

    assert patient.findings("2026-02-05", known_at="2026-02-05") == []
    assert patient.findings("2026-02-15") == ["decision-reopened", "duplicate-therapy"]


def test_an_accepted_finding_is_reopened_by_a_retraction() -> None:
    """A fact that the decider saw is taken back: the decision does not stand as it was made."""
    patient = history(
        *TWO_STATINS,
        "2026-01-18 hospital changes B, 2 x 1",
        "2026-01-20 a person decides to accept duplicate-therapy on A and B",
        "2026-02-10 hospital retracts B",
    )

    assert "decision-reopened" in patient.findings("2026-02-15")


def test_a_new_decision_takes_the_place_of_a_reopened_one() -> None:
    """Settled again on the new facts, nothing is open any more."""
    patient = history(
        *TWO_STATINS,
        "2026-01-20 a person decides to accept duplicate-therapy on A and B",
        "2026-02-10 hospital changes B, 2 x 1",
        "2026-02-12 a person decides to accept duplicate-therapy on A and B",
    )

    assert patient.findings("2026-02-15") == []


def test_a_person_chooses_the_dose() -> None:
    """Two sources disagree on the dose; the person's choice stands on the line, says so, and closes the conflict."""
    patient = history(*TWO_DOSES, "2026-01-10 a person decides for the dosage of A over B, as D")

    item = patient.item("2026-01-20")
    assert patient.dose("2026-01-20") == "10 mg a day"
    assert item.because["dosage"].rule == "DECIDED_BY_PERSON"
    assert set(item.because["dosage"].facts) == {patient.says("A"), patient.says("D")}
    assert patient.findings("2026-01-20") == []


def test_without_the_choice_the_later_decision_counts_and_the_conflict_stands() -> None:
    """The same two sources without anybody's choice."""
    patient = history(*TWO_DOSES)

    assert patient.dose("2026-01-20") == "20 mg a day"
    assert patient.findings("2026-01-20") == ["dose-differs"]


def test_a_chosen_dose_is_reopened_by_a_new_dose() -> None:
    """The hospital changes its order: the old choice is not used for facts that nobody had seen."""
    patient = history(
        *TWO_DOSES,
        "2026-01-10 a person decides for the dosage of A over B",
        "2026-02-01 hospital changes B, 2 x 1",
    )

    assert patient.dose("2026-02-05") == "40 mg a day"
    assert patient.item("2026-02-05").because["dosage"].rule == "LATEST_DECISION"
    assert patient.findings("2026-02-05") == ["decision-reopened", "dose-differs"]


def test_a_person_chooses_the_state() -> None:
    """Ended in one source and active in another: a person decides that it has ended."""
    told = (
        "2026-01-01 primary care orders Furix 40 mg, 1 x 1, as A",
        "2026-01-05 hospital orders Furix 40 mg, 1 x 1, as B",
        "2026-01-20 hospital stops B",
    )
    patient = history(*told, "2026-01-25 a person decides for the state of B over A")

    assert patient.findings("2026-01-22", known_at="2026-01-22") == ["status-differs"]
    assert history(*told).the_list("2026-01-30") == ["Furix 40 mg: active, 40 mg a day"]
    assert patient.the_list("2026-01-30") == ["Furix 40 mg: ended, 40 mg a day"]
    assert patient.item("2026-01-30").because["state"].rule == "DECIDED_BY_PERSON"
    assert patient.findings("2026-01-30") == []


def test_doses_without_order_can_be_accepted() -> None:
    """A finding about a line that has no order can be settled as well."""
    patient = history(
        "2026-01-05 08:00 municipal care gives Alvedon 500 mg, as G",
        "2026-01-06 a person decides to accept given-not-ordered on G",
    )

    assert patient.findings("2026-01-05 12:00", known_at="2026-01-05 12:00") == ["given-not-ordered"]
    assert patient.findings("2026-01-10") == []


def test_a_finding_without_a_line_can_be_accepted() -> None:
    """That another source tried to retract is closed by whoever has looked into it."""
    patient = history(
        "2026-01-01 primary care prescribes Furix 40 mg, 1 x 1, as A",
        "2026-01-05 primary care changes A, 2 x 1, version 2",
        "2026-01-05 primary care changes A, 3 x 1, version 2",
        "2026-01-06 a person decides to accept versions-disputed on A",
    )

    assert patient.findings("2026-01-06", known_at="2026-01-05 12:00") == ["versions-disputed"]
    assert "versions-disputed" not in patient.findings("2026-01-10")


def test_a_decision_about_records_that_nobody_sent_is_open() -> None:
    """A decision that arrives before its records closes nothing, and closes what it is about when they have come."""
    patient = history(
        TWO_STATINS[0],
        "2026-01-15 hospital orders Simvastatin Krka 20 mg, 1 x 1, received 2026-02-10, as B",
        "2026-01-20 a person decides to accept duplicate-therapy on A and B",
    )

    assert patient.findings("2026-02-01", known_at="2026-02-01") == ["decision-reopened"]
    assert patient.findings("2026-02-01") == []
