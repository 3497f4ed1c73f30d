"""Dosages that are not one figure for ever: tapering, cycles, weekdays, as needed, pauses."""

from tests.streams.reconcile.clauses import moment
from tests.streams.reconcile.history import history


def test_a_tapering_dose_goes_down_step_by_step() -> None:
    """Cortisone for a week each at 20, 10 and 5 mg: the daily dose is the one of the day, and the steps announce themselves."""
    patient = history(
        "2026-01-01 primary care prescribes Prednisolon Pfizer 5 mg, 4 x 1 for 7 days then 2 x 1 for 7 days then 1 x 1 for 7 days"
    )

    assert patient.the_list("2026-01-05") == ["Prednisolon Pfizer 5 mg: active, 20 mg a day"]
    assert patient.the_list("2026-01-10") == ["Prednisolon Pfizer 5 mg: active, 10 mg a day"]
    assert patient.the_list("2026-01-20") == ["Prednisolon Pfizer 5 mg: active, 5 mg a day"]
    assert patient.made("2026-01-05").next_change_at == moment("2026-01-08")


def test_a_tapering_dose_with_unknown_start_is_no_figure() -> None:
    """Without a start it cannot be known which step applies: nothing is guessed."""
    patient = history(
        "2026-01-01 primary care prescribes Prednisolon Pfizer 5 mg, 4 x 1 for 7 days then 2 x 1, start unknown"
    )

    assert patient.the_list("2026-01-05") == ["Prednisolon Pfizer 5 mg: active, varies"]


def test_a_cyclic_dose_varies() -> None:
    """Tablets on days 1-21 of 28 have no single daily dose."""
    patient = history("2026-01-01 primary care prescribes Folacin 5 mg, 1 x 1 on days 1-21 of 28")

    assert patient.the_list("2026-01-05") == ["Folacin 5 mg: active, varies"]


def test_a_weekly_dose_varies() -> None:
    """Methotrexate on Mondays is never shown as a daily dose."""
    patient = history("2026-01-01 primary care prescribes Metotrexat Orion 2,5 mg, 6 x 1 on mon")

    assert patient.the_list("2026-01-05") == ["Metotrexat Orion 2,5 mg: active, varies"]


def test_as_needed_shows_the_most_per_day() -> None:
    """As needed with a maximum: the figure is the most per day, not the dose."""
    patient = history("2026-01-01 primary care prescribes Alvedon 500 mg, 2 as needed at most 8 a day")

    assert patient.the_list("2026-01-05") == ["Alvedon 500 mg: active, as needed, at most 4000 mg a day"]


def test_as_needed_without_a_maximum_shows_none() -> None:
    """No maximum is invented where none is stated."""
    patient = history("2026-01-01 primary care prescribes Alvedon 500 mg, 2 as needed")

    assert patient.the_list("2026-01-05") == ["Alvedon 500 mg: active, as needed"]


def test_a_pause_by_status_lasts_until_it_is_resumed() -> None:
    """Paused is not ended; resumed is the same line."""
    patient = history(
        "2026-01-01 primary care prescribes Metformin Sandoz 500 mg, 1 x 2, as A",
        "2026-02-01 primary care pauses A",
        "2026-02-10 primary care resumes A",
    )

    assert patient.the_list("2026-01-20") == ["Metformin Sandoz 500 mg: active, 1000 mg a day"]
    assert patient.the_list("2026-02-05") == ["Metformin Sandoz 500 mg: paused, 1000 mg a day"]
    assert patient.the_list("2026-02-10") == ["Metformin Sandoz 500 mg: active, 1000 mg a day"]


def test_a_pause_by_period_ends_by_itself() -> None:
    """A stated pause begins and ends on its days."""
    patient = history(
        "2026-01-01 primary care prescribes Metformin Sandoz 500 mg, 1 x 2, resting 2026-02-01 to 2026-02-10, as A",
    )

    assert patient.the_list("2026-02-01") == ["Metformin Sandoz 500 mg: paused, 1000 mg a day"]
    assert patient.made("2026-02-01").next_change_at == moment("2026-02-10")
    assert patient.the_list("2026-02-10") == ["Metformin Sandoz 500 mg: active, 1000 mg a day"]


def test_doses_in_other_units_are_compared_by_the_substance() -> None:
    """100 mg twice a day and two 50 mg tablets twice a day are one dose."""
    patient = history(
        "2026-01-01 primary care prescribes Metoprolol Sandoz 50 mg, 2 x 2, as A",
        "2026-01-05 hospital orders Seloken ZOC 100 mg, 100 mg x 2, as B",
    )

    assert patient.members(patient.item("2026-01-10")) == ["A", "B"]
    assert patient.findings("2026-01-10") == []


def test_units_that_cannot_be_compared_are_told() -> None:
    """Tablets of unknown strength and milligrams are not compared: neither equal nor different."""
    patient = history(
        "2026-01-01 hospital orders Specialkapsel, code Z9, 1 x 1, as A",
        "2026-01-01 hospital prescribes Specialkapsel, code Z9, 20 mg x 1, for A, as B",
    )

    assert patient.findings("2026-01-10") == ["units-not-comparable"]
