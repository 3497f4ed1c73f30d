"""Hospital orders, prescriptions and administrations: status, ids, retractions, identity."""

from datetime import UTC, datetime

import pytest

from contracts.facts.administration import Administration
from contracts.facts.correction import Retraction
from contracts.facts.prescribing import Order, Prescription
from contracts.values import Identifier, Period, Reference
from tests.mappings.hospital.messages import (
    MSH,
    PID,
    PV1,
    Fields,
    administration,
    order,
    read_segments,
    segment,
)
from tests.mappings.hospital.test_hl7 import medication_of, problems_of
from tests.mappings.hospital.test_timing import order_of


@pytest.mark.parametrize(
    ("control", "detail", "status"),
    [
        ("NW", "", "active"),
        ("XO", "HD", "on-hold"),
        ("SC", "CM", "completed"),
        ("HD", "", "on-hold"),
        ("RL", "IP", "active"),
        ("DC", "DC", "stopped"),
        ("OC", "CA", "cancelled"),
        ("RP", "RP", "stopped"),
    ],
)
def test_order_control_and_status_give_the_status(control: str, detail: str, status: str) -> None:
    """ORC-1 decides; ORC-5 says more where ORC-1 only says new or changed."""
    assert order_of(read_segments(order(orc={1: control, 5: detail}))).status == status


@pytest.mark.parametrize(
    ("orc", "problem"),
    [
        ({1: "DC", 5: "IP"}, ("contradiction", "ORC[1]-5")),
        ({1: "SC"}, ("missing", "ORC[1]-5")),
        ({1: "UF"}, ("unsupported", "ORC[1]-1")),
        ({2: ""}, ("missing", "ORC[1]-2")),
        ({9: "20240301130600"}, ("future", "ORC[1]-9")),
        ({9: "20240301"}, ("unreadable", "ORC[1]-9")),
        ({29: "X"}, ("unknown-code", "ORC[1]-29")),
        ({1: "HD", 27: "20240301110000"}, ("contradiction", "ORC[1]-27")),
    ],
)
def test_what_orc_gets_wrong_is_named(orc: Fields, problem: tuple[str, str]) -> None:
    """Each fault has its code and its place, and the order is not used."""
    reading = read_segments(order(orc=orc))

    assert problem in problems_of(reading)
    assert reading.facts == ()


def test_a_clock_that_runs_a_little_ahead_is_no_fault() -> None:
    """A source may be some minutes ahead of the time of receipt."""
    assert order_of(read_segments(order(orc={9: "20240301130400"}))).status == "active"


def test_every_fault_of_a_message_is_named_at_once() -> None:
    """A vendor mends a message in one round, not in five."""
    reading = read_segments(order(orc={1: "ZZ", 2: "", 9: "x"}, rxe={2: "", 3: "en"}, timings=[{7: "2024"}]))

    assert problems_of(reading) == {
        ("unsupported", "ORC[1]-1"),
        ("missing", "ORC[1]-2"),
        ("unreadable", "ORC[1]-9"),
        ("missing", "RXE[1]-2"),
        ("unreadable", "RXE[1]-3.1"),
        ("unreadable", "TQ1[1]-7"),
    }


def test_what_is_discontinued_ends_when_it_says() -> None:
    """The period ends at ORC-15, unless it ended before; a stop before the start leaves the plan and says when."""
    stopped = order_of(read_segments(order(orc={1: "DC", 15: "20240310120000"})))
    planned = order_of(read_segments(order(orc={1: "DC", 15: "20240310120000"}, timings=[{8: "20240305"}])))
    early = order_of(read_segments(order(orc={1: "DC", 15: "20240301120000"})))

    start = datetime(2024, 3, 1, 23, tzinfo=UTC)
    assert stopped.period == Period(start=start, end=datetime(2024, 3, 10, 11, tzinfo=UTC))
    assert planned.period == Period(start=start, end=datetime(2024, 3, 4, 23, tzinfo=UTC))
    assert early.period == Period(start=start)


def test_times_of_an_order_are_never_filled_in() -> None:
    """Without ORC-9 and ORC-15 the fact has neither time, whatever the message's own time is."""
    (fact,) = read_segments(order(msh={7: "20240301100000"}, orc={9: "", 15: ""})).facts

    assert (fact.occurred_at, fact.recorded_at, fact.version) == (None, None, None)


