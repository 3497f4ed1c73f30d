"""What the reconciler notices: silence, contradictions, differences; each ends with its cause."""

from datetime import timedelta

from tests.streams.reconcile.clauses import moment
from tests.streams.reconcile.history import history

SIGNED = (
    "2026-01-01 primary care orders Furix 40 mg, 1 x 1, as A",
    "2026-01-01 primary care orders Eliquis 5 mg, 1 x 2, as B",
    "2026-01-05 08:00 municipal care gives Furix 40 mg, for A",
    "2026-01-05 08:00 municipal care gives Eliquis 5 mg, for B",
)


def test_ordered_but_not_given() -> None:
    """One drug is signed every day, the other not for more than three days."""
    patient = history(
        *SIGNED,
        "2026-01-06 08:00 municipal care gives Eliquis 5 mg, for B",
        "2026-01-08 08:00 municipal care gives Eliquis 5 mg, for B",
    )

    assert patient.findings("2026-01-08 08:00") == []
    assert patient.findings("2026-01-08 09:00") == ["ordered-not-given"]
    assert patient.finding("ordered-not-given", "2026-01-09").items == (
        patient.item("2026-01-09", "Furix 40 mg").strand,
    )


def test_the_moment_of_silence_is_announced() -> None:
    """That a dose was missed becomes visible by itself, at a time the list tells beforehand."""
    patient = history(*SIGNED)

    due = patient.made("2026-01-06").next_change_at
    assert due is not None
    assert due - moment("2026-01-08 08:00") < timedelta(seconds=1)


def test_a_silent_source_is_told_once_instead_of_every_dose() -> None:
    """Municipal care has signed nothing for a week: one finding about the source, none about its single drugs."""
    patient = history(*SIGNED)

    assert patient.findings("2026-01-10") == ["ordered-not-given", "ordered-not-given"]
    assert patient.findings("2026-01-13") == ["source-silent"]
    assert patient.finding("source-silent", "2026-01-13").detail == {"source": "municipal", "since": "2026-01-05"}


def test_a_source_that_is_heard_of_is_not_silent() -> None:
    """Any signature of the source, of whatever drug, breaks its silence."""
    patient = history(*SIGNED, "2026-01-11 08:00 municipal care gives Alvedon 500 mg, directive D1")

    assert "source-silent" not in patient.findings("2026-01-13")


def test_nobody_is_silent_when_nothing_is_to_be_given() -> None:
    """The treatments have ended: then there is nothing to sign."""
    patient = history(*SIGNED, "2026-01-06 primary care stops A", "2026-01-06 primary care stops B")

    assert patient.findings("2026-01-20") == []


def test_municipal_care_is_not_silent_while_the_patient_is_admitted() -> None:
    """On a ward nobody expects the municipality to sign."""
    patient = history(*SIGNED, "2026-01-06 hospital admits")

    assert patient.findings("2026-01-20") == []


def test_a_dosage_that_contradicts_its_words() -> None:
    """The structure says once a day, the patient reads twice."""
    patient = history('2026-01-01 primary care prescribes Furix 40 mg, 1 x 1, says "1 tablett 2 gånger dagligen"')

    assert patient.findings("2026-01-05") == ["dosage-contradicts-text"]
    assert patient.finding("dosage-contradicts-text", "2026-01-05").detail == {"text": "80 mg", "structured": "40 mg"}


def test_a_weekly_drug_whose_words_say_daily() -> None:
    """Methotrexate once a week in the structure, daily in the words: the mistake that kills."""
    patient = history(
        '2026-01-01 primary care prescribes Metotrexat Orion 2,5 mg, 4 x 1 on mon, says "4 tabletter dagligen"'
    )

    assert patient.findings("2026-01-05") == ["dosage-contradicts-text"]


def test_words_that_mean_the_same_are_no_contradiction() -> None:
    """Another way to say it is no finding."""
    patient = history('2026-01-01 primary care prescribes Furix 40 mg, 2 x 1, says "80 mg x 1"')

    assert patient.findings("2026-01-05") == []


def test_words_that_cannot_be_read_for_certain_are_left_alone() -> None:
    """An interval, a condition, a length of time: nothing is guessed."""
    for words in ("1-2 tabletter dagligen", "2 tabletter dagligen vid behov", "2 tabletter dagligen i 7 dagar"):
        patient = history(f'2026-01-01 primary care prescribes Furix 40 mg, 1 x 1, says "{words}"')

        assert patient.findings("2026-01-05") == []


