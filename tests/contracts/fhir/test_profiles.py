"""The profiles, asked of an independent validator: what is good passes, what is wrong is seen."""

from collections.abc import Callable
from pathlib import Path

import pytest

from mappings.fhir.exact_json import JsonObject
from mappings.fhir.regional import names
from tests.contracts.fhir.good import (
    ACCESS_CONSENT,
    CONTAINED_PATIENT,
    DATA_LOCK,
    DISPENSE,
    DOSE_BASIS,
    DOSE_CONSENT,
    EXTENSION,
    LIST_INFO,
    MEDICATION,
    NLL_RESOURCES,
    ON_PAPER,
    PATIENT,
    PROVENANCE,
    REQUEST,
    nll,
    regional,
)
from tests.fhir_validator.validator import DEFINITIONS, FhirValidator

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

Change = Callable[[JsonObject], object]

PNR = "http://electronichealth.se/identifier/personnummer"
UCUM_WEEK = {"value": 2, "unit": "wk", "system": "http://unitsofmeasure.org", "code": "wk"}


def _dosage(one: JsonObject) -> JsonObject:
    found: JsonObject = one["dosageInstruction"][0]
    return found


def _dose(one: JsonObject) -> JsonObject:
    found: JsonObject = _dosage(one)["doseAndRate"][0]["doseQuantity"]
    return found


def _extend(element: JsonObject, name: str, **value: object) -> None:
    element.setdefault("extension", []).append({"url": f"{EXTENSION}{name}", **value})


def _contain_person(one: JsonObject) -> None:
    one["contained"].append({"resourceType": "Patient", "id": "p", "identifier": [{"system": PNR, "value": "x"}]})
    one["subject"] = {"reference": "#p"}


def _contain_foreigner(one: JsonObject) -> None:
    one["contained"].append(
        {"resourceType": "Patient", "id": "p", "identifier": [{"system": "urn:oid:1.2", "value": "x"}]}
    )
    one["subject"] = {"reference": "#p"}


