"""Which record speaks for a line: replaced ones, other stays, an order ended at home, states that differ, decisions."""

import pytest

from tests.streams.reconcile.clauses import moment
from tests.streams.reconcile.history import history


def test_a_replaced_prescription_does_not_come_back() -> None:
    """When the successor has ended too, the line has ended, although nobody ended the one it replaced."""
    patient = history(
        "2026-01-01 primary care prescribes Furix 20 mg, 1 x 1, as A",
        "2026-01-15 primary care prescribes Furix 40 mg, 1 x 1, replacing A, from 2026-02-01, until 2026-03-01, as B",
    )

    assert patient.the_list("2026-01-31") == ["Furix 20 mg: active, 20 mg a day"]
    assert patient.the_list("2026-02-01") == ["Furix 40 mg: active, 40 mg a day"]
    assert patient.the_list("2026-03-05") == ["Furix 40 mg: ended, 40 mg a day"]


@pytest.mark.parametrize("who", ["primary care", "private clinic"])
def test_a_change_of_a_replaced_prescription_does_not_make_it_speak(who: str) -> None:
    """A late change of a prescription that was replaced is not what the line was when it ended."""
    patient = history(
        "2026-01-01 primary care prescribes Furix 20 mg, 1 x 1, as A",
        f"2026-01-15 {who} prescribes Furix 40 mg, 1 x 1, replacing A, from 2026-02-01, until 2026-03-01, as B",
        "2026-02-10 primary care changes A, 3 x 1",
    )

    assert patient.the_list("2026-02-15") == ["Furix 40 mg: active, 40 mg a day"]
    assert patient.the_list("2026-03-05") == ["Furix 40 mg: ended, 40 mg a day"]


@pytest.mark.parametrize("about", ["order first", "prescription first"])
def test_who_replaces_a_prescription_replaces_the_order_behind_it(about: str) -> None:
    """The new order and prescription take over from the old pair, of which the order was never ended: one line."""
    orders = (
        "2026-01-01 hospital orders Furix 20 mg, 1 x 1, as A",
        "2026-01-01 hospital prescribes Furix 20 mg, 1 x 1, for A, as P",
    )
    if about == "prescription first":
        orders = (
            "2026-01-01 hospital prescribes Furix 20 mg, 1 x 1, as P",
            "2026-01-01 hospital orders Furix 20 mg, 1 x 1, for P, as A",
        )
    patient = history(
        *orders,
        "2026-02-01 hospital orders Furix 40 mg, 1 x 1, as B",
        "2026-02-01 hospital prescribes Furix 40 mg, 1 x 1, for B, replacing P, as Q",
    )

    assert patient.the_list("2026-01-10") == ["Furix 20 mg: active, 20 mg a day"]
    assert patient.the_list("2026-02-10") == ["Furix 40 mg: active, 40 mg a day"]
    assert patient.members(patient.item("2026-02-10")) == ["A", "B", "P", "Q"]


def test_a_prescription_alone_replaces_the_order_behind_another() -> None:
    """A prescription without an order of its own takes over from the old prescription and from its order."""
    patient = history(
        "2026-01-01 hospital orders Furix 20 mg, 1 x 1, as A",
        "2026-01-01 hospital prescribes Furix 20 mg, 1 x 1, for A, as P",
        "2026-02-01 hospital prescribes Furix 40 mg, 1 x 1, replacing P, as Q",
    )

    assert patient.the_list("2026-02-10") == ["Furix 40 mg: active, 40 mg a day"]


def test_an_order_ended_at_home_ends_its_prescription() -> None:
    """The hospital ends its order and forgets the prescription that it wrote on it: the line has ended."""
    patient = history(
        "2026-01-01 hospital orders Furix 40 mg, 1 x 1, as A",
        "2026-01-01 hospital prescribes Furix 40 mg, 1 x 1, for A, as B",
        "2026-01-10 hospital stops A",
    )

    assert patient.the_list("2026-01-09") == ["Furix 40 mg: active, 40 mg a day"]
    assert patient.the_list("2026-01-10") == ["Furix 40 mg: ended, 40 mg a day"]


def test_an_order_ended_elsewhere_ends_no_prescription() -> None:
    """The hospital ends its order; primary care's prescription of the same drug goes on."""
    patient = history(
        "2026-01-01 primary care prescribes Furix 40 mg, 1 x 1, as A",
        "2026-01-02 hospital orders Furix 40 mg, 1 x 1, as B",
        "2026-01-10 hospital stops B",
    )

    assert patient.the_list("2026-01-12") == ["Furix 40 mg: active, 40 mg a day"]


def test_a_cancelled_order_does_not_speak_for_its_prescription() -> None:
    """An order written by mistake is cancelled; the prescription that referred to it stands."""
    patient = history(
        "2026-01-01 hospital orders Furix 40 mg, 1 x 1, as A",
        "2026-01-01 primary care prescribes Furix 40 mg, 1 x 1, for A, as B",
        "2026-01-10 hospital cancels A",
    )

    assert patient.the_list("2026-01-12") == ["Furix 40 mg: active, 40 mg a day"]


def test_what_is_planned_counts_before_what_has_ended() -> None:
    """One source ended it yesterday, another starts it tomorrow: it is planned."""
    patient = history(
        "2026-01-01 primary care prescribes Furix 40 mg, 1 x 1, until 2026-01-20, as A",
        "2026-01-10 hospital orders Furix 40 mg, 2 x 1, from 2026-01-21, as B",
    )

    assert patient.the_list("2026-01-20 12:00") == ["Furix 40 mg: planned, 80 mg a day"]


