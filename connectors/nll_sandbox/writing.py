"""One atomic write: every step of a request is completed, examined and stored, or nothing is.

A single create or update is a write of one step; a bundle is a write of many.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import msgspec

from connectors.nll_sandbox.completions import complete_dispense, complete_prescription
from connectors.nll_sandbox.exact_json import JsonObject, copy_json
from connectors.nll_sandbox.headers import RequestContext
from connectors.nll_sandbox.kinds import KINDS, is_list_info, patient_of
from connectors.nll_sandbox.outcomes import Issue, Refusal
from connectors.nll_sandbox.resources import child, extension_value, referred, text_at, walk
from connectors.nll_sandbox.settings import Caller, SandboxSettings
from connectors.nll_sandbox.store import Store, Stored, Transaction, encode
from connectors.nll_sandbox.vocabulary import CHAIN


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One create or update that a request asks for.

    ``place`` says where in the request it stands, ``full_url`` is its placeholder in a bundle, ``if_match`` the
    version the client changed.
    """

    action: Literal["create", "update"]
    kind: str
    resource: JsonObject
    name: str = ""
    if_match: int | None = None
    place: str = ""
    full_url: str | None = None


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """One version that a write stored, and the one it replaced."""

    stored: Stored
    previous: Stored | None = None


class Writer:
    """Carries out writes for one request: who asks, when, and what the headers said."""

    def __init__(
        self, store: Store, settings: SandboxSettings, now: datetime, caller: Caller, context: RequestContext
    ) -> None:
        self._store = store
        self._settings = settings
        self._now = now
        self._caller = caller
        self._context = context

    def write(self, steps: Sequence[Step]) -> tuple[Written, ...] | Refusal:
        """Store every step, or none and say why."""
        with self._store.transaction(self._now) as transaction:
            outcome = self._write(steps, transaction)
            if isinstance(outcome, Refusal):
                transaction.undo()
            return outcome

    def _write(self, steps: Sequence[Step], transaction: Transaction) -> tuple[Written, ...] | Refusal:
        named = self._name(steps)
        refusal = self._stale_list(named) or self._first_refusal(named)
        if refusal is not None:
            return refusal
        written = tuple(self._store_step(step, transaction) for step in named)
        for patient in {one.stored.patient for one in written if KINDS[one.stored.kind].changes_list}:
            if patient is not None:
                self._store.raise_list_version(patient, transaction.seq)
        return written

    def _name(self, steps: Sequence[Step]) -> list[Step]:
        """Give every created resource its id, and put ids where the bundle had placeholders."""
        named = [
            msgspec.structs.replace(
                step,
                resource=copy_json(step.resource),
                name=step.name or self._store.next_id(KINDS[step.kind].prefix),
            )
            for step in steps
        ]
        ids = {step.full_url: f"{step.kind}/{step.name}" for step in named if step.full_url}
        for step in named:
            for element in walk(step.resource):
                if element.get("reference") in ids:
                    element["reference"] = ids[element["reference"]]
        return named

    def _stale_list(self, steps: Sequence[Step]) -> Refusal | None:
        supplied = self._context.list_version
        patients = {patient_of(step.kind, step.resource) for step in steps} - {None}
        if supplied is None or all(self._store.list_version(str(patient)) == supplied for patient in patients):
            return None
        text = "The medication list has changed since it was read; read it again."
        return Refusal(self._settings.stale_list_status, (Issue(code="U.011", kind="conflict", text=text),))

    def _first_refusal(self, steps: Sequence[Step]) -> Refusal | None:
        """The refusals of all steps in one; the status is that of the first."""
        refusals = [refusal for step in steps if (refusal := self._refusal(step)) is not None]
        if not refusals:
            return None
        issues = tuple(issue for refusal in refusals for issue in refusal.issues)
        return Refusal(refusals[0].status, issues, refusals[0].headers)

    def _refusal(self, step: Step) -> Refusal | None:
        form = self._form(step)
        if form:
            return Refusal(422 if step.action == "create" else 400, tuple(form))
        return self._stale_version(step) if step.action == "update" else None

    def _form(self, step: Step) -> list[Issue]:
        resource, issues = step.resource, list[Issue]()

        def wrong(code: str, element: str, text: str) -> None:
            place = f"{step.place}{step.kind}.{element}"
            issues.append(Issue(code=code, kind="invariant", place=place, text=text))

        if step.action == "update" and resource.get("id") != step.name:
            wrong("id-differs", "id", "The id of the resource is not the id of the address.")
        if step.kind == "Basic" and is_list_info(resource):
            wrong("server-owned", "code", "MedicationListInfo is written by the server alone.")
        element = KINDS[step.kind].patient_element
        if element is None:
            return issues
        patient = patient_of(step.kind, resource)
        if patient is None:
            wrong("patient-missing", element, "Name a Patient, or a contained one with an identifier.")
        elif referred(resource.get(element), "Patient") and self._store.read("Patient", patient) is None:
            wrong("P.001", element, "The patient is not in the population register.")
        elif self._context.patient not in {None, patient}:
            wrong("patient-differs", element, "The patient is not the one that x-patientref names.")
        return issues

    def _stale_version(self, step: Step) -> Refusal | None:
        current = self._store.read(step.kind, step.name)
        if current is None:
            text = "There is no such resource; an update does not create one."
            return Refusal(404, (Issue(code="unknown-resource", kind="not-found", text=text, place=step.place),))
        body_version = text_at(child(step.resource.get("meta")), "versionId")
        told = step.if_match if step.if_match is not None else _whole(body_version)
        if told is None and self._settings.version_required_on_update:
            text = "Say which version was changed: If-Match, or meta.versionId of the resource that was read."
            return Refusal(400, (Issue(code="version-missing", kind="required", text=text, place=step.place),))
        if told is not None and told != current.version:
            text = "The resource has changed since it was read; read it again."
            issue = Issue(code="version-stale", kind="conflict", text=text, place=step.place)
            return Refusal(self._settings.stale_version_status, (issue,))
        return None

    def _store_step(self, step: Step, transaction: Transaction) -> Written:
        previous = self._store.read(step.kind, step.name)
        resource = step.resource
        resource["id"] = step.name
        if previous is None:
            self._complete(step)
        version = 1 if previous is None else previous.version + 1
        meta = child(resource.get("meta"))
        resource["meta"] = {**meta, "versionId": str(version), "lastUpdated": transaction.at}
        stored = Stored(
            kind=step.kind,
            id=step.name,
            version=version,
            txn=transaction.seq,
            patient=patient_of(step.kind, resource),
            owner=self._caller.caregiver if previous is None else previous.owner,
            at=transaction.at,
            body=encode(resource),
        )
        self._store.put(stored)
        return Written(stored=stored, previous=previous)

    def _complete(self, step: Step) -> None:
        if step.kind == "MedicationRequest":
            chain = self._chain_of_prior(step.resource) or self._store.next_id("kedja")
            complete_prescription(step.resource, step.name, chain, self._now)
        elif step.kind == "MedicationDispense":
            complete_dispense(step.resource, step.name)

    def _chain_of_prior(self, resource: JsonObject) -> str | None:
        prior = referred(resource.get("priorPrescription"), "MedicationRequest")
        found = None if prior is None else self._store.read("MedicationRequest", prior)
        if found is None:
            return None
        return text_at(child(extension_value(found.resource, CHAIN)), "value")


def _whole(value: str | None) -> int | None:
    return int(value) if value is not None and value.isascii() and value.isdigit() else None
