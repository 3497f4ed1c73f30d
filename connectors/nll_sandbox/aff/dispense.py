"""Rules about dispensing (uttag)."""

from decimal import Decimal
from typing import Final

from connectors.nll_sandbox.aff.case import Case, Places, dose_packaging
from connectors.nll_sandbox.kinds import dispenses_allowed, is_counted, patient_of
from connectors.nll_sandbox.resources import child, extension_value
from connectors.nll_sandbox.vocabulary import PACKAGES_DISPENSED, PACKAGES_PRESCRIBED
from contracts.systems import GLN
from mappings.fhir.exact_json import JsonObject

TOLERANCE: Final = Decimal("1.12")


def authorizing_prescription_exists(case: Case) -> Places:
    """Code ``prescription-unknown``; a dispense without one is a dispense of a paper prescription."""
    if not case.resource.get("authorizingPrescription"):
        return
    if case.authorizing is None or patient_of("MedicationRequest", case.authorizing) != case.patient:
        yield "authorizingPrescription"


def prescription_can_be_dispensed(case: Case) -> Places:
    """G.031; a dispense that is corrected was possible when it was made."""
    if case.authorizing is not None and case.previous is None and case.authorizing.get("status") != "active":
        yield "authorizingPrescription"


def exchange_is_allowed(case: Case) -> Places:
    """D.001."""
    if case.authorizing is None or child(case.resource, "substitution").get("wasSubstituted") is not True:
        return
    if child(case.authorizing, "substitution").get("allowedBoolean") is False:
        yield "substitution.wasSubstituted"


def dose_actor_is_the_patients(case: Case) -> Places:
    """D.002."""
    if not case.dose_actor or case.authorizing is None or not dose_packaging(case.authorizing):
        return
    pharmacy = child(case.resource, "location", "identifier")
    if pharmacy.get("system") != GLN or pharmacy.get("value") != case.dose_actor:
        yield "location"


def no_more_than_remains(case: Case) -> Places:
    """H.020: by quantity when both tell it in one unit, and by packages when both tell those."""
    if case.authorizing is None:
        return
    dispensed = [one for one in case.dispensed if is_counted(one)]
    prescribed = child(case.authorizing, "dispenseRequest", "quantity")
    amounts = [_quantity(one, prescribed) for one in (case.resource, *dispensed)]
    if _exceeds(_times(_number(prescribed.get("value")), case.authorizing), amounts):
        yield "quantity"
    packages = _number(extension_value(case.authorizing.get("dispenseRequest"), PACKAGES_PRESCRIBED))
    counts = [_number(extension_value(one, PACKAGES_DISPENSED)) for one in (case.resource, *dispensed)]
    if _exceeds(_times(packages, case.authorizing), counts):
        yield "extension"


def _exceeds(total: Decimal | None, amounts: list[Decimal | None]) -> bool:
    """Whether the first amount is more than what the others leave of the total, with the tolerance."""
    this, *before = amounts
    if total is None or this is None:
        return False
    remaining = total - sum((amount for amount in before if amount is not None), Decimal(0))
    return this > remaining * TOLERANCE


def _times(amount: Decimal | None, prescription: JsonObject) -> Decimal | None:
    allowed = dispenses_allowed(prescription)
    return None if amount is None or allowed is None else amount * allowed


def _quantity(dispense: JsonObject, prescribed: JsonObject) -> Decimal | None:
    quantity = child(dispense, "quantity")
    same_unit = all(quantity.get(part) == prescribed.get(part) for part in ("system", "code", "unit"))
    return _number(quantity.get("value")) if same_unit else None


def _number(value: object) -> Decimal | None:
    return Decimal(value) if isinstance(value, int | Decimal) and not isinstance(value, bool) else None
