"""Who sees what: own registrations, access by consent and other grounds, data locks (``nll-reference`` 1.10).

A caregiver sees what it registered itself. For the rest the stated access type must hold: a consent that is there, a
child that is one, an emergency that is stated. A lock hides a whole chain with its dispenses, or only the reason, from
everyone but the caregiver that registered it; an access type in ``lock_opening_access`` opens it.
"""

from datetime import datetime
from functools import cached_property
from typing import Final

from connectors.nll_sandbox.completions import today
from connectors.nll_sandbox.headers import RequestContext
from connectors.nll_sandbox.kinds import is_access_consent, is_active_lock, is_dose_consent, variant
from connectors.nll_sandbox.resources import child, day, extension_value, objects, referred, text_at
from connectors.nll_sandbox.settings import Caller, SandboxSettings
from connectors.nll_sandbox.store import LATEST, Store, Stored
from connectors.nll_sandbox.vocabulary import CHAIN, DATA_ABSENT, LOCK_CODE, LOCK_KIND, LOCK_SCOPE, LOCK_TARGET
from mappings.fhir.exact_json import JsonObject

ADULT_YEARS: Final = 18
_OPEN_KINDS: Final = frozenset({"Patient", "Medication"})
_STATED: Final = frozenset({"FORMODAT_SAMTYCKE", "NODATKOMST"})


class Viewer:
    """What one caller, for one purpose, with one access type, may see of one patient's resources."""

    def __init__(
        self, store: Store, settings: SandboxSettings, now: datetime, caller: Caller, context: RequestContext
    ) -> None:
        self._store = store
        self._settings = settings
        self._now = now
        self._caller = caller
        self._context = context
        self._patients: dict[tuple[str, int], _Patient] = {}

    def see(self, stored: Stored, as_of: int = LATEST) -> JsonObject | None:
        """The resource as the caller may see it; None when it is hidden."""
        resource = stored.resource
        if stored.kind in _OPEN_KINDS or stored.patient is None or not self._settings.filters:
            return resource
        if stored.kind == "Provenance":
            return resource if self._sees_target(resource) else None
        own = stored.owner == self._caller.caregiver
        if variant(stored.kind, resource) == LOCK_CODE:
            return resource if own or self._caller.role == "patient" else None
        if stored.kind not in {"MedicationRequest", "MedicationDispense"}:
            return resource
        patient = self._patient(stored.patient, as_of)
        if not (own or self._caller.role in {"patient", "pharmacist"} or self._has_access(patient)):
            return None
        return self._behind_locks(stored, resource, patient, own=own)

    def is_dose_patient(self, patient: str) -> bool:
        """Whether a dose consent of the patient is in force."""
        return self._patient(patient, LATEST).is_dose_patient

    def _behind_locks(
        self, stored: Stored, resource: JsonObject, patient: "_Patient", *, own: bool
    ) -> JsonObject | None:
        locks = [lock for lock in patient.locks if patient.chain_of(stored.kind, resource) == lock.chain]
        if own or self._context.access in self._settings.lock_opening_access:
            return resource
        if self._caller.role == "patient":
            locks = [lock for lock in locks if lock.kind == "secrecy-patient"]
        if any(lock.scope == "prescription" for lock in locks):
            return None
        return _without_reason(resource) if locks and stored.kind == "MedicationRequest" else resource

    def _has_access(self, patient: "_Patient") -> bool:
        match self._context.access:
            case "SAMTYCKE":
                return patient.consents_to(self._caller.caregiver)
            case "DOSSAMTYCKE":
                return patient.is_dose_patient
            case "BARN":
                return patient.is_child(self._now)
            case access:
                return access in _STATED

    def _sees_target(self, provenance: JsonObject) -> bool:
        for target in objects(provenance.get("target")):
            kind = (text_at(target, "reference") or "").split("/")[0]
            name = referred(target, kind)
            stored = None if name is None else self._store.read(kind, name)
            if stored is not None and self.see(stored) is None:
                return False
        return True

    def _patient(self, name: str, as_of: int) -> "_Patient":
        key = (name, as_of)
        if key not in self._patients:
            self._patients[key] = _Patient(self._store, name, as_of)
        return self._patients[key]


class _Lock:
    def __init__(self, resource: JsonObject, chain: str | None) -> None:
        self.kind = extension_value(resource, LOCK_KIND)
        self.scope = extension_value(resource, LOCK_SCOPE)
        self.chain = chain


class _Patient:
    """What access depends on, of one patient."""

    def __init__(self, store: Store, name: str, as_of: int) -> None:
        self._store = store
        self._name = name
        self._as_of = as_of

    def chain_of(self, kind: str, resource: JsonObject) -> str | None:
        """The chain a prescription, or the prescription of a dispense, belongs to."""
        if kind == "MedicationRequest":
            return text_at(child(extension_value(resource, CHAIN)), "value")
        for reference in objects(resource.get("authorizingPrescription")):
            return self._chain(referred(reference, "MedicationRequest"))
        return None

    @cached_property
    def locks(self) -> list[_Lock]:
        """The locks in force."""
        found = (one.resource for one in self._store.of_patient("Basic", self._name, self._as_of))
        return [
            _Lock(one, self._chain(referred(extension_value(one, LOCK_TARGET), "MedicationRequest")))
            for one in found
            if is_active_lock(one)
        ]

    @cached_property
    def _consents(self) -> list[JsonObject]:
        found = (one.resource for one in self._store.of_patient("Consent", self._name, self._as_of))
        return [one for one in found if one.get("status") == "active"]

    @property
    def is_dose_patient(self) -> bool:
        """Whether a dose consent is in force."""
        return any(is_dose_consent(one) for one in self._consents)

    def consents_to(self, caregiver: str) -> bool:
        """Whether an access consent is in force, for this caregiver or for all."""
        for consent in filter(is_access_consent, self._consents):
            named = [text_at(one, "identifier", "value") for one in objects(consent.get("organization"))]
            if not named or caregiver in named:
                return True
        return False

    def is_child(self, now: datetime) -> bool:
        """Whether the patient is under 18."""
        stored = self._store.read("Patient", self._name)
        born = None if stored is None else day(stored.resource.get("birthDate"))
        if born is None:
            return False
        present = today(now)
        return present.year - born.year - ((present.month, present.day) < (born.month, born.day)) < ADULT_YEARS

    def _chain(self, prescription: str | None) -> str | None:
        stored = None if prescription is None else self._store.read("MedicationRequest", prescription)
        return None if stored is None else text_at(child(extension_value(stored.resource, CHAIN)), "value")


def _without_reason(resource: JsonObject) -> JsonObject:
    masked = {"extension": [{"url": DATA_ABSENT, "valueCode": "masked"}]}
    return resource | {"reasonCode": [masked]} if resource.get("reasonCode") else resource
