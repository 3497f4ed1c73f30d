"""Everything that the mappings make is accepted by an independent validator: no errors, from the first to the last."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import pytest

from contracts.facts.dispense import Dispense
from contracts.medication_list import Layer, MedicationList
from contracts.systems import PERSONNUMMER, SAMORDNINGSNUMMER
from contracts.values import Dosage, DosageStep, Identifier, Period
from mappings.fhir.amendment import amended, cancelled, ended
from mappings.fhir.data_lock import data_lock, with_status
from mappings.fhir.exact_json import JsonObject, read_json, write_json
from mappings.fhir.medication_dispense import Handover, medication_dispense
from mappings.fhir.medication_request import ContainedPatient, KnownPatient, Terms, medication_request
from mappings.fhir.regional import names, regional_bundle
from mappings.sources.readers import READERS
from tests.contracts.fhir.good import DATA_LOCK, DISPENSE, ON_PAPER, REQUEST, nll
from tests.fhir_validator.validator import FhirValidator
from tests.mappings.fhir.golden import cases
from tests.mappings.fhir.regional.lists import WHERE_FROM, edition, lists_from, story
from tests.mappings.recordings import discover
from tests.streams.publish.cases import line, standing, the_list

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

FOREIGNER = ContainedPatient(Identifier(system=SAMORDNINGSNUMMER, value="196109732393"))
PATIENT = KnownPatient("p-12")


def profile_of(resource: JsonObject) -> str:
    """What an NLL-style resource should be, by its kind and instance data, as NLL itself decides."""
    if resource["resourceType"] == "MedicationRequest":
        return REQUEST
    return DISPENSE if "authorizingPrescription" in resource else ON_PAPER


def requests_of(lists: tuple[MedicationList, ...]) -> Iterator[JsonObject]:
    """Every prescription of these lists as we would send it: new, and for a person without personnummer."""
    for one in lists:
        for prescription in (prescription for item in one.items for prescription in item.prescriptions):
            for subject in (PATIENT, FOREIGNER):
                made = medication_request(prescription, Terms(subject=subject))
                if isinstance(made, dict):
                    yield made


@pytest.mark.parametrize("where", WHERE_FROM)
def test_every_bundle_of_a_list_is_valid(fhir_validator: FhirValidator, where: str) -> None:
    """With all of its lines, layers, prescriptions, findings and reasons."""
    for one in lists_from(where):
        assert fhir_validator.errors(write_json(regional_bundle(one, edition(one)))) == []


def test_a_bundle_without_a_time_is_valid(fhir_validator: FhirValidator) -> None:
    """What R4 demands and nobody knows is marked as unknown."""
    assert fhir_validator.errors(write_json(regional_bundle(story(), edition(story(), put_out_at=None)))) == []


@pytest.mark.parametrize("where", ["line", "layer", "prescription", "step"])
def test_a_period_that_ends_before_it_begins_is_told_all_the_same(fhir_validator: FhirValidator, where: str) -> None:
    """Sources contradict themselves and each other; FHIR has no period for it, so both ends stand as they are."""
    begins, ends = datetime(2026, 3, 8, 23, tzinfo=UTC), datetime(2026, 3, 1, 23, tzinfo=UTC)
    wrong = Period(start=begins, end=ends)
    taper = Dosage(
        text="nedtrappning", steps=(DosageStep(sequence=1, duration_days=14), DosageStep(sequence=2, text="sedan"))
    )
    short = Period(start=ends, end=begins)
    one = {
        "line": lambda: line(standing(), start=begins, end=ends),
        "layer": lambda: line(layers={"intended": Layer(period=wrong), "reported": Layer(period=wrong)}),
        "prescription": lambda: line(standing(period=wrong)),
        "step": lambda: line(standing(period=short, dosage=taper)),
    }[where]()

    written = write_json(regional_bundle(the_list(one), edition(the_list(one))))

    assert fhir_validator.errors(written) == []
    assert written.count(names.CONTRADICTORY.encode()) == (2 if where == "layer" else 1)


@pytest.mark.parametrize("where", WHERE_FROM)
def test_every_prescription_toward_nll_is_valid(fhir_validator: FhirValidator, where: str) -> None:
    """Created, ended, cancelled, and changed into something that another system wrote."""
    made = list(requests_of(lists_from(where)))

    assert made
    for resource in made:
        for sent in (resource, ended(resource), cancelled(resource)):
            assert fhir_validator.errors(sent, REQUEST) == []
    changed = amended(nll(REQUEST), made[0])
    assert fhir_validator.errors(changed, REQUEST) == []


def test_every_dispensing_of_the_recordings_is_valid(fhir_validator: FhirValidator) -> None:
    """On a prescription of NLL, on one of another system, and on paper."""
    seen = 0
    for recording in discover():
        for fact in READERS[recording.source.reader](recording.message, recording.context).facts:
            if isinstance(fact.content, Dispense):
                handover = Handover(record=fact.id, subject=PATIENT, handed_over=fact.occurred_at)
                resource = medication_dispense(fact.content, handover)
                assert fhir_validator.errors(resource, profile_of(resource)) == []
                seen += 1
    assert seen > 0


@pytest.mark.parametrize(
    "path", sorted(path for case in cases() for path in case.glob("resource.json")), ids=lambda path: path.parent.name
)
def test_every_golden_is_valid(fhir_validator: FhirValidator, path: Path) -> None:
    """As committed."""
    resource = read_json(path.read_bytes())

    assert fhir_validator.errors(resource, profile_of(resource)) == []


@pytest.mark.parametrize("block", ["integrity", "secrecy"])
@pytest.mark.parametrize("subject", [PATIENT, FOREIGNER])
def test_every_lock_is_valid(
    fhir_validator: FhirValidator, block: Literal["integrity", "secrecy"], subject: KnownPatient | ContainedPatient
) -> None:
    """In force and lifted, also of a person without personnummer."""
    lock = data_lock("3c3ae2f5-7b9f-54cc-8795-9a2632f6c440", "f-7001", subject, block)

    for one in (lock, with_status(lock, in_force=False)):
        assert fhir_validator.errors(one, DATA_LOCK) == []


def test_a_person_with_personnummer_is_not_contained(fhir_validator: FhirValidator) -> None:
    """The profile sees what the mapping refuses; both are asked, so that neither can forget."""
    resource = nll(REQUEST)
    resource["contained"].append(
        {"resourceType": "Patient", "id": "p", "identifier": [{"system": PERSONNUMMER, "value": "191212121212"}]}
    )

    assert fhir_validator.errors(resource, REQUEST) != []
