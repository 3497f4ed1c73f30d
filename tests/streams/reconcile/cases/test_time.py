"""The two time axes: when something is true, and when it was known."""

from tests.streams.reconcile.clauses import moment
from tests.streams.reconcile.history import history


def test_a_period_is_half_open() -> None:
    """The first day not taken does not belong to the treatment, the first day taken does."""
    patient = history("2026-01-01 primary care prescribes Furix 40 mg, 1 x 1, from 2026-01-03, until 2026-01-10")

    assert patient.the_list("2026-01-02 23:59") == ["Furix 40 mg: planned, 40 mg a day"]
    assert patient.the_list("2026-01-03") == ["Furix 40 mg: active, 40 mg a day"]
    assert patient.the_list("2026-01-09 23:59") == ["Furix 40 mg: active, 40 mg a day"]
    assert patient.the_list("2026-01-10") == ["Furix 40 mg: ended, 40 mg a day"]


def test_the_list_says_when_it_will_change_by_itself() -> None:
    """A planned start and an end announce themselves."""
    patient = history("2026-01-01 primary care prescribes Furix 40 mg, 1 x 1, from 2026-01-03, until 2026-01-10")

    assert patient.made("2026-01-01").next_change_at == moment("2026-01-03")
    assert patient.made("2026-01-05").next_change_at == moment("2026-01-10")
    assert patient.made("2026-01-10").next_change_at is None


def test_a_stop_with_unknown_start_is_kept() -> None:
    """All that is known of a treatment is when it was stopped: before that it is unknown, after it has ended."""
    patient = history(
        "2026-01-01 primary care prescribes Furix 40 mg, 1 x 1, start unknown, as A",
        "2026-01-20 primary care stops A",
    )

    assert patient.the_list("2025-12-01") == ["Furix 40 mg: unknown, 40 mg a day"]
    assert patient.the_list("2026-01-10") == ["Furix 40 mg: active, 40 mg a day"]
    assert patient.the_list("2026-01-25") == ["Furix 40 mg: ended, 40 mg a day"]
    assert patient.item("2026-01-25").start is None


def test_a_future_change_leaves_the_old_dose_until_its_day() -> None:
    """A dose that is to change next week is not changed today."""
    patient = history(
        "2026-01-01 primary care prescribes Furix 40 mg, 1 x 1, as A",
        "2026-02-01 primary care changes A, 2 x 1, from 2026-02-08",
    )

    assert patient.the_list("2026-02-05") == ["Furix 40 mg: active, 40 mg a day"]
    assert patient.made("2026-02-05").next_change_at == moment("2026-02-08")
    assert patient.the_list("2026-02-08") == ["Furix 40 mg: active, 80 mg a day"]


def test_a_successor_from_a_later_day_leaves_the_old_one_until_then() -> None:
    """A new prescription that replaces another from next month does not end the old one today."""
    patient = history(
        "2026-01-01 primary care prescribes Furix 20 mg, 1 x 1, as A",
        "2026-01-15 primary care prescribes Furix 40 mg, 1 x 1, replacing A, from 2026-02-01, as B",
    )

    assert patient.the_list("2026-01-20") == ["Furix 20 mg: active, 20 mg a day"]
    assert patient.the_list("2026-02-01") == ["Furix 40 mg: active, 40 mg a day"]


def test_cancelled_before_it_began() -> None:
    """A planned treatment that is cancelled was never valid, at any time."""
    patient = history(
        "2026-01-01 primary care prescribes Furix 40 mg, 1 x 1, from 2026-02-01, as A",
        "2026-01-20 primary care cancels A",
    )

    assert patient.the_list("2026-01-10") == ["Furix 40 mg: cancelled, 40 mg a day"]
    assert patient.the_list("2026-02-10") == ["Furix 40 mg: cancelled, 40 mg a day"]
    assert patient.the_list("2026-01-10", known_at="2026-01-10") == ["Furix 40 mg: planned, 40 mg a day"]


def test_a_late_stop_takes_its_place_in_time() -> None:
    """A stop that is registered weeks later ends the treatment when it was stopped, not when it was registered."""
    patient = history(
        "2026-01-01 primary care prescribes Furix 40 mg, 1 x 1, as A",
        "2026-01-15 primary care stops A, recorded 2026-02-20",
    )

    assert patient.the_list("2026-02-01") == ["Furix 40 mg: ended, 40 mg a day"]
    assert patient.the_list("2026-02-01", known_at="2026-02-01") == ["Furix 40 mg: active, 40 mg a day"]


def test_any_pair_of_times_can_be_asked() -> None:
    """What is known on the 20th of January about the 5th, and what was known on the 5th about the 20th."""
    patient = history(
        "2026-01-01 primary care prescribes Furix 40 mg, 1 x 1, as A",
        "2026-01-10 primary care changes A, 2 x 1",
    )

    assert patient.the_list("2026-01-05", known_at="2026-01-20") == ["Furix 40 mg: active, 40 mg a day"]
    assert patient.the_list("2026-01-20", known_at="2026-01-05") == ["Furix 40 mg: active, 40 mg a day"]
    assert patient.the_list("2026-01-20", known_at="2026-01-20") == ["Furix 40 mg: active, 80 mg a day"]
    assert patient.the_list("2026-01-20", known_at="2025-12-31") == []


