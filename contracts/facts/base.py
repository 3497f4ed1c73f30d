"""What all fact contents share."""

from typing import Literal

from contracts.values import Dosage, Identifier, Medication, Period, Practitioner, Reason, Reference, Value

Setting = Literal["inpatient", "outpatient", "municipal", "pharmacy", "self"]
"""Where a record applies: a ward, out-patient care, municipal care, a pharmacy, or the patient's own account."""

RequestStatus = Literal["active", "on-hold", "stopped", "cancelled", "completed", "unknown"]
"""FHIR R4 request status; ``cancelled`` is never valid (makulerad), ``completed`` is fully dispensed or carried out."""


class Content(Value, frozen=True, kw_only=True):
    """Base of every fact's content: ``person`` is the person number the source used (never outside a payload)."""

    person: Identifier


class TreatmentContent(Content, frozen=True, kw_only=True):
    """Base of facts about one treatment.

    ``identifiers``: further ids of the same record (an NLL prescription id on a local prescription).
    ``references``: what the source says it belongs to.
    """

    medication: Medication
    route: str | None = None
    identifiers: tuple[Identifier, ...] = ()
    references: tuple[Reference, ...] = ()


class RequestContent(TreatmentContent, frozen=True, kw_only=True):
    """Base of orders and prescriptions: a decision that the patient is to be treated.

    ``period`` is the treatment's time, half-open. ``pauses`` are intervals in which it is not to be taken.
    """

    status: RequestStatus
    setting: Setting
    period: Period = Period()
    pauses: tuple[Period, ...] = ()
    dosage: Dosage = Dosage()
    reason: Reason | None = None
    purpose: str | None = None
    end_reason: Reason | None = None
    prescriber: Practitioner | None = None
    note: str | None = None
