"""One atomic write: every step of a request is completed, examined and stored, or nothing is.

A single create or update is a write of one step; a bundle is a write of many. What follows from it (``effects``) and
the händelse (Provenance) are stored with it.
"""

from collections.abc import Sequence
from typing import Literal

import msgspec

from connectors.nll_sandbox.aff import examine
from connectors.nll_sandbox.casework import Desk, dispenses_of
from connectors.nll_sandbox.clinical import same_treatment
from connectors.nll_sandbox.completions import complete_dispense, complete_prescription
from connectors.nll_sandbox.detected_issues import with_warnings, without_warnings
from connectors.nll_sandbox.effects import consequences
from connectors.nll_sandbox.filtering import Viewer
from connectors.nll_sandbox.kinds import KINDS, is_counted, is_list_info, patient_of, variant
from connectors.nll_sandbox.outcomes import Issue, Refusal, refuse
from connectors.nll_sandbox.provenance import event, fits
from connectors.nll_sandbox.resources import child, codes, copied, extension_value, referred, text_at, walk
from connectors.nll_sandbox.rights import may
from connectors.nll_sandbox.server import Call, Sandbox
from connectors.nll_sandbox.store import Stored, Transaction, encode
from connectors.nll_sandbox.vocabulary import CHAIN
from mappings.fhir.exact_json import JsonObject

_UNPROCESSABLE = 422


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
    """One version that a write stored, the one it replaced, and what the rules warned of."""

    stored: Stored
    previous: Stored | None = None
    warnings: tuple[Issue, ...] = ()

    @property
    def changed_nothing(self) -> bool:
        """Whether the version says the same about the treatment as the one before."""
        return self.previous is not None and same_treatment(self.previous.resource, self.stored.resource)


class Writer:
    """Carries out the writes of one request."""

    def __init__(self, sandbox: Sandbox, call: Call) -> None:
        self._sandbox = sandbox
        self._store = sandbox.store
        self._settings = sandbox.settings
        self._call = call
        self._desk = Desk(sandbox.store, sandbox.registers, sandbox.settings, call.now)
        self._viewer = Viewer(sandbox.store, sandbox.settings, call.now, call.caller, call.context)

    def write(self, steps: Sequence[Step], *, dry_run: bool = False) -> tuple[Written, ...] | Refusal:
        """Store every step, or none and say why; a dry run answers the same and stores nothing."""
        with self._store.transaction(self._call.now) as transaction:
            outcome = self._write(steps, transaction)
            if isinstance(outcome, Refusal) or dry_run:
                transaction.undo()
        if any(step.kind == "Medication" for step in steps):
            self._sandbox.registers.forget()
        return outcome

    def _write(self, steps: Sequence[Step], transaction: Transaction) -> tuple[Written, ...] | Refusal:
        written: list[Written] = []
        refusals: list[Refusal] = []
        for step in self._name(steps):
            # A step that breaks a rule is stored all the same, so that later steps that build on it are judged for
            # themselves; the transaction is undone in the end.
            refusal = self._refusal(step)
            if refusal is None:
                outcome = self._carry_out(step, transaction)
                written.append(outcome[0])
                refusal = outcome[1]
            if refusal is not None:
                refusals.append(refusal)
        if refusals:
            issues = dict.fromkeys(issue for refusal in refusals for issue in refusal.issues)
            return Refusal(refusals[0].status, tuple(issues), refusals[0].headers)
        self._follow_up(written, transaction)
        return tuple(written)

    def _follow_up(self, written: Sequence[Written], transaction: Transaction) -> None:
        stored = [one.stored for one in written]
        for kind, name, resource in consequences(self._store, stored):
            named = name or self._store.next_id(KINDS[kind].prefix)
            stored.append(self._store_version(kind, named, resource, transaction))
        patients = dict.fromkeys(one.patient for one in stored if KINDS[one.kind].changes_list and one.patient)
        for patient in patients:
            self._store.raise_list_version(patient, transaction.seq)
        if self._call.context.provenance is not None:
            name = self._store.next_id(KINDS["Provenance"].prefix)
            told = event(name, self._call.context.provenance, [one.stored for one in written], transaction.at)
            self._store.put(self._version("Provenance", name, told, transaction, next(iter(patients), None)))

    def _name(self, steps: Sequence[Step]) -> list[Step]:
        """Give every created resource its id, and put ids where the bundle had placeholders."""
        named = [
            msgspec.structs.replace(
                step,
                resource=copied(step.resource),
                name=step.name or self._store.next_id(KINDS[step.kind].prefix),
            )
            for step in steps
        ]
        ids = {step.full_url: f"{step.kind}/{step.name}" for step in named if step.full_url}
        for element in (element for step in named for element in walk(step.resource)):
            target = ids.get(text_at(element, "reference") or "")
            if target is not None:
                element["reference"] = target
        return named

    def _refusal(self, step: Step) -> Refusal | None:
        """Why the step cannot even be examined: its form, the role, the version it changes."""
        form = _form(step, self._call, activity_must_fit=self._settings.activity_must_fit)
        if form:
            return Refusal(400, tuple(form))
        forbidden = may(self._call.caller, step.action, step.kind, step.resource)
        if forbidden is not None or step.action == "create":
            return forbidden
        return self._stale_version(step)

    def _stale_version(self, step: Step) -> Refusal | None:
        current = self._store.read(step.kind, step.name)
        if current is None:
            text = "There is no such resource; an update does not create one."
            return refuse(404, "unknown-resource", text, kind="not-found", place=step.place)
        if self._viewer.see(current) is None:
            return refuse(
                self._settings.hidden_status, "hidden", "The resource is hidden from this caller.", kind="suppressed"
            )
        body_version = text_at(child(step.resource.get("meta")), "versionId")
        told = step.if_match if step.if_match is not None else _whole(body_version)
        if told is None and self._settings.version_required_on_update:
            text = "Say which version was changed: If-Match, or meta.versionId of the resource that was read."
            return refuse(400, "version-missing", text, kind="required", place=step.place)
        if told is not None and told != current.version:
            text = "The resource has changed since it was read; read it again."
            status = self._settings.stale_version_status
            return refuse(status, "version-stale", text, kind="conflict", place=step.place)
        return None

    def _carry_out(self, step: Step, transaction: Transaction) -> tuple[Written, Refusal | None]:
        previous = self._store.read(step.kind, step.name)
        resource = without_warnings(step.resource)
        if previous is None:
            self._complete(step.kind, step.name, resource)
        case = self._desk.case(step.kind, step.name, resource, self._call.caller, self._call.context)
        issues = examine(case, step.place, self._settings.aff_severities)
        rejecting = tuple(issue for issue in issues if issue.severity == "error")
        warnings = tuple(issue for issue in issues if issue.severity != "error")
        if previous is not None:
            self._settle_status(step, resource, previous)
        stored = self._store_version(step.kind, step.name, with_warnings(resource, warnings), transaction)
        stale = any(issue.code == "U.011" for issue in rejecting)
        status = self._settings.stale_list_status if stale else _UNPROCESSABLE
        written = Written(stored=stored, previous=previous, warnings=warnings)
        return written, Refusal(status, rejecting) if rejecting else None

    def _settle_status(self, step: Step, resource: JsonObject, previous: Stored) -> None:
        """Cancelling what was dispensed or corrected before ends it (EHM-FAQ)."""
        if step.kind != "MedicationRequest" or resource.get("status") != "cancelled":
            return
        dispensed = any(is_counted(one) for one in dispenses_of(self._store, step.name))
        if previous.resource.get("status") != "cancelled" and (dispensed or previous.version > 1):
            resource["status"] = "stopped"

    def _store_version(self, kind: str, name: str, resource: JsonObject, transaction: Transaction) -> Stored:
        stored = self._version(kind, name, resource, transaction, patient_of(kind, resource))
        self._store.put(stored)
        return stored

    def _version(
        self, kind: str, name: str, resource: JsonObject, transaction: Transaction, patient: str | None
    ) -> Stored:
        previous = self._store.read(kind, name)
        version = 1 if previous is None else previous.version + 1
        meta = {**child(resource.get("meta")), "versionId": str(version), "lastUpdated": transaction.at}
        return Stored(
            kind=kind,
            id=name,
            version=version,
            txn=transaction.seq,
            patient=patient,
            owner=self._call.caller.caregiver if previous is None else previous.owner,
            at=transaction.at,
            body=encode({**resource, "id": name, "meta": meta}),
        )

    def _complete(self, kind: str, name: str, resource: JsonObject) -> None:
        if kind == "MedicationRequest":
            chain = self._chain_of_prior(resource) or self._store.next_id("kedja")
            complete_prescription(resource, name, chain, self._call.now)
        elif kind == "MedicationDispense":
            complete_dispense(resource, name)

    def _chain_of_prior(self, resource: JsonObject) -> str | None:
        prior = referred(resource.get("priorPrescription"), "MedicationRequest")
        stored = None if prior is None else self._store.read("MedicationRequest", prior)
        return None if stored is None else text_at(child(extension_value(stored.resource, CHAIN)), "value")