def test_equal_times_are_decided_the_same_everywhere() -> None:
    """Two versions that claim one time are ordered by their ids; every order of arrival gives one list."""
    patient = history(
        "2026-01-01 primary care prescribes Furix 40 mg, 1 x 1, as A",
        "2026-01-10 primary care changes A, 2 x 1",
        "2026-01-10 primary care changes A, 3 x 1",
    )

    newest = max(patient.facts[1:], key=lambda fact: fact.id)
    assert patient.item("2026-01-20").because["dosage"].facts == (newest.id,)
    assert "versions-disputed" in patient.findings("2026-01-20")


def test_versions_count_before_times() -> None:
    """A source that numbers its versions is believed about their order, whenever it recorded them."""
    patient = history(
        "2026-01-01 primary care prescribes Furix 40 mg, 1 x 1, version 1, as A",
        "2026-01-10 primary care changes A, 3 x 1, version 3",
        "2026-01-10 primary care changes A, 2 x 1, version 2, recorded 2026-01-12",
    )

    assert patient.the_list("2026-01-20") == ["Furix 40 mg: active, 120 mg a day"]


def test_two_sources_that_decide_at_the_same_time_agree_everywhere() -> None:
    """Orders of two sources with equal times: the tie is broken by source and record, and the conflict is shown."""
    patient = history(
        "2026-01-10 hospital orders Furix 40 mg, 1 x 1, as A",
        "2026-01-10 private clinic orders Furix 40 mg, 2 x 1, as B",
    )

    assert patient.the_list("2026-01-20") == ["Furix 40 mg: active, 80 mg a day"]
    assert patient.item("2026-01-20").because["dosage"].rule == "LATEST_DECISION"
    assert patient.findings("2026-01-20") == ["dose-differs"]


def test_why_it_ended_stands_on_the_line() -> None:
    """The reason of a stop (utsättningsorsak) is shown, and where it is from; while it goes on there is none."""
    patient = history(
        "2026-01-01 primary care orders Furix 40 mg, 1 x 1, as A",
        "2026-01-20 primary care stops A, because side-effect",
    )

    ended = patient.item("2026-01-25")
    assert patient.item("2026-01-10").end_reason is None
    assert ended.end_reason == "side-effect"
    assert ended.because["end_reason"].facts == (patient.says("A"),)


def test_a_day_of_twenty_five_hours_is_one_day() -> None:
    """Over the end of summer time a period in Swedish days neither loses nor gains an hour."""
    patient = history("2026-10-24 primary care orders Furix 40 mg, 1 x 1, from 2026-10-24, until 2026-10-26")

    assert patient.the_list("2026-10-25 23:59") == ["Furix 40 mg: active, 40 mg a day"]
    assert patient.the_list("2026-10-26") == ["Furix 40 mg: ended, 40 mg a day"]
    item = patient.item("2026-10-25")
    assert item.start is not None
    assert item.end is not None
    assert (item.end - item.start).total_seconds() == 49 * 3600


def test_a_gap_of_one_day_is_no_gap() -> None:
    """One source's last day taken and another's first day not taken: a phantom day does not make two treatments."""
    patient = history(
        "2026-01-01 primary care prescribes Furix 40 mg, 1 x 1, until 2026-02-01, as A",
        "2026-02-02 primary care prescribes Furix 40 mg, 1 x 1, as B",
    )

    assert patient.treatments("2026-02-10") == 1


def test_an_overlap_of_one_day_is_no_duplicate() -> None:
    """The old prescription ends the day after the new one begins: one line, nothing held twice."""
    patient = history(
        "2026-01-01 primary care prescribes Furix 20 mg, 1 x 1, until 2026-02-02, as A",
        "2026-02-01 primary care prescribes Furix 40 mg, 1 x 1, as B",
    )

    assert patient.treatments("2026-02-10") == 1
    assert patient.findings("2026-02-10") == []


def test_an_old_completed_record_does_not_end_a_new_one() -> None:
    """Statuses are not ranked whatever their dates: what was completed last year says nothing about now."""
    patient = history(
        "2025-01-01 primary care orders Furix 40 mg, 1 x 1, in chain c1, as A",
        "2025-06-01 primary care stops A, recorded 2026-03-01",
        "2026-01-01 primary care orders Furix 40 mg, 1 x 1, in chain c1, as B",
    )

    assert patient.the_list("2026-02-01") == ["Furix 40 mg: active, 40 mg a day"]
    assert patient.the_list("2026-04-01") == ["Furix 40 mg: active, 40 mg a day"]


def test_numbers_are_compared_as_numbers() -> None:
    """0.50 and 0.5 tablets are one dose."""
    patient = history(
        "2026-01-01 primary care orders Furix 40 mg, 0.50 x 1, as A",
        "2026-01-01 hospital orders Furix 40 mg, 0.5 x 1, as B",
    )

    assert patient.the_list("2026-01-10") == ["Furix 40 mg: active, 20 mg a day"]
    assert patient.findings("2026-01-10") == []
