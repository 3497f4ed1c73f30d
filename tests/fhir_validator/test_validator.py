"""The validator itself: what it must see, and how it fails."""

from decimal import Decimal
from pathlib import Path

import pytest

from mappings.fhir.exact_json import write_json
from tests.fhir_validator.validator import FhirValidator, ValidatorStoppedError, running

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]  # the first build fetches some 180 MB

PATIENT = "http://hl7.org/fhir/StructureDefinition/Patient"
REQUEST = "http://hl7.org/fhir/StructureDefinition/MedicationRequest"
GOOD = {
    "resourceType": "MedicationRequest",
    "status": "active",
    "intent": "order",
    "medicationCodeableConcept": {"coding": [{"system": "http://www.whocc.no/atc", "code": "C07AB02"}]},
    "subject": {"reference": "Patient/1"},
    "dosageInstruction": [{"doseAndRate": [{"doseQuantity": {"value": Decimal("0.50")}}]}],
}


def test_a_good_resource_has_no_errors(fhir_validator: FhirValidator) -> None:
    """A code system that nobody can ship is no error."""
    assert fhir_validator.errors(GOOD, REQUEST) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"status": "dispensed"},
        {"subject": {"reference": "Medication/1"}},
        {"subject": {"reference": "Patiens/1"}},
        {"authoredOn": "2026-13-01"},
        {"extension": [{"url": "urn:nobody", "valueString": "x"}]},
        {"unheardOf": True},
        {"note": []},
        {"meta": {"profile": ["urn:nobody"]}},
    ],
    ids=lambda wrong: str(wrong)[:40],
)
def test_a_wrong_resource_is_seen(fhir_validator: FhirValidator, wrong: dict[str, object]) -> None:
    """Codes, types of references, dates, unknown extensions, elements and profiles."""
    assert fhir_validator.errors(GOOD | wrong, REQUEST) != []


def test_lines_and_letters_do_not_confuse_the_way_there(fhir_validator: FhirValidator) -> None:
    """A document over several lines, with Swedish letters, is one question with one answer."""
    document = '{\n "resourceType": "Patient",\n\n "name": [{"family": "Åkerö\\u2028Öst"}]\n}'.encode()

    assert fhir_validator.errors(document, PATIENT) == []
    assert fhir_validator.errors(write_json(GOOD), REQUEST) == []


def test_a_resource_that_nobody_says_what_it_is_is_refused(fhir_validator: FhirValidator) -> None:
    """Against base FHIR alone nearly everything would pass."""
    with pytest.raises(ValueError, match=r"without meta\.profile"):
        fhir_validator.issues(GOOD)


SLIPPED = {
    "resourceType": "StructureDefinition",
    "url": "urn:x",
    "name": "X",
    "status": "draft",
    "kind": "resource",
    "abstract": False,
    "type": "Patient",
    "baseDefinition": PATIENT,
    "derivation": "constraint",
    "differential": {
        "element": [{"id": "Patient", "path": "Patient"}, {"id": "Patient.shoe", "path": "Patient.shoe", "min": 1}]
    },
}


@pytest.mark.parametrize(("change", "told"), [({}, "Patient.shoe"), ({"sort": "x"}, "sort")])
def test_a_definition_that_cannot_be_used_ends_it(tmp_path: Path, change: dict[str, object], told: str) -> None:
    """A profile with a slip would otherwise check nothing, and nobody would see it."""
    (tmp_path / "x.json").write_bytes(write_json(SLIPPED | change))

    with pytest.raises(ValidatorStoppedError, match=told), running(tmp_path):
        pass
