"""Gathering what the rules compare a resource with, from the store and the registers."""

from datetime import datetime

from connectors.nll_sandbox.aff import Case
from connectors.nll_sandbox.aff.case import product_of
from connectors.nll_sandbox.completions import today
from connectors.nll_sandbox.headers import RequestContext
from connectors.nll_sandbox.kinds import is_active_dose_prescription, is_dose_consent, patient_of
from connectors.nll_sandbox.registers import Registers
from connectors.nll_sandbox.resources import child, codes, identifiers, objects, referred
from connectors.nll_sandbox.settings import Caller, SandboxSettings
from connectors.nll_sandbox.store import Store
from contracts.systems import GLN
from mappings.fhir.exact_json import JsonObject


class Desk:
    """Gathers cases for one request."""

    def __init__(self, store: Store, registers: Registers, settings: SandboxSettings, now: datetime) -> None:
        self._store = store
        self._registers = registers
        self._settings = settings
        self._now = now

    def case(self, kind: str, name: str, resource: JsonObject, caller: Caller, context: RequestContext) -> Case:
        """The case of one resource about to be stored under an id."""
        patient = patient_of(kind, resource)
        stored = self._store.read(kind, name)
        return Case(
            kind=kind,
            resource=resource,
            registers=self._registers,
            product=product_of(self._registers, resource),
            now=self._now,
            today=today(self._now),
            previous=None if stored is None else stored.resource,
            prior=None if stored is not None else self._prescription([child(resource, "priorPrescription")]),
            authorizing=self._prescription(objects(resource.get("authorizingPrescription"))),
            dispensed=self._dispensed(name, resource),
            patient_registered=self._registered(kind, resource, patient),
            dose_actor=None if patient is None else self.dose_actor(patient),
            activity=next(iter(codes(child(context.provenance, "activity"))), ""),
            current_list_version=0 if patient is None else self._store.list_version(patient),
            named_list_version=context.list_version,
            list_version_header=self._settings.list_version_header,
            patient=patient,
            role=caller.role,
            has_active_dose_prescription=kind in {"Basic", "Consent"} and self._has_dose_prescription(patient),
        )

    def dose_actor(self, patient: str) -> str | None:
        """The GLN of the patient's dose actor, empty when the consent names none; None when no dose patient."""
        for stored in self._store.of_patient("Consent", patient):
            consent = stored.resource
            if is_dose_consent(consent) and consent.get("status") == "active":
                organizations = objects(consent.get("organization"))
                found = [
                    value
                    for one in organizations
                    for system, value in identifiers({"identifier": [child(one, "identifier")]})
                    if system == GLN
                ]
                return next(iter(found), "")
        return None

    def _registered(self, kind: str, resource: JsonObject, patient: str | None) -> bool:
        element = resource.get("patient" if kind == "Consent" else "subject")
        known = referred(element, "Patient")
        return known is None or patient is None or self._store.read("Patient", known) is not None

    def _prescription(self, references: list[JsonObject]) -> JsonObject | None:
        name = next((found for one in references if (found := referred(one, "MedicationRequest"))), None)
        stored = None if name is None else self._store.read("MedicationRequest", name)
        return None if stored is None else stored.resource

    def _dispensed(self, name: str, resource: JsonObject) -> tuple[JsonObject, ...]:
        references = objects(resource.get("authorizingPrescription"))
        wanted = next((found for one in references if (found := referred(one, "MedicationRequest"))), None)
        return () if wanted is None else tuple(one for one in dispenses_of(self._store, wanted) if one["id"] != name)

    def _has_dose_prescription(self, patient: str | None) -> bool:
        found = [] if patient is None else self._store.of_patient("MedicationRequest", patient)
        return any(is_active_dose_prescription(one.resource) for one in found)


def dispenses_of(store: Store, prescription: str) -> list[JsonObject]:
    """Every dispense on a prescription."""
    stored = store.read("MedicationRequest", prescription)
    if stored is None or stored.patient is None:
        return []
    found = (one.resource for one in store.of_patient("MedicationDispense", stored.patient))
    return [
        one
        for one in found
        if any(
            referred(reference, "MedicationRequest") == prescription
            for reference in objects(one.get("authorizingPrescription"))
        )
    ]
