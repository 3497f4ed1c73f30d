"""Pharmacy dispenses: status, prescription, dosage, retraction."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

import pytest

from contracts.facts.correction import Retraction
from contracts.facts.dispense import Dispense
from contracts.sources import DEFAULT_SOURCES
from contracts.systems import NLL_DISPENSE, NLL_PRESCRIPTION, NPL_ID, PERSONNUMMER
from contracts.values import DosageStep, Identifier, Quantity, Reference
from mappings.sources.pharmacy import read
from mappings.sources.reading import Context, Message, Reading
from tests.mappings.recordings import pseudonym

CONTEXT: Final = Context(
    source=next(source for source in DEFAULT_SOURCES if source.id == "pharmacy"),
    received_at=datetime(2024, 3, 1, 12, tzinfo=UTC),
    pseudonym=pseudonym,
)
SOUND: Final[dict[str, Any]] = {
    "resourceType": "MedicationDispense",
    "identifier": [{"system": NLL_DISPENSE, "value": "u-1"}],
    "status": "completed",
    "medicationCodeableConcept": {"coding": [{"system": NPL_ID, "code": "99000000000040"}]},
    "subject": {"identifier": {"system": PERSONNUMMER, "value": "191212121212"}},
    "whenHandedOver": "2024-03-01T10:00:00+01:00",
}


def read_dispense(**changes: Any) -> Reading:
    """Read a sound dispense, with changes; ``None`` leaves a field out."""
    body = {name: value for name, value in {**SOUND, **changes}.items() if value is not None}
    return read(Message(value=json.dumps(body).encode()), CONTEXT)


def dispense_of(reading: Reading) -> Dispense:
    """The only dispense."""
    assert not reading.problems
    (fact,) = reading.facts
    assert isinstance(fact.content, Dispense)
    return fact.content


def step_of(instruction: dict[str, Any]) -> DosageStep:
    """The only step of a dispense with this instruction."""
    (step,) = dispense_of(read_dispense(dosageInstruction=[instruction])).dosage.steps
    return step


@pytest.mark.parametrize(
    ("written", "status"),
    [("completed", "completed"), ("declined", "cancelled"), ("on-hold", "in-progress"), ("preparation", "in-progress")],
)
def test_only_what_was_handed_out_is_completed(written: str, status: str) -> None:
    """Prepared and declined dispenses are not supply."""
    assert dispense_of(read_dispense(status=written)).status == status


def test_the_prescription_is_named_by_its_nll_id() -> None:
    """Reference and identifier lead to the same prescription, once."""
    both = [{"reference": "MedicationRequest/f-1"}, {"identifier": {"system": NLL_PRESCRIPTION, "value": "f-1"}}]

    found = dispense_of(read_dispense(authorizingPrescription=both))

    assert found.references == (
        Reference(role="prescription", target=Identifier(system=NLL_PRESCRIPTION, value="f-1")),
    )
    assert found.identifiers == (Identifier(system=NLL_DISPENSE, value="u-1"),)


def test_a_handed_out_dispense_without_its_time_is_refused() -> None:
    """When it was handed over is not guessed from when it was recorded."""
    reading = read_dispense(whenHandedOver=None, meta={"lastUpdated": "2024-03-01T10:00:00Z"})

    assert [(problem.code, problem.place) for problem in reading.problems] == [("missing", "$.whenHandedOver")]
    assert reading.facts == ()


def test_a_dispense_in_error_is_taken_back() -> None:
    """The retraction names the record that it takes back."""
    (fact,) = read_dispense(status="entered-in-error", whenHandedOver=None).facts

    assert isinstance(fact.content, Retraction)
    assert fact.content.target == Identifier(system="pharmacy", value="u-1")


@pytest.mark.parametrize(
    ("instruction", "step"),
    [
        (
            {"timing": {"repeat": {"frequency": 2, "period": 1, "periodUnit": "d"}}},
            DosageStep(frequency=2, period=Decimal(1), period_unit="d"),
        ),
        (
            {"timing": {"repeat": {"period": 1, "periodUnit": "wk", "dayOfWeek": ["mon", "thu"]}}},
            DosageStep(frequency=1, period=Decimal(1), period_unit="wk", weekdays=("mon", "thu")),
        ),
        ({"timing": {"repeat": {"count": 1}}}, DosageStep(once=True)),
        ({"sequence": 2, "asNeededBoolean": True}, DosageStep(sequence=2, as_needed=True)),
        (
            {"doseAndRate": [{"doseRange": {"low": {"value": 1, "unit": "ml"}, "high": {"value": 2, "unit": "ml"}}}]},
            DosageStep(
                dose=Quantity(value=Decimal(1), unit="ml"),
                dose_high=Quantity(value=Decimal(2), unit="ml"),
            ),
        ),
    ],
)
def test_instructions_become_steps(instruction: dict[str, Any], step: DosageStep) -> None:
    """Structured dosage is carried as it stands."""
    assert step_of(instruction) == step


def test_words_alone_make_no_step() -> None:
    """Free text dosage stays words."""
    dosage = dispense_of(read_dispense(dosageInstruction=[{"patientInstruction": "Enligt ordination"}])).dosage

    assert (dosage.text, dosage.steps) == ("Enligt ordination", ())


@pytest.mark.parametrize(
    ("repeat", "place"),
    [
        ({"frequency": 1, "frequencyMax": 2, "period": 1, "periodUnit": "d"}, "frequencyMax"),
        ({"frequency": 1, "period": 1, "periodUnit": "min"}, "periodUnit"),
        ({"frequency": 1}, "period"),
        ({"frequency": 0, "period": 1, "periodUnit": "d"}, "frequency"),
        ({"dayOfWeek": ["monday"]}, "dayOfWeek"),
        ({"timeOfDay": ["8"]}, "timeOfDay"),
        ({"boundsDuration": {"value": 90, "unit": "min"}}, "boundsDuration"),
    ],
)
def test_timing_that_cannot_be_carried_is_named(repeat: dict[str, Any], place: str) -> None:
    """A frequency is never rounded to one that fits."""
    reading = read_dispense(dosageInstruction=[{"timing": {"repeat": repeat}}])

    assert {problem.place for problem in reading.problems} == {f"$.dosageInstruction[0].timing.repeat.{place}"}
