"""The resource kinds the server holds: id prefix, where the patient stands, and whether a write changes the list."""

from collections.abc import Mapping
from typing import Final

import msgspec

from connectors.nll_sandbox.exact_json import JsonObject
from connectors.nll_sandbox.resources import child, codes, contained, identifiers, referred
from connectors.nll_sandbox.vocabulary import LIST_INFO_CODE


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


def is_list_info(resource: JsonObject) -> bool:
    """Whether a Basic is a MedicationListInfo, which the server alone writes."""
    return LIST_INFO_CODE in codes(child(resource.get("code")))
