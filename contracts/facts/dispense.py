"""Pharmacy dispensing (expediering, uttag)."""

from typing import Literal

from contracts.facts.base import TreatmentContent
from contracts.values import Dosage, Identifier, Quantity


class Dispense(TreatmentContent, frozen=True, kw_only=True):
    """What a pharmacy handed out (FHIR R4 MedicationDispense); ``occurred_at`` is when it was handed over.

    ``was_substituted``: another product of the same substitution group was given; still the same treatment.
    """

    status: Literal["completed", "cancelled", "stopped", "in-progress", "unknown"]
    quantity: Quantity | None = None
    packages: int | None = None
    days_supply: int | None = None
    was_substituted: bool | None = None
    dosage: Dosage = Dosage()
    pharmacy: Identifier | None = None
