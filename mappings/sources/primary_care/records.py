"""One ``medicationMedicalRecord`` into what it says: an order, a prescription, administrations, or that it is void.

Rules this module owns (TKB clinicalprocess:activityprescription:actoutcome, GetMedicationHistory):

1. The record's id is its ``prescriptionId``; ``documentId`` with its source system is a further id of it.
2. ``Active`` is the last of its chain. ``Inactive`` and every withdrawal (``typeOfPrescription`` U, utsättning) is a
   stopped order, from the half-open end on if an end is stated. A withdrawal that ends no later than it starts never
   took effect: it is cancelled.
3. A nullified record takes back everything that it ever held: its order, its prescription, its administrations.
"""

from datetime import datetime
from typing import Final

import msgspec

from contracts.facts.base import RequestStatus
from contracts.values import Dosage, Identifier, Medication, Period, Practitioner, Reason, Reference, ReferenceRole
from mappings.codes.times import local_end, not_future, to_utc
from mappings.sources.primary_care.dosage import read_dosage
from mappings.sources.primary_care.drugs import read_medication, read_route
from mappings.sources.primary_care.identities import acting, read_coded, read_ii, read_patient, read_professional
from mappings.sources.primary_care.xml_input import Element
from mappings.sources.reading import Context

_NEIGHBOURS: Final[tuple[tuple[ReferenceRole, str], ...]] = (
    ("chain", "prescriptionChainId"),
    ("predecessor", "precedingPrescriptionId"),
    ("successor", "succeedingPrescriptionId"),
)


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """Whose record it is, who is accountable for it, and when it was recorded."""

    person: Identifier
    recorded_at: datetime
    document: Identifier
    accountable: Practitioner | None
    care_contact: str | None
    is_nullified: bool


class Treatment(msgspec.Struct, frozen=True, kw_only=True):
    """What a record says about the treatment, before it becomes an order and a prescription."""

    record: Identifier
    status: RequestStatus
    occurred_at: datetime | None
    period: Period
    medication: Medication
    route: str | None
    dosage: Dosage
    references: tuple[Reference, ...]
    reason: Reason | None
    purpose: str | None
    end_reason: Reason | None
    prescriber: Practitioner | None
    note: str | None

    def order_in(self, source: str) -> Reference:
        """Return the reference of what belongs to this record's order."""
        return Reference(role="order", target=Identifier(system=source, value=self.record.value))


def read_header(header: Element, context: Context) -> Header | None:
    """Read ``PatientSummaryHeaderType``."""
    document, system = header.text("documentId", required=True), header.text("sourceSystemHSAId", required=True)
    person = read_patient(header.child("patientId", required=True), context)
    accountable = header.child("accountableHealthcareProfessional", required=True)
    recorded_at = read_recorded(accountable, context)
    professional = read_professional(accountable)
    care_contact, is_nullified = header.text("careContactId"), header.flag("nullified")
    if document is None or system is None or person is None or recorded_at is None:
        return None
    return Header(
        person=person,
        recorded_at=recorded_at,
        document=Identifier(system=context.source.id, value=f"{system}:{document}"),
        accountable=professional,
        care_contact=care_contact,
        is_nullified=is_nullified is True,
    )


def read_recorded(professional: Element | None, context: Context) -> datetime | None:
    """Return when somebody recorded something (``authorTime``), which is not after the receipt."""
    if professional is None:
        return None
    at = professional.instant("authorTime", context.source.zone, required=True)
    if at is None:
        return None
    return professional.problems.keep(not_future(at, context.received_at, professional.at("authorTime")))


