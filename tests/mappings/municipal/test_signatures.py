"""Municipal signatures: outcomes, references, versions, retractions, bundles."""

import json
from datetime import UTC, datetime
from typing import Any, Final

import pytest

from contracts.facts.administration import Administration
from contracts.facts.correction import Retraction
from contracts.sources import DEFAULT_SOURCES
from contracts.systems import NLL_PRESCRIPTION, NPL_ID, PERSONNUMMER
from contracts.values import Identifier, Reference
from mappings.codes.outcomes import OUTCOMES
from mappings.sources.municipal import read
from mappings.sources.reading import Context, Message, Reading
from tests.mappings.recordings import pseudonym

CONTEXT: Final = Context(
    source=next(source for source in DEFAULT_SOURCES if source.id == "municipal"),
    received_at=datetime(2024, 3, 1, 12, tzinfo=UTC),
    pseudonym=pseudonym,
)
SOUND: Final[dict[str, Any]] = {
    "resourceType": "MedicationAdministration",
    "id": "a-1",
    "status": "completed",
    "medicationCodeableConcept": {"coding": [{"system": NPL_ID, "code": "99000000000040"}]},
    "subject": {"identifier": {"system": PERSONNUMMER, "value": "191212121212"}},
    "effectiveDateTime": "2024-03-01T08:00:00+01:00",
    "dosage": {"dose": {"value": 1, "unit": "tablett"}},
}


def signature(**changes: Any) -> dict[str, Any]:
    """Write a sound resource, with changes; ``None`` leaves a field out."""
    return {name: value for name, value in {**SOUND, **changes}.items() if value is not None}


def read_json(body: Any) -> Reading:
    """Read a message of this JSON value."""
    return read(Message(value=json.dumps(body).encode()), CONTEXT)


def administration_of(reading: Reading) -> Administration:
    """The only administration."""
    assert not reading.problems
    (fact,) = reading.facts
    assert isinstance(fact.content, Administration)
    return fact.content


def problems_of(reading: Reading) -> set[tuple[str, str]]:
    """Codes and places of the problems."""
    return {(problem.code, problem.place) for problem in reading.problems}


def because(code: str) -> list[dict[str, Any]]:
    """Write a statusReason."""
    return [{"coding": [{"code": code}]}]


@pytest.mark.parametrize("outcome", sorted(OUTCOMES))
def test_every_outcome_can_be_signed(outcome: str) -> None:
    """Each row of the outcome table is reached by its code and its usual status."""
    row = next(row for row in OUTCOMES.values() if row.outcome == outcome)

    found = administration_of(read_json(signature(status=row.statuses[0], statusReason=because(row.codes[0]))))

    assert (found.outcome, found.status) == (outcome, row.statuses[0])


@pytest.mark.parametrize(
    ("status", "reason", "outcome"),
    [
        ("completed", None, "given"),
        ("not-done", None, "other"),
        ("on-hold", None, "held"),
        ("completed", "spill", "other"),
        ("not-done", "spill", "other"),
    ],
)
def test_a_status_without_a_known_reason_says_no_more_than_it_says(
    status: str, reason: str | None, outcome: str
) -> None:
    """An unknown reason stays as words; it is never read as given."""
    reasons = None if reason is None else because(reason)

    found = administration_of(read_json(signature(status=status, statusReason=reasons)))

    assert found.outcome == outcome
    assert (found.reason is not None) == (reason is not None)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"status": "not-done", "statusReason": because("late")}, ("contradiction", "$.statusReason")),
        (
            {"status": "not-done", "statusReason": [*because("refused"), *because("asleep")]},
            ("contradiction", "$.statusReason"),
        ),
        ({"status": "unknown"}, ("unsupported", "$.status")),
        ({"status": None}, ("missing", "$.status")),
        ({"effectiveDateTime": None}, ("missing", "$.effectiveDateTime")),
        ({"effectiveDateTime": "2024-03-01"}, ("unreadable", "$.effectiveDateTime")),
        ({"effectivePeriod": {"start": "2024-03-01T08:00:00Z"}}, ("contradiction", "$.effectivePeriod")),
        ({"subject": {"reference": "Patient/p-12"}}, ("missing", "$.subject.identifier")),
        ({"medicationCodeableConcept": None}, ("missing", "$.medicationCodeableConcept")),
        (
            {"medicationCodeableConcept": None, "medicationReference": {"reference": "Medication/m"}},
            ("missing", "$.medicationReference.reference"),
        ),
        ({"request": {"identifier": {"value": "ORD-1"}}}, ("missing", "$.request.identifier.system")),
        ({"dosage": {"dose": {"value": 1}}}, ("missing", "$.dosage.dose.unit")),
        ({"id": None}, ("missing", "$.identifier")),
        ({"implicitRules": "urn:other"}, ("unsupported", "$.implicitRules")),
        ({"meta": {"lastUpdated": "2024-03-01T13:06:00+00:00"}}, ("future", "$.meta.lastUpdated")),
    ],
)
def test_what_a_signature_gets_wrong_is_named(changes: dict[str, Any], problem: tuple[str, str]) -> None:
    """Each fault has its code and its JSON path, and the signature is not used."""
    reading = read_json(signature(**changes))

    assert problems_of(reading) == {problem}
    assert reading.facts == ()


