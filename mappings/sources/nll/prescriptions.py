"""NLLMedicationRequest into ``Prescription`` (NLL guide, MedicationRequest; the reference, 1.4-1.6).

Rules this module owns:

1. The record is NLL's prescription; ``meta.versionId`` is its version. The first version holds from its issue (``authoredOn``),
   a later one from when it was stored (``meta.lastUpdated``).
2. *Sista giltighetsdag* (``validityPeriod.end``) ends the dispensing, *sista doseringsdag* (``boundsPeriod.end``) the treatment
   (TA30): the first is ``valid_until``, the second ends the period where every dosage states one. Both days belong to it.
3. Slutexpedierad (``completed``) is no end of the treatment. Makulerad (``cancelled``, ``entered-in-error``) was never valid.
4. What we registered there ourselves is refused: it would come back to us as somebody else's word. Where somebody else has changed
   it since, it comes with the id of the record that it was registered for in place of ours, and refers to that record (role
   ``order``, as every reference to a record of our sources), so that both are one treatment.
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import Final

import msgspec

from contracts.fact import Fact, Origin, make_fact
from contracts.facts.base import RequestStatus
from contracts.facts.prescribing import Prescription
from contracts.systems import NLL_CHAIN, NLL_PRESCRIPTION
from contracts.values import Identifier, Period, Reference
from mappings.codes.json_input import JsonObject
from mappings.codes.times import read_date
from mappings.sources.fhir_r4 import elements
from mappings.sources.fhir_r4.drugs import read_medication
from mappings.sources.fhir_r4.resources import Resource
from mappings.sources.nll.dosage import read_nll_dosage, treatment_period
from mappings.sources.nll.records import is_ours, nll_id, reference, registered_for, scoped
from mappings.sources.reading import Context

_NLL: Final = "http://electronichealth.se/fhir/StructureDefinition/"
FIRST_VERSION: Final = 1
STATUSES: Final[Mapping[str, RequestStatus]] = MappingProxyType(
    {
        "active": "active",
        "on-hold": "on-hold",
        "completed": "completed",
        "stopped": "stopped",
        "cancelled": "cancelled",
        "entered-in-error": "cancelled",
        "draft": "unknown",
        "unknown": "unknown",
    }
)
"""FHIR R4 medicationrequest-status -> ours."""


class _Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What ``dispenseRequest`` says."""

    valid_until: date | None = None
    dispenses_allowed: int | None = None
    dispense_interval_days: int | None = None
    packages: int | None = None
    dose_dispensed: bool | None = None
    workplace_code: str | None = None


def read_prescription(resource: Resource, context: Context) -> Fact | None:
    """Return the fact of one resource, or note in it why there is none."""
    body, source = resource.body, context.source
    if is_ours(resource):
        resource.problems.add(
            "unsupported", body.at("identifier"), "registered from here: nothing of it is learnt from NLL"
        )
        return None
    record = nll_id(resource, NLL_PRESCRIPTION)
    person = elements.subject(resource, context)
    version = elements.version(resource, context)
    issued = elements.instant(body, "authoredOn", source)
    content = _content(resource, person, record, context, issued)
    if resource.problems or record is None or person is None or content is None:
        return None
    first = version.number == FIRST_VERSION and issued is not None
    origin = Origin(
        source=source.id,
        source_id=record,
        patient=context.pseudonym(person),
        version=version.number,
        occurred_at=issued if first else version.recorded_at or issued,
        recorded_at=version.recorded_at or issued,
    )
    return make_fact(origin, content, context.received_at)


