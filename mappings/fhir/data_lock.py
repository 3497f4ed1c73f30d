"""Data locks of NLL (spärr, NLLDataLock): a prescription, and with it its whole chain and dispenses, hidden from other caregivers.

Rules (NLL handbook TA36; names on the wire are coined, ``vocabulary``).
- A privacy lock (integritetsspärr) is the patient's will. A secrecy lock (sekretesspärr) is set after an assessment, against
  a guardian or against the patient; our blocks do not tell which, so it is the one that hides most.
- A lifted lock is not removed: its status says that it is lifted.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

from mappings.fhir.elements import child, extension_value, objects, text_at
from mappings.fhir.exact_json import JsonObject
from mappings.fhir.medication_request import Subject, contained_patient, subject_reference
from mappings.fhir.vocabulary import LOCK_CODE, LOCK_KIND, LOCK_SCOPE, LOCK_STATUS, LOCK_TARGET, RECORD

BlockKind = Literal["integrity", "secrecy"]
KINDS: Final[Mapping[BlockKind, str]] = MappingProxyType({"integrity": "privacy", "secrecy": "secrecy-patient"})
ACTIVE: Final = "active"
LIFTED: Final = "lifted"


def data_lock(record: str, prescription: str, subject: Subject, block: BlockKind) -> JsonObject:
    """Return the lock of the prescription with this logical id; it bears our record's id, by which it is found again."""
    resource: JsonObject = {
        "resourceType": "Basic",
        "identifier": [{"system": RECORD, "value": record}],
        "code": {"coding": [{"code": LOCK_CODE}]},
        "subject": subject_reference(subject),
        "extension": [
            {"url": LOCK_TARGET, "valueReference": {"reference": f"MedicationRequest/{prescription}"}},
            {"url": LOCK_KIND, "valueCode": KINDS[block]},
            {"url": LOCK_SCOPE, "valueCode": "prescription"},
            {"url": LOCK_STATUS, "valueCode": ACTIVE},
        ],
    }
    if contained := contained_patient(subject):
        resource["contained"] = contained
    return resource


def is_data_lock(resource: JsonObject) -> bool:
    """Whether a resource is a data lock, in force or lifted."""
    codes = [text_at(one, "code") for one in objects(child(resource, "code").get("coding"))]
    return resource.get("resourceType") == "Basic" and LOCK_CODE in codes


def locked_prescription(lock: JsonObject) -> str | None:
    """Return the logical id of the prescription that a lock is on."""
    target = extension_value(lock, LOCK_TARGET)
    return (text_at(target, "reference") or "").removeprefix("MedicationRequest/") or None


def is_in_force(lock: JsonObject) -> bool:
    """Whether a data lock hides anything."""
    return extension_value(lock, LOCK_STATUS) == ACTIVE


def with_status(lock: JsonObject, *, in_force: bool) -> JsonObject:
    """Return a stored lock as put in force again, or lifted."""
    others = [one for one in objects(lock.get("extension")) if one.get("url") != LOCK_STATUS]
    return lock | {"extension": [*others, {"url": LOCK_STATUS, "valueCode": ACTIVE if in_force else LIFTED}]}