@pytest.mark.parametrize(
    ("request_", "reference"),
    [
        (
            {"reference": "MedicationRequest/f-1"},
            Reference(role="prescription", target=Identifier(system=NLL_PRESCRIPTION, value="f-1")),
        ),
        (
            {"identifier": {"system": NLL_PRESCRIPTION, "value": "f-1"}},
            Reference(role="prescription", target=Identifier(system=NLL_PRESCRIPTION, value="f-1")),
        ),
        (
            {"identifier": {"system": "urn:medlist:source:hospital", "value": "ORD-1"}},
            Reference(role="order", target=Identifier(system="hospital", value="ORD-1")),
        ),
    ],
)
def test_a_request_is_a_prescription_or_an_order_by_its_issuer(request_: dict[str, Any], reference: Reference) -> None:
    """NLL's ids are prescriptions, ids of our sources are orders there."""
    assert administration_of(read_json(signature(request=request_))).references == (reference,)


def test_a_correction_is_a_higher_version_of_the_same_record() -> None:
    """The identifier stays, ``meta.versionId`` rises; a version that is no number does not order anything."""
    named = {"identifier": [{"system": "urn:x", "value": "sign-1"}]}
    first = read_json(signature(**named, meta={"versionId": "1"})).facts[0]
    second = read_json(signature(**named, meta={"versionId": "2"}, statusReason=because("late"))).facts[0]
    lettered = read_json(signature(**named, meta={"versionId": "b"})).facts[0]

    assert (first.source_id, first.version) == ("sign-1", 1)
    assert (second.source_id, second.version) == ("sign-1", 2)
    assert lettered.version is None


def test_a_signature_in_error_needs_little_to_be_taken_back() -> None:
    """A retraction names its record; that the erroneous content is incomplete does not stop it."""
    reading = read_json(
        signature(status="entered-in-error", medicationCodeableConcept=None, effectiveDateTime=None, dosage=None)
    )

    (fact,) = reading.facts
    assert isinstance(fact.content, Retraction)
    assert fact.content.target == Identifier(system="municipal", value="a-1")


def test_staff_are_known_by_code_never_by_person_number() -> None:
    """A performer's person number is left out of the fact."""
    actor = {"type": "Practitioner", "identifier": {"system": PERSONNUMMER, "value": "195009072553"}}

    assert administration_of(read_json(signature(performer=[{"actor": actor}]))).performer is None


@pytest.mark.parametrize("kind", ["collection", "transaction", "batch"])
def test_entries_of_a_bundle_stand_for_themselves(kind: str) -> None:
    """A bad entry is named by its place; the others become facts."""
    entries = [
        {"resource": signature(id="a-1")},
        {"resource": signature(status="?")},
        {"resource": signature(id="a-3")},
    ]

    reading = read_json({"resourceType": "Bundle", "type": kind, "entry": entries})

    assert [fact.source_id for fact in reading.facts] == ["a-1", "a-3"]
    assert problems_of(reading) == {("unsupported", "$.entry[1].resource.status")}


def test_entries_that_disagree_about_one_record_are_both_left_out() -> None:
    """Which of two different statements holds is not decided by their order in the message."""
    entries = [{"resource": signature()}, {"resource": signature(status="not-done")}, {"resource": signature(id="a-2")}]

    reading = read_json({"resourceType": "Bundle", "type": "collection", "entry": entries})

    assert [fact.source_id for fact in reading.facts] == ["a-2"]
    assert problems_of(reading) == {
        ("contradiction", "$.entry[0].resource"),
        ("contradiction", "$.entry[1].resource"),
    }


def test_a_delete_in_a_transaction_is_refused() -> None:
    """A signature is taken back by its status, which says who and when."""
    entries = [{"resource": signature(), "request": {"method": "DELETE", "url": "MedicationAdministration/a-1"}}]

    reading = read_json({"resourceType": "Bundle", "type": "transaction", "entry": entries})

    assert problems_of(reading) == {("unsupported", "$.entry[0].request.method")}
    assert reading.facts == ()


def test_patient_and_drug_may_be_entries_of_the_bundle() -> None:
    """References are followed inside the message."""
    patient = {
        "resourceType": "Patient",
        "id": "p",
        "identifier": [SOUND["subject"]["identifier"]],
    }
    drug = {"resourceType": "Medication", "id": "m", "code": {"text": "Waran 2,5 mg"}}
    own = signature(
        subject={"reference": "Patient/p"},
        medicationCodeableConcept=None,
        medicationReference={"reference": "urn:uuid:0-m"},
    )
    entries = [{"resource": patient}, {"fullUrl": "urn:uuid:0-m", "resource": drug}, {"resource": own}]

    found = administration_of(read_json({"resourceType": "Bundle", "type": "collection", "entry": entries}))

    assert (found.person.value, found.medication.text) == ("191212121212", "Waran 2,5 mg")


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ([], ("unreadable", "$")),
        ({}, ("missing", "$.resourceType")),
        ({"resourceType": "Observation"}, ("unsupported", "$.resourceType")),
        ({"resourceType": "Bundle", "type": "searchset", "entry": []}, ("unsupported", "$.type")),
        ({"resourceType": "Bundle", "type": "collection", "entry": []}, ("missing", "$.entry")),
    ],
)
def test_what_is_no_signature_at_all_is_refused_by_name(body: Any, problem: tuple[str, str]) -> None:
    """A message without facts has problems."""
    reading = read_json(body)

    assert problems_of(reading) == {problem}
    assert reading.facts == ()