def read_treatment(body: Element, header: Header | None, context: Context) -> Treatment | None:
    """Read ``MedicationPrescriptionType``, but for its prescription and administrations."""
    record = read_ii(body.child("prescriptionId", required=True), context.source.id)
    references = _references(body, header, context)
    is_withdrawal = _is_one_of(body, "typeOfPrescription", stands="I", falls="U")
    is_inactive = _is_one_of(body, "prescriptionStatus", stands="Active", falls="Inactive")
    starts = body.local_time("startOfTreatment")
    start = (
        None if starts is None else body.problems.keep(to_utc(starts, context.source.zone, body.at("startOfTreatment")))
    )
    end = _end(body, context)
    period, status = _period(body, start, end, is_withdrawal=is_withdrawal is True)
    drug = body.child("drug")
    medication = _medication(body, drug, references, is_withdrawal=is_withdrawal is True)
    reason, purpose = _reason(body), body.text("treatmentPurpose")
    end_reason = read_coded(body.child("endOfTreatmentReason"))
    prescriber = read_professional(body.child("prescriber"))
    note = _note(body, drug)
    dosage = read_dosage(drug, starts)
    route = route_of(drug)
    if record is None or is_withdrawal is None or is_inactive is None or medication is None:
        return None
    is_stopped = is_withdrawal or is_inactive
    return Treatment(
        record=record,
        status=status or ("stopped" if is_stopped else "active"),
        occurred_at=end if is_stopped else start,
        period=period,
        medication=medication,
        route=route,
        dosage=dosage,
        references=references,
        reason=reason,
        purpose=purpose,
        end_reason=end_reason,
        prescriber=acting(prescriber, None if header is None else header.accountable),
        note=note,
    )


def route_of(drug: Element | None) -> str | None:
    """Return the route that a drug choice states beside its product."""
    product = None if drug is None else drug.child("drug")
    return None if product is None else read_route(product.child("routeOfAdministration"))


def _is_one_of(body: Element, name: str, *, stands: str, falls: str) -> bool | None:
    code = body.text(name, required=True)
    if code not in {stands, falls, None}:
        body.problems.add("unknown-code", body.at(name), f"must be {stands} or {falls}")
        return None
    return None if code is None else code == falls


def _end(body: Element, context: Context) -> datetime | None:
    name = "endOfTreatment"
    local = body.local_time(name)
    if local is None:
        return None
    return body.problems.keep(local_end(local, context.source.zone, context.source.end_date, body.at(name)))


def _period(
    body: Element, start: datetime | None, end: datetime | None, *, is_withdrawal: bool
) -> tuple[Period, RequestStatus | None]:
    """Return the treatment's time, and ``cancelled`` where a withdrawal leaves nothing of it."""
    if start is None or end is None or start < end:
        return Period(start=start, end=end), None
    if is_withdrawal:
        return Period(start=start, end=start), "cancelled"
    body.problems.add("contradiction", body.at("endOfTreatment"), "the treatment ends before it starts")
    return Period(), None


def _medication(
    body: Element, drug: Element | None, references: tuple[Reference, ...], *, is_withdrawal: bool
) -> Medication | None:
    """Return the drug; a withdrawal that points at what it ends need not repeat it."""
    if drug is not None:
        return read_medication(drug)
    if is_withdrawal and any(reference.role in {"predecessor", "chain"} for reference in references):
        return Medication(kind="free-text")
    body.problems.add("missing", body.at("drug"), "is required, unless a withdrawal points at what it ends")
    return None


def _references(body: Element, header: Header | None, context: Context) -> tuple[Reference, ...]:
    """Return the chain, the neighbours in it and the care contact."""
    source = context.source.id
    named = (
        Reference(role=role, target=target)
        for role, name in _NEIGHBOURS
        for target in [read_ii(body.child(name), source)]
        if target is not None
    )
    contact = None if header is None else header.care_contact
    encounter = () if contact is None else (Identifier(system=source, value=contact),)
    return (*named, *(Reference(role="encounter", target=target) for target in encounter))


def _reason(body: Element) -> Reason | None:
    """Return the first principal reason's code with the words of all principal reasons."""
    found = body.children("principalPrescriptionReason")
    read = [read_coded(element.child("reason", required=True)) for element in found]
    other = [element.text("otherReason") for element in found]
    words = [reason.text if reason else None for reason in read] + other
    text = "; ".join(dict.fromkeys(word for word in words if word)) or None
    code = next((reason.code for reason in read if reason and reason.code), None)
    return Reason(code=code, text=text) if code or text else None


def _note(body: Element, drug: Element | None) -> str | None:
    comment = None if drug is None else drug.text("comment")
    return "\n".join(text for text in (body.text("prescriptionNote"), comment) if text) or None