WRONG: dict[tuple[str, str], Change] = {
    (REQUEST, "no status"): lambda r: r.pop("status"),
    (REQUEST, "a status that NLL does not have"): lambda r: r.update(status="draft"),
    (REQUEST, "an intent that is a proposal"): lambda r: r.update(intent="proposal"),
    (REQUEST, "no identifier"): lambda r: r.pop("identifier"),
    (REQUEST, "no subject"): lambda r: r.pop("subject"),
    (REQUEST, "a group as its subject"): lambda r: r.update(subject={"reference": "Group/1"}),
    (REQUEST, "a prescriber who is not contained"): lambda r: r.update(requester={"reference": "Practitioner/1"}),
    (REQUEST, "a patient as its prescriber"): lambda r: r.update(requester={"reference": "Patient/1"}),
    (REQUEST, "a contained person with personnummer"): _contain_person,
    (REQUEST, "a contained person and no pharmacy"): _contain_foreigner,
    (REQUEST, "no dosage"): lambda r: r.pop("dosageInstruction"),
    (REQUEST, "no words for the patient"): lambda r: _dosage(r).pop("patientInstruction"),
    (REQUEST, "too many words for the patient"): lambda r: _dosage(r).update(patientInstruction="x" * 513),
    (REQUEST, "no sequence"): lambda r: _dosage(r).pop("sequence"),
    (REQUEST, "as needed for something coded"): lambda r: _dosage(r).update(asNeededCodeableConcept={"text": "smärta"}),
    (REQUEST, "a route in words alone"): lambda r: _dosage(r).update(route={"text": "oralt"}),
    (REQUEST, "a route of another code system"): lambda r: _dosage(r)["route"]["coding"][0].update(system="urn:x"),
    (REQUEST, "a length in weeks"): lambda r: _dosage(r)["timing"].update(repeat={"boundsDuration": UCUM_WEEK}),
    (REQUEST, "an end before its start"): lambda r: _dosage(r)["timing"]["repeat"]["boundsPeriod"].update(
        end="2025-03-04"
    ),
    (REQUEST, "no dose at all in its dose"): lambda r: _dose(r).update(value=0),
    (REQUEST, "a dose without a unit"): lambda r: [_dose(r).pop(name) for name in ("unit", "system", "code")],
    (REQUEST, "a unit that is not UCUM"): lambda r: _dose(r).update(code="tablett"),
    (REQUEST, "an administering instruction that is too long"): lambda r: _dosage(r)["extension"][0].update(
        valueString="x" * 513
    ),
    (REQUEST, "an ATC code of six characters"): lambda r: r["medicationCodeableConcept"]["coding"][2].update(
        code="C07AB0"
    ),
    (REQUEST, "an NPL id of thirteen digits"): lambda r: r["medicationCodeableConcept"]["coding"][1].update(
        code="2099010100001"
    ),
    (REQUEST, "a product that nobody names"): lambda r: r.update(medicationCodeableConcept={}),
    (REQUEST, "two purposes"): lambda r: _extend(r, "NLLPatientTreatmentReason", valueString="mot värk"),
    (REQUEST, "a purpose that is too long"): lambda r: r["extension"][1].update(valueString="x" * 513),
    (REQUEST, "a chain that is a string"): lambda r: r["extension"].append(
        {"url": r["extension"].pop(0)["url"], "valueString": "kedja"}
    ),
    (REQUEST, "an extension that nobody defines"): lambda r: _extend(r, "NLLNothing", valueString="x"),
    (REQUEST, "an extension out of its place"): lambda r: _extend(r, "NLLDosePackaging", valueBoolean=True),
    (REQUEST, "a workplace code of twelve digits"): lambda r: r["dispenseRequest"]["extension"][1].update(
        valueCode="070000000123"
    ),
    (REQUEST, "as many dispenses as repeats"): lambda r: r["dispenseRequest"].update(numberOfRepeatsAllowed=4),
    (REQUEST, "a predecessor that is a dispensing"): lambda r: r.update(
        priorPrescription={"reference": "MedicationDispense/1"}
    ),
    (REQUEST, "a day that does not exist"): lambda r: r["dispenseRequest"]["validityPeriod"].update(end="2026-02-30"),
    (DISPENSE, "no prescription"): lambda r: r.pop("authorizingPrescription"),
    (ON_PAPER, "a prescription"): lambda r: r.update(authorizingPrescription=[{"reference": "MedicationRequest/1"}]),
    (DISPENSE, "no identifier"): lambda r: r.pop("identifier"),
    (DISPENSE, "a pharmacy with a short number"): lambda r: r["location"]["identifier"].update(value="735000"),
    (DISPENSE, "no packages"): lambda r: r["extension"][0].update(valuePositiveInt=0),
    (DISPENSE, "an amount without a unit"): lambda r: r.update(quantity={"value": 100}),
    (DISPENSE, "a time without a zone"): lambda r: r.update(whenHandedOver="2025-03-06T11:40:00"),
    (DISPENSE, "no patient"): lambda r: r.pop("subject"),
    (MEDICATION, "no id of an article"): lambda r: r["identifier"][0].update(system="urn:x"),
    (MEDICATION, "a pack id with letters"): lambda r: r["identifier"][0].update(value="2099010110001X"),
    (MEDICATION, "an article in error"): lambda r: r.update(status="entered-in-error"),
    (MEDICATION, "a form without words"): lambda r: r.update(form={"coding": [{"system": "urn:x", "code": "1"}]}),
    (MEDICATION, "an amount per two"): lambda r: r.update(
        amount={"numerator": {"value": 30, "unit": "st"}, "denominator": {"value": 2, "unit": "st"}}
    ),
    (MEDICATION, "a part of article information that nobody defines"): lambda r: r["extension"][0]["extension"].append(
        {"url": "colour", "valueString": "x"}
    ),
    (PATIENT, "a personnummer of eleven digits"): lambda r: r["identifier"][0].update(value="19121212121"),
    (PATIENT, "a personnummer with a hyphen"): lambda r: r["identifier"][0].update(value="19121212-1212"),
    (PATIENT, "the thirteenth month"): lambda r: r["identifier"][0].update(value="191213121212"),
    (PATIENT, "another day of birth"): lambda r: r.update(birthDate="1912-12-13"),
    (PATIENT, "a gender that contradicts the number"): lambda r: r.update(gender="female"),
    (PATIENT, "no personnummer"): lambda r: r["identifier"][0].update(system="urn:oid:1.2"),
    (PATIENT, "two names"): lambda r: r["name"].append({"text": "x"}),
    (CONTAINED_PATIENT, "a personnummer"): lambda r: r["identifier"][0].update(system=PNR, value="191212121212"),
    (CONTAINED_PATIENT, "a samordningsnummer with a day of birth"): lambda r: r["identifier"][0].update(
        value="196109132393"
    ),
    (PROVENANCE, "no activity"): lambda r: r.pop("activity"),
    (PROVENANCE, "an activity in small letters"): lambda r: r["activity"]["coding"][0].update(code="registrera"),
    (PROVENANCE, "an agent who is neither author nor enterer"): lambda r: r["agent"][0]["type"]["coding"][0].update(
        code="verifier"
    ),
    (PROVENANCE, "a reason that is too long"): lambda r: r.update(reason=[{"text": "x" * 257}]),
    (PROVENANCE, "no target"): lambda r: r.pop("target"),
    (LIST_INFO, "no version"): lambda r: r["extension"][0]["extension"].pop(0),
    (LIST_INFO, "another code"): lambda r: r["code"]["coding"][0].update(code="datalock"),
    (LIST_INFO, "no subject"): lambda r: r.pop("subject"),
    (DATA_LOCK, "no target"): lambda r: r["extension"].pop(0),
    (DATA_LOCK, "a target that is a person"): lambda r: r["extension"][0].update(
        valueReference={"reference": "Patient/p-12"}
    ),
    (DATA_LOCK, "a kind that nobody knows"): lambda r: r["extension"][1].update(valueCode="public"),
    (DATA_LOCK, "no status"): lambda r: r["extension"].pop(),
    (DATA_LOCK, "another code"): lambda r: r["code"]["coding"][0].update(code="medlistinfo"),
    (DOSE_BASIS, "no status"): lambda r: r["extension"].pop(0),
    (DOSE_BASIS, "a status that nobody knows"): lambda r: r["extension"][0].update(valueCode="maybe"),
    (DOSE_BASIS, "no version"): lambda r: r["extension"].pop(),
    (DOSE_BASIS, "a version before the first"): lambda r: r["extension"][1].update(valueInteger=0),
    (DOSE_BASIS, "another code"): lambda r: r["code"]["coding"][0].update(code="datalock"),
    (DOSE_BASIS, "no subject"): lambda r: r.pop("subject"),
    (DOSE_CONSENT, "no dose actor"): lambda r: r.pop("organization"),
    (DOSE_CONSENT, "a dose actor that nobody can name"): lambda r: r.update(organization=[{"display": "Apoteket"}]),
    (DOSE_CONSENT, "a dose actor with a short number"): lambda r: r["organization"][0]["identifier"].update(
        value="735"
    ),
    (DOSE_CONSENT, "a proposal"): lambda r: r.update(status="proposed"),
    (DOSE_CONSENT, "the code of another consent"): lambda r: r["category"][0]["coding"][0].update(code="accessconsent"),
    (ACCESS_CONSENT, "no patient"): lambda r: r.pop("patient"),
    (ACCESS_CONSENT, "a draft"): lambda r: r.update(status="draft"),
    (ACCESS_CONSENT, "two categories"): lambda r: r["category"].append(r["category"][0]),
    (ACCESS_CONSENT, "no scope"): lambda r: r.pop("scope"),
    (ACCESS_CONSENT, "no policy"): lambda r: r.pop("policyRule"),
}


