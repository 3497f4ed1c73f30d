"""Signed administrations: FHIR R4 MedicationAdministration (11.3) into ``Administration``.

Rules this module owns:

1. ``status`` and ``statusReason`` together give the outcome (``mappings/codes/municipal_outcomes.csv``); a reason that goes with
   another status contradicts it, one that no table knows stays as words.
2. A completed dose that the patient is the performer of was taken by the patient (``self``).
3. ``entered-in-error`` takes the record back.
4. What was planned, and the standing directive (generellt direktiv) that a dose was given from, stand in two extensions.
"""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final, get_args

import msgspec

from contracts.fact import Fact, Origin, make_fact
from contracts.facts.administration import Administration, AdministrationOutcome, AdministrationStatus
from contracts.facts.correction import Retraction
from contracts.values import Identifier, Quantity, Reason, Reference
from mappings.codes.json_input import JsonObject
from mappings.codes.outcomes import OutcomeRow, outcome_from_code
from mappings.sources.fhir_r4 import elements
from mappings.sources.fhir_r4.drugs import read_medication
from mappings.sources.fhir_r4.references import read_request
from mappings.sources.fhir_r4.resources import Resource
from mappings.sources.reading import Context

PLANNED_AT: Final = "urn:medlist:extension:planned-at"
DIRECTIVE: Final = "urn:medlist:extension:standing-directive"
ENTERED_IN_ERROR: Final = "entered-in-error"
STATUSES: Final[Mapping[str, AdministrationStatus]] = MappingProxyType(
    {status: status for status in get_args(AdministrationStatus)}
)
WITHOUT_REASON: Final[Mapping[AdministrationStatus, AdministrationOutcome]] = MappingProxyType(
    {"completed": "given", "not-done": "other", "on-hold": "held", "in-progress": "other", "stopped": "other"}
)
"""What a status means where no reason says more."""


class _Outcome(msgspec.Struct, frozen=True, kw_only=True):
    status: AdministrationStatus
    outcome: AdministrationOutcome
    reason: Reason | None


def read_administration(resource: Resource, context: Context) -> Fact | None:
    """Return the fact of one resource, or note in it why there is none."""
    record = elements.record_id(resource)
    person = elements.subject(resource, context)
    version = elements.version(resource, context)
    is_retraction = resource.body.text("status") == ENTERED_IN_ERROR
    occurred_at = None if is_retraction else _occurred_at(resource, context)
    content = (
        _retraction(resource, person, record, context) if is_retraction else _administration(resource, person, context)
    )
    if resource.problems or record is None or person is None or content is None:
        return None
    origin = Origin(
        source=context.source.id,
        source_id=f"{record}/retraction" if is_retraction else record,
        patient=context.pseudonym(person),
        version=version.number,
        occurred_at=occurred_at,
        recorded_at=version.recorded_at,
    )
    return make_fact(origin, content, context.received_at)


def _administration(resource: Resource, person: Identifier | None, context: Context) -> Administration | None:
    body, source = resource.body, context.source
    medication = read_medication(resource, source.id)
    result = _outcome(resource, source.id)
    references = _references(resource, source.id)
    performers = [actor for entry in body.children("performer") if (actor := entry.child("actor")) is not None]
    performer = elements.practitioner(resource, performers, source.id)
    given = _given(body.child("dosage"))
    planned = elements.extension(body, PLANNED_AT)
    planned_at = None if planned is None else elements.instant(planned, "valueDateTime", source, required=True)
    directive = _directive(elements.extension(body, DIRECTIVE))
    if person is None or medication is None or result is None:
        return None
    return Administration(
        person=person,
        medication=medication,
        route=given.route,
        references=references,
        status=result.status,
        outcome=result.outcome,
        setting="municipal",
        dose=given.dose,
        planned_at=planned_at,
        performer=performer,
        directive=directive,
        reason=result.reason,
    )


def _retraction(
    resource: Resource, person: Identifier | None, record: str | None, context: Context
) -> Retraction | None:
    reasons = resource.body.children("statusReason")
    cause = elements.reason(reasons[0], context.source.id) if reasons else None
    if person is None or record is None:
        return None
    return Retraction(person=person, target=Identifier(system=context.source.id, value=record), reason=cause)


