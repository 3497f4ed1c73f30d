"""Machine dose dispensing (maskinell dosdispensering): rolls, patient status, consent, basis, whole packages.

Names after the dose dispensing service contracts of RIVTA (druglogistics:dosedispensing, "Objekt och felhantering")
and SOL (Sortiments- och leveransinformation för dospatienter).
"""

from typing import Literal

from contracts.facts.base import Content, TreatmentContent
from contracts.values import Dosage, Identifier, Period, Quantity, Reason

RollStatus = Literal["frozen", "produced", "dispatched", "received", "returned", "withdrawn"]


class DoseSupply(TreatmentContent, frozen=True, kw_only=True):
    """One product of one pouch roll (dosrulle): the *dispensed* layer.

    ``roll`` groups the rows of a roll. ``period`` is the time that the pouches cover. A returned or withdrawn roll is
    no longer with the patient.
    """

    roll: Identifier
    status: RollStatus
    period: Period
    dosage: Dosage
    basis_version: int | None = None


class DosePatientStatus(Content, frozen=True, kw_only=True):
    """The status of a dose patient (vårdtagarstatus): dormant (vilande) pauses supply, not prescriptions."""

    status: Literal["active", "dormant", "temporary-address", "removed", "deceased", "not-registered"]
    period: Period = Period()
    cause: Reason | None = None


class DoseConsent(Content, frozen=True, kw_only=True):
    """Consent to dose dispensing (dossamtycke)."""

    status: Literal["given", "withdrawn"]


class DoseBasis(Content, frozen=True, kw_only=True):
    """The dose basis (dosunderlag) and whether a pharmacist has approved it."""

    status: Literal["not-approved", "approved", "deregistered"]
    basis_version: int | None = None


class DosePackageOrder(TreatmentContent, frozen=True, kw_only=True):
    """A whole package ordered beside the pouches (beställning av originalförpackning)."""

    status: Literal["received", "rejected", "dispatched", "cancelled"]
    packages: int | None = None
    acute: bool | None = None
    max_per_day: Quantity | None = None