def test_ended_in_one_source_and_active_in_another() -> None:
    """The hospital stopped it, primary care goes on: the line goes on, and a person must settle it."""
    patient = history(
        "2026-01-01 primary care orders Furix 40 mg, 1 x 1, as A",
        "2026-01-05 hospital orders Furix 40 mg, 1 x 1, as B",
        "2026-01-20 hospital stops B",
    )

    assert patient.the_list("2026-01-25") == ["Furix 40 mg: active, 40 mg a day"]
    assert patient.findings("2026-01-25") == ["status-differs"]


def test_ends_that_differ_are_told() -> None:
    """Two sources end the treatment in different weeks."""
    patient = history(
        "2026-01-01 primary care orders Furix 40 mg, 1 x 1, until 2026-03-01, as A",
        "2026-01-01 hospital orders Furix 40 mg, 1 x 1, until 2026-04-01, as B",
    )

    assert patient.findings("2026-01-25") == ["period-differs"]
    assert patient.finding("period-differs", "2026-01-25").detail == {"field": "end"}


def test_starts_that_differ_are_told_while_one_lies_ahead() -> None:
    """The hospital says from today, primary care says from next month."""
    patient = history(
        "2026-01-01 hospital orders Furix 40 mg, 1 x 1, as A",
        "2026-01-02 primary care orders Furix 40 mg, 1 x 1, from 2026-02-01, as B",
    )

    assert patient.finding("period-differs", "2026-01-10").detail == {"field": "start"}
    assert patient.findings("2026-02-10") == []


def test_a_complete_list_that_leaves_a_drug_out() -> None:
    """The reviewed list is complete and does not hold the omeprazole that still goes on."""
    patient = history(
        "2026-01-01 primary care prescribes Furix 40 mg, 1 x 1, as A",
        "2026-01-01 primary care prescribes Omeprazol Sandoz 20 mg, 1 x 1, as B",
        "2026-02-01 hospital writes the list, complete, as L",
        "2026-02-01 hospital lists Furix 40 mg, 1 x 1, on list L",
    )

    assert patient.findings("2026-02-05") == ["off-the-list"]
    assert patient.finding("off-the-list", "2026-02-05").items == (
        patient.item("2026-02-05", "Omeprazol Sandoz 20 mg").strand,
    )


def test_an_incomplete_list_leaves_nothing_out() -> None:
    """A list that does not claim to be complete says nothing about what it does not hold."""
    patient = history(
        "2026-01-01 primary care prescribes Omeprazol Sandoz 20 mg, 1 x 1, as B",
        "2026-02-01 hospital writes the list, as L",
    )

    assert patient.findings("2026-02-05") == []


def test_what_the_patient_reports_not_taking() -> None:
    """The patient says no: the line goes on, and somebody must talk about it."""
    patient = history(
        "2026-01-01 primary care prescribes Atorvastatin Krka 40 mg, 1 x 1, as A",
        "2026-02-01 hospital notes no use of Atorvastatin Krka 40 mg",
    )

    assert patient.the_list("2026-02-05") == ["Atorvastatin Krka 40 mg: active, 40 mg a day"]
    assert patient.findings("2026-02-05") == ["not-taking"]


def test_what_the_patient_buys_without_prescription_is_on_the_list() -> None:
    """Over-the-counter use stands on the reported layer."""
    patient = history("2026-02-01 hospital notes use of Ibumetin 400 mg, 1 as needed, from 2026-01-01")

    assert patient.the_list("2026-02-05") == ["Ibumetin 400 mg: active, as needed"]
    assert list(patient.item("2026-02-05").layers) == ["reported"]


def test_nothing_heard_for_more_than_a_year() -> None:
    """No end date, and nothing dispensed, given or renewed: shown as unconfirmed, never ended by a guess."""
    patient = history("2024-01-01 primary care prescribes Furix 40 mg, 1 x 1, as A")

    assert patient.the_list("2026-01-01") == ["Furix 40 mg: active, 40 mg a day"]
    assert patient.findings("2024-12-01") == []
    assert patient.findings("2026-01-01") == ["unconfirmed"]


def test_a_line_between_two_that_are_kept_apart() -> None:
    """An entry that fits two lines of one source alike is joined to neither, and a person is asked."""
    patient = history(
        "2026-01-01 primary care prescribes Omeprazol Sandoz 20 mg, 1 x 1, as A",
        "2026-01-01 primary care prescribes Omeprazol Sandoz 20 mg, 1 x 1, as B",
        "2026-01-05 hospital orders Omeprazol Sandoz 20 mg, 1 x 1, as C",
    )

    assert patient.treatments("2026-01-10") == 3
    assert "ambiguous-match" in patient.findings("2026-01-10")
