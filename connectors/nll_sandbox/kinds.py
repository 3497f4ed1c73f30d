"""The resource kinds the server holds: id prefix, where the patient stands, and whether a write changes the list."""

from collections.abc import Mapping
from typing import Final

import msgspec

from connectors.nll_sandbox.resources import (
    child,
    codes,
    contained,
    extension_value,
    identifiers,
    objects,
    referred,
    text_at,
)
from connectors.nll_sandbox.vocabulary import (
    ACCESS_CONSENT_CODE,
    BASIS_CODE,
    BASIS_STATUS,
    DISPENSES_ALLOWED,
    DOSE_CONSENT_CODE,
    DOSE_PACKAGING,
    LIST_INFO_CODE,
    LOCK_CODE,
    LOCK_STATUS,
)
from mappings.fhir.exact_json import JsonObject


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """One resource kind. ``parameters``: the search parameters it knows."""

    prefix: str
    patient_element: str | None = None
    changes_list: bool = False
    writable: bool = True
    parameters: frozenset[str] = frozenset()


_PAGING: Final = frozenset({"_count", "_offset"})
_OF_PATIENT: Final = _PAGING | {"patient", "subject", "identifier", "_id"}

KINDS: Final[Mapping[str, Kind]] = {
    "MedicationRequest": Kind(
        prefix="f", patient_element="subject", changes_list=True, parameters=_OF_PATIENT | {"status"}
    ),
    "MedicationDispense": Kind(
        prefix="u", patient_element="subject", changes_list=True, parameters=_OF_PATIENT | {"status", "prescription"}
    ),
    "Patient": Kind(prefix="p", parameters=_PAGING | {"identifier", "_id"}),
    "Medication": Kind(prefix="art", parameters=_PAGING | {"identifier", "_id", "code"}),
    "Basic": Kind(prefix="b", patient_element="subject", changes_list=True, parameters=_OF_PATIENT | {"code"}),
    "Consent": Kind(prefix="s", patient_element="patient", changes_list=True, parameters=_OF_PATIENT | {"category"}),
    "Provenance": Kind(prefix="h", writable=False, parameters=_PAGING | {"patient", "target", "_id"}),
}
"""Basic holds MedicationListInfo, dose bases and data locks; Consent holds dose and access consents."""


def patient_of(kind: str, resource: JsonObject) -> str | None:
    """The patient a resource belongs to: a logical id, or ``contained|system|value`` for a person without personnummer."""
    element = KINDS[kind].patient_element
    if kind == "Patient" or element is None:
        return None
    reference = resource.get(element)
    known = referred(reference, "Patient")
    if known is not None:
        return known
    person = identifiers(contained(resource, reference))
    return f"contained|{person[0][0]}|{person[0][1]}" if person else None


def variant(kind: str, resource: JsonObject) -> str:
    """Which NLL profile a Basic or Consent is, by its code; empty when it is none, and for every other kind."""
    known = {
        "Basic": (LIST_INFO_CODE, BASIS_CODE, LOCK_CODE),
        "Consent": (DOSE_CONSENT_CODE, ACCESS_CONSENT_CODE),
    }
    named = {*codes(resource.get("code")), *(code for one in objects(resource.get("category")) for code in codes(one))}
    return next((code for code in known.get(kind, ()) if code in named), "")


def is_list_info(resource: JsonObject) -> bool:
    """Whether a resource is a MedicationListInfo, which the server alone writes."""
    return variant("Basic", resource) == LIST_INFO_CODE


def is_dose_basis(resource: JsonObject) -> bool:
    """Whether a resource is a dose basis (dosunderlag)."""
    return resource.get("resourceType") == "Basic" and variant("Basic", resource) == BASIS_CODE


def is_active_lock(resource: JsonObject) -> bool:
    """Whether a resource is a data lock (spärr) in force."""
    return variant("Basic", resource) == LOCK_CODE and extension_value(resource, LOCK_STATUS) == "active"


def is_dose_consent(resource: JsonObject) -> bool:
    """Whether a resource is a dose consent (dossamtycke)."""
    return resource.get("resourceType") == "Consent" and variant("Consent", resource) == DOSE_CONSENT_CODE


def is_access_consent(resource: JsonObject) -> bool:
    """Whether a resource is an access consent (åtkomstsamtycke)."""
    return resource.get("resourceType") == "Consent" and variant("Consent", resource) == ACCESS_CONSENT_CODE


def basis_status(resource: JsonObject) -> str | None:
    """The status of a dose basis."""
    value = extension_value(resource, BASIS_STATUS)
    return value if isinstance(value, str) else None


def is_active_dose_prescription(resource: JsonObject) -> bool:
    """Whether a prescription is dose-dispensed and still lives."""
    packed = extension_value(resource.get("dispenseRequest"), DOSE_PACKAGING) is True
    return packed and text_at(resource, "status") in {"active", "on-hold"}


def is_counted(dispense: JsonObject) -> bool:
    """Whether a dispense took something from its prescription."""
    return text_at(dispense, "status") in {"completed", "in-progress"}


def dispenses_allowed(prescription: JsonObject) -> int | None:
    """How many times a prescription may be dispensed; None when it does not say."""
    request = child(prescription, "dispenseRequest")
    told, repeats = extension_value(request, DISPENSES_ALLOWED), request.get("numberOfRepeatsAllowed")
    if isinstance(told, int):
        return told
    return repeats + 1 if isinstance(repeats, int) else None
