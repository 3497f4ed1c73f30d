"""Rules about who prescribes what for whom, and about how a stored prescription may change."""

from typing import Final

from connectors.nll_sandbox.aff.case import Case, Places, bounds, dosages
from connectors.nll_sandbox.kinds import patient_of
from connectors.nll_sandbox.resources import (
    child,
    codes,
    contained,
    extension,
    extension_value,
    identifier_value,
    objects,
    referred,
    text_at,
)
from connectors.nll_sandbox.vocabulary import (
    ADMINISTERING_INSTRUCTION,
    CHAIN,
    PROFESSIONS,
    RECEIVING_PHARMACY,
    TREATMENT_PURPOSE,
    WORKPLACE,
)
from contracts.systems import NLL_PRESCRIPTION, PERSONNUMMER, PRESCRIBER_CODE
from mappings.fhir.exact_json import JsonObject

_INSTRUCTION_LENGTH: Final = 512
_CODED_TEXT_LENGTH: Final = 256

STEPS: Final = {
    None: {"active"},
    "active": {"active", "stopped", "cancelled"},
    "on-hold": {"on-hold", "active", "stopped", "cancelled"},
    "completed": {"completed", "stopped", "cancelled"},
    "stopped": {"stopped"},
    "cancelled": {"cancelled"},
}
"""Which status a client may write after which; None stands for a new prescription."""


def list_version_is_current(case: Case) -> Places:
    """U.011."""
    if case.named_list_version is not None and case.named_list_version != case.current_list_version:
        yield f"http.{case.list_version_header}"


def patient_is_registered(case: Case) -> Places:
    """P.001."""
    if not case.patient_registered:
        yield "subject" if case.kind != "Consent" else "patient"


def required_elements_are_there(case: Case) -> Places:
    """Code ``element-missing``."""
    yield from (name for name in ("status", "intent") if text_at(case.resource, name) is None)
    yield from (name for name in ("requester",) if not child(case.resource, name))
    medications = ("medicationReference", "medicationCodeableConcept")
    if sum(bool(child(case.resource, name)) for name in medications) != 1:
        yield "medication"


def prescriber_code_is_valid(case: Case) -> Places:
    """F.001."""
    code = identifier_value(_prescriber(case), PRESCRIBER_CODE)
    if code is None or not case.registers.is_prescriber(code):
        yield "requester"


def profession_matches_prescriber(case: Case) -> Places:
    """F.002; a prescriber without a stated profession, or of an unknown code, cannot mismatch."""
    prescriber = _prescriber(case)
    registered = case.registers.profession(identifier_value(prescriber, PRESCRIBER_CODE) or "")
    stated = [code for one in objects(prescriber.get("qualification")) for code in codes(one.get("code"), PROFESSIONS)]
    if registered is not None and stated and registered not in stated:
        yield "requester"


def workplace_code_is_valid(case: Case) -> Places:
    """F.004."""
    code = extension_value(case.resource.get("dispenseRequest"), WORKPLACE)
    if not isinstance(code, str) or not case.registers.is_workplace(code):
        yield "dispenseRequest.extension"


def dosage_text_is_there(case: Case) -> Places:
    """G.008."""
    found = dosages(case.resource)
    if not found:
        yield "dosageInstruction"
    for place, dosage in found:
        if not (text_at(dosage, "patientInstruction") or text_at(dosage, "text")):
            yield f"{place}.patientInstruction"


def purpose_is_there(case: Case) -> Places:
    """G.009."""
    purpose = extension_value(case.resource, TREATMENT_PURPOSE)
    if not (isinstance(purpose, str) and purpose.strip()):
        yield "extension"


def cancelling_is_not_ending(case: Case) -> Places:
    """G.029: cancelling while stating that the treatment ends, or while giving it a new last day."""
    if (
        case.previous is None
        or case.resource.get("status") != "cancelled"
        or case.previous.get("status") == "cancelled"
    ):
        return
    known = [period.get("end") for _, period in bounds(case.previous)]
    new_ends = [end for _, period in bounds(case.resource) if (end := period.get("end")) and end not in known]
    if case.activity == "AVSLUTA_FORSKRIVNING" or new_ends:
        yield "status"


def predecessor_exists(case: Case) -> Places:
    """VOK U.003; only a new prescription replaces another."""
    if not case.resource.get("priorPrescription") or case.previous is not None:
        return
    if case.prior is None or patient_of("MedicationRequest", case.prior) != case.patient:
        yield "priorPrescription"


def personnummer_has_own_patient(case: Case) -> Places:
    """Code ``contained-personnummer``."""
    if identifier_value(_contained_patient(case), PERSONNUMMER):
        yield "subject"


def contained_patient_has_pharmacy(case: Case) -> Places:
    """Code ``contained-pharmacy``."""
    if _contained_patient(case) and not extension(case.resource, RECEIVING_PHARMACY):
        yield "extension"


def texts_fit(case: Case) -> Places:
    """Code ``text-too-long``."""
    for place, dosage in dosages(case.resource):
        texts = {
            "patientInstruction": (dosage.get("patientInstruction"), _INSTRUCTION_LENGTH),
            "extension": (extension_value(dosage, ADMINISTERING_INSTRUCTION), _INSTRUCTION_LENGTH),
            "route.text": (child(dosage, "route").get("text"), _CODED_TEXT_LENGTH),
            "method.text": (child(dosage, "method").get("text"), _CODED_TEXT_LENGTH),
        }
        for element, (text, length) in texts.items():
            if isinstance(text, str) and len(text) > length:
                yield f"{place}.{element}"


def fixed_elements_stay(case: Case) -> Places:
    """Code ``unchangeable``."""
    if case.previous is None:
        return
    before, after = _fixed(case.previous), _fixed(case.resource)
    yield from (element for element, value in before.items() if after[element] != value)


def status_step_exists(case: Case) -> Places:
    """Code ``status-step``."""
    before = None if case.previous is None else text_at(case.previous, "status")
    if text_at(case.resource, "status") not in STEPS.get(before, set()):
        yield "status"


def _prescriber(case: Case) -> JsonObject:
    return contained(case.resource, case.resource.get("requester"))


def _contained_patient(case: Case) -> JsonObject:
    return contained(case.resource, case.resource.get("subject"))


def _fixed(resource: JsonObject) -> dict[str, object]:
    return {
        "subject": patient_of("MedicationRequest", resource),
        "identifier": identifier_value(resource, NLL_PRESCRIPTION),
        "authoredOn": resource.get("authoredOn"),
        "extension": child(extension_value(resource, CHAIN)).get("value"),
        "priorPrescription": referred(resource.get("priorPrescription"), "MedicationRequest"),
    }
