"""Orders (ordination) and prescriptions (förskrivning).

An order is the clinical decision, a prescription the authorisation to dispense that follows from it
(RIVTA GetMedicationHistory TKB; NLL stores prescriptions only).
"""

from datetime import date

from contracts.facts.base import RequestContent
from contracts.values import Identifier


class Order(RequestContent, frozen=True, kw_only=True):
    """The clinical decision (ordination): the *intended* layer."""


class Prescription(RequestContent, frozen=True, kw_only=True):
    """The authorisation to dispense (förskrivning): the *prescribed* layer.

    ``valid_until`` is the last day on which it may be dispensed (sista giltighetsdag), inclusive; it does not end the
    treatment, ``period.end`` does (NLL handbook TA30).
    """

    valid_until: date | None = None
    dispenses_allowed: int | None = None
    dispense_interval_days: int | None = None
    packages: int | None = None
    dose_dispensed: bool | None = None
    substitution_allowed: bool | None = None
    receiving_pharmacy: Identifier | None = None
    workplace_code: str | None = None