def test_an_out_patient_order_has_a_prescription_that_names_it() -> None:
    """Two records from one: the order, and the prescription with NLL's id and a reference to the order."""
    reading = read_segments(order(orc={3: "f-1^NLL", 29: "O"}, rxe={12: "3"}))

    assert [(type(fact.content), fact.source_id) for fact in reading.facts] == [
        (Order, "ORD-1"),
        (Prescription, "ORD-1/prescription"),
    ]
    prescription = reading.facts[1].content
    assert isinstance(prescription, Prescription)
    assert prescription.dispenses_allowed == 4
    assert prescription.identifiers[0].value == "f-1"
    assert Reference(role="order", target=Identifier(system="hospital", value="ORD-1")) in prescription.references


def test_a_local_placer_group_is_no_chain() -> None:
    """Drugs that were ordered together are not one treatment."""
    assert all(found.role != "chain" for found in order_of(read_segments(order(orc={4: "GRP-1^COSMIC"}))).references)


def test_only_entered_in_error_takes_an_order_back() -> None:
    """A cancelled order stays as a cancelled order; one that was an error is retracted."""
    cancelled = read_segments(order(orc={1: "CA", 16: "^Dubbelt"}))
    error = read_segments(order(orc={1: "CA", 16: "entered-in-error"}))

    assert order_of(cancelled).status == "cancelled"
    (fact,) = error.facts
    assert isinstance(fact.content, Retraction)
    assert fact.content.target == Identifier(system="hospital", value="ORD-1")


def test_only_what_the_message_says_is_in_the_drug() -> None:
    """No ATC code and no substance are added to a product that the message names by NPL id alone."""
    medication = medication_of(read_segments(order()))

    assert (medication.npl_id, medication.atc, medication.ingredients) == ("99000000000030", None, ())


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("99000000000030^Seloken ZOC^NPL", "registered"),
        ("C07AB02^metoprolol^WC", "registered"),
        ("L-7^Licensmedel^99LICENS", "licence"),
        ("B-12^Blandning^99EXTEMPORE", "extempore"),
        ("X-1^Något lokalt^99LOKAL", "free-text"),
        ("^Bara ord", "free-text"),
    ],
)
def test_the_coding_tells_what_kind_of_drug_it_is(code: str, kind: str) -> None:
    """What only words or a local code identify is never matched automatically."""
    assert medication_of(read_segments(order(rxe={2: code}))).kind == kind


def test_strength_belongs_to_the_substance_that_is_named() -> None:
    """The strength of RXE-25 is that of the substance whose ATC code stands beside the product."""
    rxe = {2: "99000000000100^Alvedon^NPL^N02BE01^paracetamol^WC", 25: "24", 26: "mg", 33: "1", 34: "ml"}

    (ingredient,) = medication_of(read_segments(order(rxe=rxe))).ingredients

    assert ingredient.substance == "paracetamol"
    assert ingredient.strength is not None
    assert ingredient.per is not None
    assert (ingredient.strength.unit, ingredient.per.unit) == ("mg", "ml")


def test_an_administration_names_its_order_and_its_time() -> None:
    """What was given is a record of its own, with a reference to the order."""
    (fact,) = read_segments(administration()).facts

    assert isinstance(fact.content, Administration)
    assert fact.source_id == "ORD-1/administration/1-1"
    assert fact.occurred_at == datetime(2024, 3, 1, 7, tzinfo=UTC)
    assert fact.content.references[0] == Reference(role="order", target=Identifier(system="hospital", value="ORD-1"))


def test_an_administration_without_order_has_its_own_number() -> None:
    """A dose that nobody ordered is still a fact, and refers to no order."""
    (fact,) = read_segments(administration(orc={2: "", 3: "ADM-9"})).facts

    assert isinstance(fact.content, Administration)
    assert fact.source_id == "ADM-9/administration/1-1"
    assert [reference.role for reference in fact.content.references] == ["encounter"]