def _find(bundle: JsonObject, profile: str) -> JsonObject:
    found: JsonObject = next(
        entry["resource"] for entry in bundle["entry"] if entry["resource"]["meta"]["profile"] == [profile]
    )
    return found


def _part(resource: JsonObject, url: str) -> JsonObject:
    found: JsonObject = next(one for one in resource["extension"] if one["url"] == url)
    return found


def _without(resource: JsonObject, url: str) -> None:
    resource["extension"] = [one for one in resource["extension"] if one["url"] != url]


WRONG_REGIONAL: dict[tuple[str, str], Change] = {
    (names.LINE, "no exact state"): lambda r: _without(r, names.STATE),
    (names.LINE, "a status that is not its state's"): lambda r: r.update(status="completed"),
    (names.LINE, "a state that nobody has"): lambda r: _part(r, names.STATE).update(valueCode="resting"),
    (names.LINE, "no strand"): lambda r: r["identifier"].pop(0),
    (names.LINE, "a dose that is undecided, and there"): lambda r: r["extension"].append(
        {"url": names.UNDECIDED, "valueCode": "dosage"}
    ),
    (names.LINE, "an end that is undecided, and there"): lambda r: r["extension"].append(
        {"url": names.UNDECIDED, "valueCode": "end"}
    ),
    (names.LINE, "a daily dose without its status"): lambda r: _part(r, names.DAILY_DOSE)["extension"].pop(0),
    (names.LINE, "a daily dose that varies, with a figure"): lambda r: _part(r, names.DAILY_DOSE)["extension"][
        0
    ].update(valueCode="varies"),
    (names.LINE, "a time in place of a period"): lambda r: (
        r.pop("effectivePeriod"),
        r.update(effectiveDateTime="2026-03-01"),
    ),
    (names.LINE, "an end before its start"): lambda r: r["effectivePeriod"].update(end="2026-01-01"),
    (names.LINE, "derived from what is not there"): lambda r: r["derivedFrom"].append(
        {"reference": "urn:uuid:7d2b1230-4bb0-556a-9fde-4d5febfa2a8e"}
    ),
    (names.LINE, "counted facts without a digest"): lambda r: _part(r, names.COUNTED)["extension"].pop(),
    (names.LINE, "another patient"): lambda r: r.update(
        subject={"reference": "urn:uuid:7d2b1230-4bb0-556a-9fde-4d5febfa2a8e"}
    ),
    (names.ORDER, "no category"): lambda r: r.pop("category"),
    (names.ORDER, "the layer of prescriptions"): lambda r: r["category"][0]["coding"][0].update(code="prescribed"),
    (names.ORDER, "a plan"): lambda r: r.update(intent="plan"),
    (names.ORDER, "a layer that nobody has"): lambda r: r["category"][0]["coding"][0].update(code="imagined"),
    (names.ORDER, "a status that is not its state's"): lambda r: r.update(status="stopped"),
    (names.STATEMENT, "the layer of orders"): lambda r: r["category"]["coding"][0].update(code="intended"),
    (names.STATEMENT, "based on a line"): lambda r: r["basedOn"][0].update(
        reference="urn:uuid:7d2b1230-4bb0-556a-9fde-4d5febfa2a8e"
    ),
    (names.PRESCRIPTION, "no id of its source"): lambda r: r["identifier"].pop(1),
    (names.PRESCRIPTION, "no id of its record"): lambda r: r["identifier"].pop(0),
    (names.PRESCRIPTION, "no fact"): lambda r: _without(r, names.FACT),
    (names.PRESCRIPTION, "no source"): lambda r: _without(r, names.SOURCE),
    (names.DISPENSED, "completed at no time"): lambda r: r.pop("whenHandedOver"),
    (names.DISPENSED, "fewer than no dispenses left"): lambda r: _part(r, names.SUPPLY)["extension"][1].update(
        valueUnsignedInt=-1
    ),
    (names.DISPENSED, "figures with a part that nobody defines"): lambda r: _part(r, names.SUPPLY)["extension"].append(
        {"url": "lost", "valueUnsignedInt": 1}
    ),
    (names.GIVEN, "no figures"): lambda r: _without(r, names.ADMINISTRATIONS),
    (names.GIVEN, "not done, at a time"): lambda r: r.update(status="not-done"),
    (names.GIVEN, "given at no time"): lambda r: (
        r.pop("effectiveDateTime"),
        r.update(effectivePeriod={"extension": [{"url": names.DATA_ABSENT, "valueCode": "unknown"}]}),
    ),
    (names.GIVEN, "unknown, at a time"): lambda r: r.update(status="unknown"),
    (names.GIVEN, "an outcome that nobody has"): lambda r: _part(r, names.ADMINISTRATIONS)["extension"][2].update(
        valueCode="forgotten"
    ),
    (names.FINDING, "a code that is not in the catalogue"): lambda r: r["code"]["coding"][0].update(code="bad-luck"),
    (names.FINDING, "no English words"): lambda r: r["code"].pop("_text"),
    (names.FINDING, "no Swedish words"): lambda r: (r["code"].pop("text"), r["code"].pop("_text")),
    (names.FINDING, "no severity"): lambda r: r.pop("severity"),
    (names.FINDING, "no key"): lambda r: r.pop("identifier"),
    (names.FINDING, "nobody says whether to decide"): lambda r: _without(r, names.NEEDS_DECISION),
    (names.FINDING, "a line that is not there"): lambda r: r["implicated"][0].update(
        reference="urn:uuid:7d2b1230-4bb0-556a-9fde-4d5febfa2a8e"
    ),
    (names.FINDING, "evidence that is no fact"): lambda r: r["evidence"][0]["detail"][0]["identifier"].update(
        system="urn:x"
    ),
    (names.PROVENANCE, "no rules"): lambda r: r["agent"][0]["who"]["identifier"].update(system="urn:x"),
    (names.PROVENANCE, "an author"): lambda r: r["agent"][0]["type"]["coding"][0].update(code="author"),
    (names.PROVENANCE, "no target"): lambda r: r.pop("target"),
    (names.PATIENT, "a name"): lambda r: r.update(name=[{"text": "Tolvan"}]),
    (names.PATIENT, "no pseudonym"): lambda r: r["identifier"].pop(0),
    (names.PATIENT, "three numbers"): lambda r: r["identifier"].append({"system": "urn:oid:1.2", "value": "1"}),
    (names.LIST, "a line that is not there"): lambda r: r["entry"][0]["item"].update(
        reference="urn:uuid:7d2b1230-4bb0-556a-9fde-4d5febfa2a8e"
    ),
    (names.LIST, "a line twice"): lambda r: r["entry"].append(r["entry"][0]),
    (names.LIST, "a line left out"): lambda r: r.pop("entry"),
    (names.LIST, "a snapshot"): lambda r: r.update(mode="snapshot"),
    (names.LIST, "no title"): lambda r: r.pop("title"),
}