def _occurred_at(resource: Resource, context: Context) -> datetime | None:
    """Return ``effectiveDateTime``, or the start of ``effectivePeriod``."""
    body = resource.body
    period = body.child("effectivePeriod")
    if period is not None and "effectiveDateTime" in body:
        resource.problems.add("contradiction", body.at("effectivePeriod"), "state one time: a moment or a period")
        return None
    if period is not None:
        return elements.instant(period, "start", context.source, required=True)
    return elements.instant(body, "effectiveDateTime", context.source, required=True)


def _outcome(resource: Resource, source: str) -> _Outcome | None:
    body = resource.body
    text = body.text("status", required=True)
    status = None if text is None else STATUSES.get(text)
    if text is not None and status is None:
        known = ", ".join((*STATUSES, ENTERED_IN_ERROR))
        resource.problems.add("unsupported", body.at("status"), f"state one of: {known}")
    reasons = body.children("statusReason")
    rows = [row for concept in reasons if (row := _row(concept)) is not None]
    causes = [cause for concept in reasons if (cause := elements.reason(concept, source)) is not None]
    if status is None:
        return None
    if len({row.outcome for row in rows}) > 1:
        resource.problems.add("contradiction", body.at("statusReason"), "the reasons name different outcomes")
        return None
    outcome = rows[0].outcome if rows else _without_known_reason(resource, status, has_reason=bool(causes))
    if rows and status not in rows[0].statuses:
        resource.problems.add("contradiction", body.at("statusReason"), "this reason does not go with the status")
    return _Outcome(status=status, outcome=outcome, reason=causes[0] if causes else None)


def _row(concept: JsonObject) -> OutcomeRow | None:
    said = [coding.code for coding in elements.codings(concept)]
    text = elements.words(concept)
    if text is not None:
        said.append(text)
    return next((row for word in said if (row := outcome_from_code(word)) is not None), None)


def _without_known_reason(
    resource: Resource, status: AdministrationStatus, *, has_reason: bool
) -> AdministrationOutcome:
    if has_reason and status == "completed":
        return "other"
    if status == "completed" and _is_by_patient(resource):
        return "self"
    return WITHOUT_REASON[status]


def _is_by_patient(resource: Resource) -> bool:
    """Tell whether the only performer is the patient."""
    actors = [entry.child("actor") for entry in resource.body.children("performer")]
    subject = resource.body.child("subject")
    if len(actors) != 1 or actors[0] is None:
        return False
    reference = actors[0].text("reference")
    same = subject is not None and reference is not None and reference == subject.text("reference")
    return same or actors[0].text("type") == "Patient"


class _Given(msgspec.Struct, frozen=True, kw_only=True):
    dose: Quantity | None = None
    route: str | None = None


def _given(dosage: JsonObject | None) -> _Given:
    if dosage is None:
        return _Given()
    return _Given(dose=elements.amount(dosage.child("dose")), route=elements.route(dosage.child("route")))


def _directive(extension: JsonObject | None) -> str | None:
    """Return the code of the standing directive; an extension without one still says that there was a directive."""
    if extension is None:
        return None
    coded = elements.codings(extension.child("valueCodeableConcept"))
    coding = extension.child("valueCoding")
    text = extension.text("valueString") or (None if coding is None else coding.text("code"))
    if text is None and not coded:
        extension.problems.add("missing", extension.at("valueString"), "name the standing directive")
        return None
    return text or coded[0].code


def _references(resource: Resource, source: str) -> tuple[Reference, ...]:
    """Return the order or prescription, the stay, and the item of the plan that was signed for."""
    body = resource.body
    found = [read_request(resource, body.child("request"))]
    for supporting in body.children("supportingInformation"):
        target = elements.identifier(supporting.child("identifier"), source)
        if target is not None and supporting.text("type") == "CarePlan":
            found.append(Reference(role="plan", target=target))
    return tuple(dict.fromkeys(reference for reference in found if reference is not None))