def test_what_was_given_on_the_ward_is_not_how_it_ended_at_home() -> None:
    """Of an ended line the dose outside hospital is told, not the ward's higher dose during the stay."""
    patient = history(
        "2026-01-01 primary care prescribes Furix 40 mg, 1 x 1, until 2026-01-20, as A",
        "2026-01-05 hospital admits",
        "2026-01-05 ward orders Furix 40 mg, 3 x 1, as B",
        "2026-01-15 hospital discharges",
    )

    assert patient.the_list("2026-01-25") == ["Furix 40 mg: ended, 40 mg a day"]


def test_an_order_belongs_to_the_stay_that_it_names() -> None:
    """An order written days before the admission, for the stay, ends with the stay."""
    patient = history(
        "2026-01-10 hospital admits",
        "2026-01-05 ward orders Furix 40 mg, 1 x 1, as A",
        "2026-01-20 hospital discharges",
    )

    assert patient.the_list("2026-01-15") == ["Furix 40 mg: active, 40 mg a day"]
    assert patient.the_list("2026-01-20") == ["Furix 40 mg: ended, 40 mg a day"]
    assert patient.item("2026-01-20").end == moment("2026-01-20")


@pytest.mark.parametrize(("ordered", "state"), [("2026-01-09 12:00", "ended"), ("2026-01-08 12:00", "active")])
def test_an_order_that_names_no_stay_belongs_to_the_one_it_starts_in(ordered: str, state: str) -> None:
    """An order from within a day of the admission belongs to that stay; an earlier one to none, and goes on."""
    patient = history(
        f"{ordered} ward orders Furix 40 mg, 1 x 1, as A",
        "2026-01-10 hospital admits",
        "2026-01-20 hospital discharges",
    )

    assert patient.the_list("2026-01-25") == [f"Furix 40 mg: {state}, 40 mg a day"]


def test_a_paused_order_of_a_ward_ends_with_the_stay() -> None:
    """What was on hold when the patient went home is not on hold for ever."""
    patient = history(
        "2026-01-10 hospital admits",
        "2026-01-10 ward orders Furix 40 mg, 1 x 1, as A",
        "2026-01-15 hospital pauses A",
        "2026-01-20 hospital discharges",
    )

    assert patient.the_list("2026-01-19") == ["Furix 40 mg: paused, 40 mg a day"]
    assert patient.the_list("2026-01-20") == ["Furix 40 mg: ended, 40 mg a day"]


def test_a_wards_prescription_is_not_dormant_during_the_stay() -> None:
    """What the ward itself prescribes applies while the patient is there; what primary care prescribed rests."""
    patient = history(
        "2026-01-01 primary care prescribes Eliquis 5 mg, 1 x 2, as A",
        "2026-01-10 hospital admits",
        "2026-01-11 ward prescribes Furix 40 mg, 1 x 1, as B",
    )

    assert patient.item("2026-01-15", "Furix 40 mg").state == "active"
    assert patient.item("2026-01-15", "Eliquis 5 mg").state == "dormant"


def test_a_state_that_a_person_chose_names_the_decision_and_the_record() -> None:
    """The hospital's stop is chosen over primary care's prescription: ended, because of the decision and the stop."""
    patient = history(
        "2026-01-01 primary care prescribes Furix 40 mg, 1 x 1, as A",
        "2026-01-02 hospital orders Furix 40 mg, 2 x 1, as B",
        "2026-01-10 hospital stops B",
        "2026-01-11 a person decides for the state of B over A, as P",
    )

    item = patient.item("2026-01-12")
    assert item.state == "ended"
    assert item.because["state"].rule == "DECIDED_BY_PERSON"
    assert set(item.because["state"].facts) == {patient.says("P"), patient.says("B")}
    assert patient.the_list("2026-01-12") == ["Furix 40 mg: ended, 80 mg a day"]


def test_a_dose_that_a_person_chose_counts_while_its_record_stands_as_the_line_does() -> None:
    """The chosen dose holds while its record is in force or rests, not once it has ended and another goes on."""
    patient = history(
        "2026-01-01 primary care prescribes Furix 40 mg, 1 x 1, until 2026-02-01, resting 2026-01-20 to 2026-01-25, as A",
        "2026-01-02 hospital orders Furix 40 mg, 2 x 1, until 2026-03-01, as B",
        "2026-01-03 a person decides for the dosage of A over B",
    )

    seen = {day: patient.dose(day) for day in ("2026-01-10", "2026-01-22", "2026-02-10")}

    assert seen == {"2026-01-10": "40 mg a day", "2026-01-22": "40 mg a day", "2026-02-10": "80 mg a day"}
    assert patient.dose("2026-03-10") == "40 mg a day"


def test_a_line_begins_with_its_first_order_however_many_follow() -> None:
    """The line's start is that of its earliest order, whichever of its records is told last."""
    patient = history(
        "2026-01-01 primary care prescribes Furix 40 mg, 1 x 1, as B",
        "2026-01-05 hospital orders Furix 40 mg, 1 x 1, as C",
    )

    assert patient.item("2026-01-10").start == moment("2026-01-01")
