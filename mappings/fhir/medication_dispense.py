"""A pharmacy's dispensing to an NLLMedicationDispense, plain JSON with exact decimals (``nll-reference`` 1.4 and 1.12).

With ``authorizingPrescription`` it is an NLLMedicationDispense, without it an NLLDispensePaperPrescription (SIMP/Resources).
"""

from datetime import datetime

import msgspec

from contracts.facts.dispense import Dispense
from contracts.systems import NLL_DISPENSE, NLL_PRESCRIPTION, UCUM
from mappings.fhir.dosage import Directions, dosage_instruction, quantity
from mappings.fhir.exact_json import JsonObject
from mappings.fhir.medication_request import (
    Subject,
    contained_patient,
    medication_concept,
    subject_reference,
    without_empty,
)
from mappings.fhir.times import written_time
from mappings.fhir.vocabulary import PACKAGES_DISPENSED, RECORD


class Handover(msgspec.Struct, frozen=True, kw_only=True):
    """What stands around a dispensing: our record's id, whose it is, and when it was handed over, as far as is known."""

    record: str
    subject: Subject
    handed_over: datetime | None = None


def medication_dispense(dispense: Dispense, handover: Handover) -> JsonObject:
    """Return the resource of a dispensing; what the pharmacy did not state is left out."""
    extensions: list[JsonObject] = []
    if dispense.packages is not None:
        extensions.append({"url": PACKAGES_DISPENSED, "valuePositiveInt": dispense.packages})
    resource: JsonObject = {
        "resourceType": "MedicationDispense",
        "contained": contained_patient(handover.subject),
        "extension": extensions,
        "identifier": _identifiers(dispense, handover.record),
        "status": dispense.status,
        "medicationCodeableConcept": medication_concept(dispense.medication),
        "subject": subject_reference(handover.subject),
        "location": _location(dispense),
        "authorizingPrescription": _authorizing(dispense),
        "quantity": quantity(dispense.quantity) if dispense.quantity is not None else None,
        "daysSupply": _days(dispense.days_supply),
        "whenHandedOver": written_time(handover.handed_over) if handover.handed_over is not None else None,
        "dosageInstruction": _dosage(dispense),
        "substitution": {"wasSubstituted": dispense.was_substituted} if dispense.was_substituted is not None else None,
    }
    return without_empty(resource)


def _identifiers(dispense: Dispense, record: str) -> list[JsonObject]:
    others = [{"system": one.system, "value": one.value} for one in dispense.identifiers if one.system != RECORD]
    theirs_first = sorted(others, key=lambda one: one["system"] != NLL_DISPENSE)
    return [*theirs_first, {"system": RECORD, "value": record}]


def _authorizing(dispense: Dispense) -> list[JsonObject]:
    """A prescription that NLL knows is referred to by its id there; any other only by its issuer's identifier."""
    references = [one.target for one in dispense.references if one.role == "prescription"]
    return [
        {"reference": f"MedicationRequest/{target.value}"}
        if target.system == NLL_PRESCRIPTION
        else {"identifier": {"system": _system(target.system), "value": target.value}}
        for target in references
    ]


def _system(issuer: str) -> str:
    """A source's name made a URI; a global system is one already."""
    return issuer if ":" in issuer else f"urn:medlist:source:{issuer}"


def _location(dispense: Dispense) -> JsonObject:
    if dispense.pharmacy is None:
        return {}
    return {"identifier": {"system": dispense.pharmacy.system, "value": dispense.pharmacy.value}}


def _days(days: int | None) -> JsonObject:
    return {} if days is None else {"value": days, "unit": "d", "system": UCUM, "code": "d"}


def _dosage(dispense: Dispense) -> list[JsonObject]:
    dosage = dispense.dosage
    if dosage.text is None and not dosage.steps:
        return []
    return dosage_instruction(Directions(dosage=dosage, route=dispense.route, text=dosage.text))