WRONG_BUNDLE: dict[str, Change] = {
    "a document": lambda b: b.update(type="document"),
    "no version": lambda b: b.pop("identifier"),
    "a version that is no hash": lambda b: b["identifier"].update(value="7"),
    "two patients": lambda b: b["entry"].append(
        {"fullUrl": "urn:uuid:7d2b1230-4bb0-556a-9fde-4d5febfa2a8e", "resource": b["entry"][0]["resource"]}
    ),
    "an address twice": lambda b: b["entry"].append(b["entry"][0]),
    "a resource that does not say what it is": lambda b: b["entry"][3]["resource"].pop("meta"),
    "no addresses": lambda b: b["entry"][-1].pop("fullUrl"),
}


@pytest.mark.parametrize("profile", NLL_RESOURCES)
def test_a_good_resource_passes(fhir_validator: FhirValidator, profile: str) -> None:
    """What the wrong ones are made from is right."""
    assert fhir_validator.errors(nll(profile), profile) == []


def test_a_dispensing_on_paper_passes(fhir_validator: FhirValidator) -> None:
    """It is one without a prescription."""
    resource = nll(DISPENSE)
    del resource["authorizingPrescription"]

    assert fhir_validator.errors(resource, ON_PAPER) == []


def test_the_good_regional_bundle_passes(fhir_validator: FhirValidator) -> None:
    """It holds a resource of every regional profile."""
    resource = regional()

    assert fhir_validator.errors(resource) == []
    told = {entry["resource"]["meta"]["profile"][0] for entry in resource["entry"]}
    assert told | {names.LIST_BUNDLE} == {value for value in vars(names).values() if str(value).startswith(_REGIONAL)}


