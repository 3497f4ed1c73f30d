"""Reported use: what the patient, or somebody for the patient, says is taken (FHIR R4 MedicationStatement)."""

from typing import Literal

from contracts.facts.base import TreatmentContent
from contracts.values import Dosage, Period, Reason


class ReportedUse(TreatmentContent, frozen=True, kw_only=True):
    """What somebody says about use, over-the-counter drugs included: the *reported* layer."""

    status: Literal["taking", "not-taking", "on-hold", "unknown"]
    informant: Literal["patient", "relative", "staff", "other"]
    over_the_counter: bool | None = None
    period: Period = Period()
    dosage: Dosage = Dosage()
    reason: Reason | None = None