def _content(
    resource: Resource, person: Identifier | None, record: str | None, context: Context, issued: datetime | None
) -> Prescription | None:
    body, source = resource.body, context.source
    status = _status(body)
    medication = read_medication(resource, source.id)
    instructions = body.children("dosageInstruction")
    dosage = read_nll_dosage(instructions, source)
    period = treatment_period(instructions, source)
    routes = {found for entry in instructions if (found := elements.route(entry.child("route"))) is not None}
    reasons = [elements.reason(entry, source.id) for entry in body.children("reasonCode")]
    terms = _terms(body.child("dispenseRequest"))
    requester = body.child("requester")
    substitution = body.child("substitution")
    prescriber = elements.practitioner(resource, [] if requester is None else [requester], source.id)
    references, purpose, pharmacy = _references(resource), _purpose(body), _pharmacy(body)
    if person is None or record is None or status is None or medication is None:
        return None
    return Prescription(
        person=person,
        medication=medication,
        route=routes.pop() if len(routes) == 1 else None,
        identifiers=(scoped(record, NLL_PRESCRIPTION),),
        references=references,
        status=status,
        setting="outpatient",
        period=period if period.start is not None else Period(start=issued, end=period.end),
        dosage=dosage,
        reason=next((one for one in reasons if one is not None), None),
        purpose=purpose,
        prescriber=prescriber,
        substitution_allowed=None if substitution is None else substitution.flag("allowedBoolean"),
        receiving_pharmacy=pharmacy,
        **msgspec.structs.asdict(terms),
    )


def _status(body: JsonObject) -> RequestStatus | None:
    text = body.text("status", required=True)
    status = None if text is None else STATUSES.get(text)
    if text is not None and status is None:
        body.problems.add("unsupported", body.at("status"), f"state one of: {', '.join(STATUSES)}")
    return status


def _references(resource: Resource) -> tuple[Reference, ...]:
    """Return the chain and the predecessor."""
    body = resource.body
    found = [reference(resource, body.child("priorPrescription"), "predecessor"), *registered_for(resource)]
    chain = elements.extension(body, f"{_NLL}NLLPrescriptionChain")
    stated = None if chain is None else chain.child("valueIdentifier", required=True)
    value = None if stated is None else stated.text("value", required=True)
    if value is not None:
        found.append(Reference(role="chain", target=scoped(value, NLL_CHAIN)))
    return tuple(sorted(one for one in found if one is not None))


def _terms(request: JsonObject | None) -> _Terms:
    if request is None:
        return _Terms()
    validity = request.child("validityPeriod")
    end = None if validity is None else validity.text("end")
    until = None if validity is None or end is None else request.problems.keep(read_date(end[:10], validity.at("end")))
    repeats = request.whole("numberOfRepeatsAllowed")
    allowed = _whole(request, "NLLNumberOfDispensesAllowed", "valueUnsignedInt")
    packaging = elements.extension(request, f"{_NLL}NLLDosePackaging")
    workplace = elements.extension(request, f"{_NLL}NLLWorkplacecode")
    return _Terms(
        valid_until=until,
        dispenses_allowed=repeats + 1 if allowed is None and repeats is not None else allowed,
        dispense_interval_days=_days(request.child("dispenseInterval")),
        packages=_whole(request, "NLLNumberOfPackagesPrescribed", "valuePositiveInt"),
        dose_dispensed=None if packaging is None else packaging.flag("valueBoolean", required=True),
        workplace_code=None if workplace is None else workplace.text("valueCode", required=True),
    )


def _whole(body: JsonObject, name: str, value: str) -> int | None:
    stated = elements.extension(body, f"{_NLL}{name}")
    return None if stated is None else stated.whole(value, required=True)


def _days(interval: JsonObject | None) -> int | None:
    stated = elements.amount(interval)
    if interval is None or stated is None:
        return None
    days = stated.value * {"d": 1, "wk": 7}.get(stated.unit, 0)
    if days <= 0 or timedelta(days=int(days)) != timedelta(days=float(days)):
        interval.problems.add("unreadable", interval.place, "state whole days or weeks, {value: 28, code: d}")
        return None
    return int(days)


def _purpose(body: JsonObject) -> str | None:
    stated = elements.extension(body, f"{_NLL}NLLPatientTreatmentReason")
    return None if stated is None else stated.text("valueString")


def _pharmacy(body: JsonObject) -> Identifier | None:
    stated = elements.extension(body, f"{_NLL}NLLReceivingPharmacy")
    referred = None if stated is None else stated.child("valueReference")
    return None if referred is None else elements.identifier(referred.child("identifier"), "")
