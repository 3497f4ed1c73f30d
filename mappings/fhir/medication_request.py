"""A standing prescription to an NLLMedicationRequest, plain JSON with exact decimals (``nll-reference`` section 1.4).

What the source did not state is left out, and completed by the server (prescription id, chain, validity). Whatever would
have to be cut or guessed is a problem, and then there is no resource.
"""

from datetime import datetime
from typing import Final

import msgspec

from contracts.facts.prescribing import Prescription
from contracts.medication_list import StandingPrescription
from contracts.problems import Problem
from contracts.systems import ARTICLE_NUMBER, ATC, NLL_CHAIN, NLL_PRESCRIPTION, NPL_ID, NPL_PACK_ID, PERSONNUMMER, UCUM
from contracts.values import Identifier, Medication, Period, Practitioner, Reason
from mappings.fhir.dosage import Directions, dosage_instruction, dosage_problems
from mappings.fhir.dosage_text import dosage_text
from mappings.fhir.exact_json import JsonObject
from mappings.fhir.times import start_of_day, swedish_day, written_time
from mappings.fhir.vocabulary import (
    CHAIN,
    DISPENSES_ALLOWED,
    DOSE_PACKAGING,
    ELECTRONIC,
    PACKAGES_PRESCRIBED,
    PROFESSIONS,
    RECEIVING_PHARMACY,
    RECORD,
    REGISTRATION_BASIS,
    REGISTRATION_BASIS_CODES,
    TREATMENT_PURPOSE,
    WORKPLACE,
)

REQUESTER_ID: Final = "prescriber"
PATIENT_ID: Final = "patient"
PURPOSE_LENGTH: Final = 512


class KnownPatient(msgspec.Struct, frozen=True):
    """A person with a resource of its own at the endpoint; ``id`` is its logical id."""

    id: str


class ContainedPatient(msgspec.Struct, frozen=True):
    """A person without personnummer, who stands in the prescription itself."""

    person: Identifier


Subject = KnownPatient | ContainedPatient