def _form(step: Step, call: Call, *, activity_must_fit: bool) -> list[Issue]:
    """What is wrong with the step before any rule: identity, profile, patient, stated activity."""
    resource = step.resource
    patient = patient_of(step.kind, resource)
    element = KINDS[step.kind].patient_element
    activity = next(iter(codes(child(call.context.provenance, "activity"))), "")
    # A bundle has one händelse for all its entries.
    misfits = activity_must_fit and not step.place and not fits(activity, step.action, step.kind)
    checks = (
        (step.action == "update" and resource.get("id") != step.name, "id-differs", "id"),
        (not KINDS[step.kind].writable or is_list_info(resource), "server-owned", "code"),
        (step.kind in {"Basic", "Consent"} and not variant(step.kind, resource), "profile-unknown", "code"),
        (element is not None and patient is None, "patient-missing", element or ""),
        (
            patient is not None
            and not patient.startswith("contained|")
            and call.context.patient not in {None, patient},
            "patient-differs",
            element or "",
        ),
        (misfits, "activity-differs", ""),
    )
    return [
        Issue(
            code=code,
            kind="invariant",
            place=f"{step.place}{step.kind}.{where}" if where else "http.x-provenance",
            text=_TEXTS[code],
        )
        for wrong, code, where in checks
        if wrong
    ]


_TEXTS = {
    "id-differs": "The id of the resource is not the id of the address.",
    "server-owned": "This resource is written by the server alone.",
    "profile-unknown": "The code says none of the profiles that the server holds.",
    "patient-missing": "Name a Patient, or a contained one with an identifier.",
    "patient-differs": "The patient is not the one that x-patientref names.",
    "activity-differs": "The activity in x-provenance is not what the request does.",
}


def _whole(value: str | None) -> int | None:
    return int(value) if value is not None and value.isascii() and value.isdigit() else None
