"""Administrations (administrering, signering): what was given, or not given, at one time."""

from datetime import datetime
from typing import Literal

from contracts.facts.base import Setting, TreatmentContent
from contracts.values import Practitioner, Quantity, Reason

AdministrationStatus = Literal["completed", "not-done", "on-hold", "in-progress", "stopped"]
AdministrationOutcome = Literal[
    "given",
    "given-late",
    "given-early",
    "partial",
    "refused",
    "asleep",
    "absent",
    "vomited",
    "clinical",
    "supply",
    "held",
    "self",
    "other",
]


class Administration(TreatmentContent, frozen=True, kw_only=True):
    """One administration (FHIR R4 MedicationAdministration): the *given* layer.

    ``directive`` is set when staff gave it from a standing directive (generellt direktiv): such a dose has no order.
    """

    status: AdministrationStatus
    outcome: AdministrationOutcome
    setting: Setting
    dose: Quantity | None = None
    planned_at: datetime | None = None
    performer: Practitioner | None = None
    directive: str | None = None
    reason: Reason | None = None