@pytest.mark.parametrize(
    ("rxa", "problem"),
    [
        ({20: ""}, ("missing", "RXA[1]-20")),
        ({20: "XX"}, ("unknown-code", "RXA[1]-20")),
        ({21: "X"}, ("unknown-code", "RXA[1]-21")),
        ({3: "20240301"}, ("unreadable", "RXA[1]-3")),
        ({3: ""}, ("missing", "RXA[1]-3")),
        ({2: ""}, ("missing", "RXA[1]-2")),
        ({6: "-1"}, ("unreadable", "RXA[1]-6.1")),
    ],
)
def test_what_rxa_gets_wrong_is_named(rxa: Fields, problem: tuple[str, str]) -> None:
    """A dose without outcome, time or number is not put on the list."""
    reading = read_segments(administration(rxa=rxa))

    assert problem in problems_of(reading)
    assert reading.facts == ()


def test_two_things_said_about_one_administration_contradict() -> None:
    """A dose cannot be given and refused in one message; the same said twice is said once."""
    given = administration()
    refused = administration(rxa={20: "RE"})[4]

    assert problems_of(read_segments([*given, refused])) == {("contradiction", "ORC[1]")}
    assert len(read_segments([*given, *given[4:]]).facts) == 1


@pytest.mark.parametrize(
    ("pid", "problem"),
    [
        ("191212121213^^^&1.2.752.129.2.1.3.1&ISO", ("person-invalid", "PID[1]-3.1")),
        ("191212121212^^^COSMIC", ("missing", "PID[1]-3")),
        (
            "191212121212^^^&1.2.752.129.2.1.3.1&ISO~195009072553^^^&1.2.752.129.2.1.3.1&ISO",
            ("contradiction", "PID[1]-3"),
        ),
    ],
)
def test_a_message_about_nobody_in_particular_is_refused(pid: str, problem: tuple[str, str]) -> None:
    """No fact without one valid person number."""
    lines = order()
    lines[1] = segment("PID", {3: pid})

    reading = read_segments(lines)

    assert problem in problems_of(reading)
    assert reading.facts == ()


def test_record_numbers_beside_the_person_number_are_passed_over() -> None:
    """The hospital's own patient number is neither needed nor in the way; a regional reserve number can stand alone."""
    lines = order()
    lines[1] = segment("PID", {3: "4711^^^&1.2.752.999&ISO^MR~191212121212^^^&1.2.752.129.2.1.3.1&ISO^NI"})
    reserve = order()
    reserve[1] = segment("PID", {3: "99-REG-123^^^&1.2.752.97.3.1.3&ISO^RRI"})

    assert order_of(read_segments(lines)).person.value == "191212121212"
    assert order_of(read_segments(reserve)).person.system == "urn:oid:1.2.752.97.3.1.3"


def test_an_unlinking_is_a_version_of_the_link() -> None:
    """Merge and un-merge are one record, whichever number stands first, and its id holds no number."""
    first, second = PID[3], "196109732393^^^&1.2.752.129.2.1.3.3&ISO^NI"
    event = segment("EVN", {2: "20240301100000"})
    merge = [segment("MSH", MSH, {9: "ADT^A40"}), event, segment("PID", PID), segment("MRG", {1: second})]
    unlink = [segment("MSH", MSH, {9: "ADT^A37"}), event, segment("PID", {3: second}), segment("PID", {3: first})]

    (linked,) = read_segments(merge).facts
    (parted,) = read_segments(unlink).facts

    assert linked.source_id == parted.source_id
    assert "1912" not in linked.source_id


@pytest.mark.parametrize(
    ("event", "pv1", "place"),
    [
        ("A01", {44: ""}, "PV1[1]-44"),
        ("A03", {45: ""}, "PV1[1]-45"),
        ("A13", {45: "20240301090000"}, "PV1[1]-45"),
        ("A01", {2: "U"}, "PV1[1]-2"),
        ("A01", {19: ""}, "PV1[1]-19"),
    ],
)
def test_a_stay_without_its_time_class_or_number_is_named(event: str, pv1: Fields, place: str) -> None:
    """When treatments at home are dormant is never guessed."""
    stay = {**PV1, 44: "20240228100000", 45: "20240301090000" if event == "A03" else "", **pv1}
    lines = [segment("MSH", MSH, {9: f"ADT^{event}"}), segment("EVN", {2: "20240301100000"}), segment("PID", PID)]

    reading = read_segments([*lines, segment("PV1", stay)])

    assert [problem.place for problem in reading.problems] == [place]
    assert reading.facts == ()