@pytest.mark.parametrize(("profile", "name"), WRONG, ids=lambda text: text.rpartition(":")[2])
def test_a_wrong_resource_is_seen(fhir_validator: FhirValidator, profile: str, name: str) -> None:
    """One change each, of what the profile or base FHIR forbids."""
    resource = nll(DISPENSE if profile == ON_PAPER else profile)
    if profile == ON_PAPER:
        del resource["authorizingPrescription"]

    WRONG[profile, name](resource)

    assert fhir_validator.errors(resource, profile) != []


@pytest.mark.parametrize(("profile", "name"), WRONG_REGIONAL, ids=lambda text: text.rpartition(":")[2])
def test_a_wrong_part_of_a_bundle_is_seen(fhir_validator: FhirValidator, profile: str, name: str) -> None:
    """One change each, in one resource of the Bundle."""
    bundle = regional()

    WRONG_REGIONAL[profile, name](_find(bundle, profile))

    assert fhir_validator.errors(bundle) != []


@pytest.mark.parametrize("name", WRONG_BUNDLE)
def test_a_wrong_bundle_is_seen(fhir_validator: FhirValidator, name: str) -> None:
    """One change each, of the Bundle itself."""
    bundle = regional()

    WRONG_BUNDLE[name](bundle)

    assert fhir_validator.errors(bundle) != []


def test_every_definition_is_held(fhir_validator: FhirValidator) -> None:
    """None is passed over."""
    assert fhir_validator.definitions == len(list(Path(DEFINITIONS).rglob("*.json")))


_REGIONAL = "urn:medlist:fhir:regional-"
