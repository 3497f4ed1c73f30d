"""What the server does by itself when something is stored: its own consequences, in the same transaction.

- A replaced prescription is ended (HB/TA27).
- A prescription with nothing left to dispense is completed (slutexpedierad); one that got something back is active.
- A dose consent opens a dose basis; its end deregisters the basis.
- Any change in the list makes an approved dose basis unapproved (HB dosunderlagsstatusar).
"""

from collections.abc import Sequence

from connectors.nll_sandbox.casework import dispenses_of
from connectors.nll_sandbox.kinds import basis_status, dispenses_allowed, is_counted, is_dose_basis, is_dose_consent
from connectors.nll_sandbox.resources import extension_value, objects, referred, set_extension
from connectors.nll_sandbox.store import Store, Stored
from connectors.nll_sandbox.vocabulary import (
    BASIS_APPROVED,
    BASIS_CODE,
    BASIS_DEREGISTERED,
    BASIS_NOT_APPROVED,
    BASIS_STATUS,
    BASIS_VERSION,
)
from mappings.fhir.exact_json import JsonObject


def consequences(store: Store, written: Sequence[Stored]) -> list[tuple[str, str | None, JsonObject]]:
    """What follows from what was just stored: ``(kind, id or None for a new one, resource)``, one for each resource."""
    found: dict[tuple[str, str], JsonObject] = {}
    created: list[tuple[str, str | None, JsonObject]] = []
    for one in written:
        match one.kind:
            case "MedicationRequest":
                _ended_predecessor(store, one, found)
            case "MedicationDispense":
                _dispensed_prescription(store, one, found)
            case "Consent" if is_dose_consent(one.resource):
                created += _basis_of_consent(store, one, found)
    _unapproved(store, written, found)
    return [(kind, name, resource) for (kind, name), resource in found.items()] + created


def _ended_predecessor(store: Store, one: Stored, found: dict[tuple[str, str], JsonObject]) -> None:
    prior = referred(one.resource.get("priorPrescription"), "MedicationRequest")
    stored = None if prior is None or one.version > 1 else store.read("MedicationRequest", prior)
    if stored is not None and stored.resource.get("status") in {"active", "on-hold", "completed"}:
        found[stored.kind, stored.id] = stored.resource | {"status": "stopped"}


def _dispensed_prescription(store: Store, one: Stored, found: dict[tuple[str, str], JsonObject]) -> None:
    for reference in objects(one.resource.get("authorizingPrescription")):
        name = referred(reference, "MedicationRequest")
        stored = None if name is None else store.read("MedicationRequest", name)
        if stored is None:
            continue
        prescription = stored.resource
        allowed = dispenses_allowed(prescription)
        made = sum(1 for other in dispenses_of(store, stored.id) if is_counted(other))
        spent = allowed is not None and made >= allowed
        steps = {("active", True): "completed", ("completed", False): "active"}
        status = steps.get((str(prescription.get("status")), spent))
        if status is not None:
            found[stored.kind, stored.id] = prescription | {"status": status}


def _basis_of_consent(
    store: Store, one: Stored, found: dict[tuple[str, str], JsonObject]
) -> list[tuple[str, str | None, JsonObject]]:
    active = one.resource.get("status") == "active"
    bases = _bases(store, one.patient)
    living = [basis for basis in bases if basis_status(basis.resource) != BASIS_DEREGISTERED]
    if active and not living:
        return [("Basic", None, _basis(one))]
    if not active:
        found.update({("Basic", basis.id): _with_status(basis.resource, BASIS_DEREGISTERED) for basis in living})
    return []


def _unapproved(store: Store, written: Sequence[Stored], found: dict[tuple[str, str], JsonObject]) -> None:
    changed = {one.patient for one in written if one.kind in {"MedicationRequest", "Consent"}} - {None}
    for patient in sorted(str(one) for one in changed):
        for basis in _bases(store, patient):
            key = ("Basic", basis.id)
            if key not in found and basis_status(basis.resource) == BASIS_APPROVED:
                resource = _with_status(basis.resource, BASIS_NOT_APPROVED)
                version = extension_value(resource, BASIS_VERSION)
                set_extension(resource, BASIS_VERSION, "valueInteger", int(str(version or 0)) + 1)
                found[key] = resource


def _bases(store: Store, patient: str | None) -> list[Stored]:
    found = [] if patient is None else store.of_patient("Basic", patient)
    return [one for one in found if is_dose_basis(one.resource)]


def _with_status(resource: JsonObject, status: str) -> JsonObject:
    changed = dict(resource)
    set_extension(changed, BASIS_STATUS, "valueCode", status)
    return changed


def _basis(consent: Stored) -> JsonObject:
    resource: JsonObject = {
        "resourceType": "Basic",
        "code": {"coding": [{"code": BASIS_CODE}]},
        "subject": consent.resource["patient"],
    }
    set_extension(resource, BASIS_STATUS, "valueCode", BASIS_NOT_APPROVED)
    set_extension(resource, BASIS_VERSION, "valueInteger", 1)
    return resource