class NotExpressible(msgspec.Struct, frozen=True):
    """A prescription that has no truthful form as a resource, and every reason why."""

    problems: tuple[Problem, ...]


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What the endpoint adds to a prescription: who its patient is there, and what is there already.

    ``issued`` is when it was issued there; ``None`` for a new one, which is issued when its source recorded it.
    ``replaces`` is the logical id of the prescription that it takes over from.
    """

    subject: Subject
    issued: datetime | None = None
    replaces: str | None = None


def medication_request(standing: StandingPrescription, terms: Terms) -> JsonObject | NotExpressible:
    """Return the active NLLMedicationRequest of a prescription, or why there is none."""
    content, subject = standing.content, terms.subject
    issued = terms.issued or standing.recorded_at
    blocks = dosage_text(content)
    directions = Directions(
        dosage=content.dosage,
        period=_not_back_dated(content, issued),
        route=content.route,
        text=blocks.whole(),
        administering=blocks.administering,
    )
    if problems := _problems(content, subject, directions):
        return NotExpressible(tuple(sorted(problems)))
    resource: JsonObject = {
        "resourceType": "MedicationRequest",
        "contained": _contained(content, subject),
        "extension": _extensions(content),
        "identifier": _identifiers(standing),
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": medication_concept(content.medication),
        "subject": subject_reference(subject),
        "authoredOn": written_time(issued) if issued is not None else None,
        "requester": {"reference": f"#{REQUESTER_ID}"} if content.prescriber is not None else None,
        "reasonCode": reason_concepts(content.reason),
        "dosageInstruction": dosage_instruction(directions),
        "dispenseRequest": dispense_request(content),
        "substitution": substitution(allowed=content.substitution_allowed),
        "priorPrescription": _prior(terms.replaces),
    }
    return without_empty(resource)


def without_empty(resource: JsonObject) -> JsonObject:
    """Return the resource without the elements that hold nothing: FHIR allows no empty ones."""
    return {name: value for name, value in resource.items() if value not in (None, [], {})}


def medication_concept(medication: Medication) -> JsonObject:
    """Return the product as a CodeableConcept: every code that the source gave, and its words."""
    codes = (
        (NPL_PACK_ID, medication.npl_pack_id),
        (NPL_ID, medication.npl_id),
        (ARTICLE_NUMBER, medication.article_number),
        (ATC, medication.atc),
    )
    concept: JsonObject = {}
    if coding := [{"system": system, "code": code} for system, code in codes if code is not None]:
        concept["coding"] = coding
    if medication.text is not None:
        concept["text"] = medication.text
    return concept


def _problems(content: Prescription, subject: Subject, directions: Directions) -> list[Problem]:
    problems = dosage_problems(directions)
    if not medication_concept(content.medication):
        problems.append(Problem(code="missing", place="medication", text="names no product, by code or by words"))
    if content.purpose is not None and len(content.purpose) > PURPOSE_LENGTH:
        told = f"is longer than {PURPOSE_LENGTH} characters; shorten it at its source"
        problems.append(Problem(code="too-long", place="purpose", text=told))
    if isinstance(subject, ContainedPatient) and content.receiving_pharmacy is None:
        told = "a person without personnummer needs a receiving pharmacy"
        problems.append(Problem(code="missing", place="receiving_pharmacy", text=told))
    if isinstance(subject, ContainedPatient) and subject.person.system == PERSONNUMMER:
        told = "a person with personnummer is referred to, never contained"
        problems.append(Problem(code="contradiction", place="person", text=told))
    return problems


def _not_back_dated(content: Prescription, issued: datetime | None) -> Period:
    """The period to state: nothing holds before its issue, so an earlier start becomes the day of issue (G.026).

    Except for steps of given lengths, whose days count from the true start.
    """
    period = content.period
    if period.start is None or issued is None or any(step.duration_days is not None for step in content.dosage.steps):
        return period
    earlier = swedish_day(period.start) < swedish_day(issued)
    return Period(start=start_of_day(issued), end=period.end) if earlier else period


def _prior(replaces: str | None) -> JsonObject:
    return {} if replaces is None else {"reference": f"MedicationRequest/{replaces}"}


def contained_patient(subject: Subject) -> list[JsonObject]:
    """Return the patient to stand in the resource itself, or none."""
    match subject:
        case KnownPatient():
            return []
        case ContainedPatient(person=person):
            return [{"resourceType": "Patient", "id": PATIENT_ID, "identifier": [written_identifier(person)]}]


def subject_reference(subject: Subject) -> JsonObject:
    """Return the reference to the patient."""
    match subject:
        case KnownPatient(id=name):
            return {"reference": f"Patient/{name}"}
        case ContainedPatient():
            return {"reference": f"#{PATIENT_ID}"}


def _contained(content: Prescription, subject: Subject) -> list[JsonObject]:
    prescriber = [written_practitioner(content.prescriber)] if content.prescriber is not None else []
    return [*prescriber, *contained_patient(subject)]


def written_practitioner(prescriber: Practitioner) -> JsonObject:
    """Return a Practitioner to be contained: codes only, since names of staff are not kept."""
    resource: JsonObject = {"resourceType": "Practitioner", "id": REQUESTER_ID}
    if prescriber.identifiers:
        resource["identifier"] = [written_identifier(one) for one in prescriber.identifiers]
    if prescriber.profession is not None:
        coding = {"system": PROFESSIONS, "code": prescriber.profession}
        resource["qualification"] = [{"code": {"coding": [coding]}}]
    return resource


def _extensions(content: Prescription) -> list[JsonObject]:
    extensions: list[JsonObject] = [
        {"url": CHAIN, "valueIdentifier": written_identifier(one.target)}
        for one in content.references
        if one.role == "chain" and one.target.system == NLL_CHAIN
    ]
    if content.purpose is not None:
        extensions.append({"url": TREATMENT_PURPOSE, "valueString": content.purpose})
    basis = {"system": REGISTRATION_BASIS_CODES, "code": ELECTRONIC}
    extensions.append({"url": REGISTRATION_BASIS, "valueCoding": basis})
    if content.receiving_pharmacy is not None:
        reference = {"identifier": written_identifier(content.receiving_pharmacy)}
        extensions.append({"url": RECEIVING_PHARMACY, "valueReference": reference})
    return extensions


def _identifiers(standing: StandingPrescription) -> list[JsonObject]:
    """Our record's id first, then the record's further ids; the prescription id is the server's to give."""
    others = [one for one in standing.content.identifiers if one.system not in {NLL_PRESCRIPTION, RECORD}]
    return [{"system": RECORD, "value": standing.record}, *map(written_identifier, others)]


def written_identifier(one: Identifier) -> JsonObject:
    """Return a FHIR Identifier."""
    return {"system": one.system, "value": one.value}


def reason_concepts(reason: Reason | None) -> list[JsonObject]:
    """Return a coded or worded reason as at most one CodeableConcept."""
    if reason is None:
        return []
    concept: JsonObject = {}
    if reason.code is not None:
        concept["coding"] = [{"system": reason.code.system, "code": reason.code.value}]
    if reason.text is not None:
        concept["text"] = reason.text
    return [concept] if concept else []


def dispense_request(content: Prescription) -> JsonObject:
    """Return what a prescription says about its dispensing, empty when it says nothing."""
    extensions: list[JsonObject] = []
    if content.dose_dispensed is not None:
        extensions.append({"url": DOSE_PACKAGING, "valueBoolean": content.dose_dispensed})
    if content.workplace_code is not None:
        extensions.append({"url": WORKPLACE, "valueCode": content.workplace_code})
    if content.packages is not None:
        extensions.append({"url": PACKAGES_PRESCRIBED, "valuePositiveInt": content.packages})
    request: JsonObject = {}
    if content.dispenses_allowed is not None:
        extensions.append({"url": DISPENSES_ALLOWED, "valueUnsignedInt": content.dispenses_allowed})
        request["numberOfRepeatsAllowed"] = max(content.dispenses_allowed - 1, 0)
    if extensions:
        request["extension"] = extensions
    if content.valid_until is not None:
        request["validityPeriod"] = {"end": content.valid_until.isoformat()}
    if content.dispense_interval_days is not None:
        days = content.dispense_interval_days
        request["dispenseInterval"] = {"value": days, "unit": "d", "system": UCUM, "code": "d"}
    return request


def substitution(*, allowed: bool | None) -> JsonObject:
    """Return whether another product may be handed out, empty when nothing is said."""
    return {} if allowed is None else {"allowedBoolean": allowed}
