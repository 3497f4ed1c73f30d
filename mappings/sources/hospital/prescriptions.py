"""The prescription that follows from an out-patient order: what RXE and ORC say about dispensing (chapter 4.14.4)."""

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Final

import msgspec

from contracts.facts.prescribing import Order, Prescription
from contracts.systems import GLN, NLL_PRESCRIPTION
from contracts.values import Identifier, Reference
from mappings.codes.units import ucum
from mappings.sources.hospital.fields import Segment
from mappings.sources.hospital.identities import codings, workplace_code

PACK: Final = "{pack}"
UNIT_DOSE: Final = "UD"
SUBSTITUTION: Final[Mapping[str, bool]] = MappingProxyType(
    {"1": False, "7": False, "3": True, "4": True, "5": True, "8": True}
)
"""RXE-9, table 0167: codes that forbid or allow another product; the other codes say neither."""


class PrescriptionDetails(msgspec.Struct, frozen=True, kw_only=True):
    """What a prescription says beside its order."""

    dispenses_allowed: int | None
    packages: int | None
    dose_dispensed: bool | None
    substitution_allowed: bool | None
    receiving_pharmacy: Identifier | None
    workplace_code: str | None


def prescription_id(order: str) -> str:
    """Return the source id of the prescription that follows from an order."""
    return f"{order}/prescription"


def read_prescription_details(rxe: Segment, orc: Segment) -> PrescriptionDetails:
    """Return what an out-patient order says about dispensing."""
    refills = rxe.whole(12)
    if refills is not None and refills < 0:
        rxe.problems.add("unreadable", rxe.at(12), "a number of refills is not negative")
    return PrescriptionDetails(
        dispenses_allowed=None if refills is None else refills + 1,
        packages=_packages(rxe),
        dose_dispensed=True if rxe.text(30) == UNIT_DOSE else None,
        substitution_allowed=SUBSTITUTION.get(rxe.text(9) or ""),
        receiving_pharmacy=_pharmacy(rxe),
        workplace_code=workplace_code(orc),
    )


def prescription_of(order: Order, details: PrescriptionDetails, follows: Reference) -> Prescription:
    """Return the prescription of an order; ``follows`` names the order."""
    return Prescription(
        person=order.person,
        medication=order.medication,
        route=order.route,
        identifiers=order.identifiers,
        references=(follows, *_of_prescription(order.references)),
        status=order.status,
        setting=order.setting,
        period=order.period,
        pauses=order.pauses,
        dosage=order.dosage,
        reason=order.reason,
        end_reason=order.end_reason,
        prescriber=order.prescriber,
        note=order.note,
        dispenses_allowed=details.dispenses_allowed,
        packages=details.packages,
        dose_dispensed=details.dose_dispensed,
        substitution_allowed=details.substitution_allowed,
        receiving_pharmacy=details.receiving_pharmacy,
        workplace_code=details.workplace_code,
    )


def _of_prescription(references: Iterable[Reference]) -> Iterator[Reference]:
    """Yield what holds for the prescription as for its order: the chain, and what it replaces.

    An order of the hospital's own that is replaced had a prescription of its own; in NLL the prescription is what is named.
    """
    for reference in references:
        if reference.role == "chain" or reference.target.system == NLL_PRESCRIPTION:
            yield reference
        elif reference.role == "predecessor":
            former = msgspec.structs.replace(reference.target, value=prescription_id(reference.target.value))
            yield Reference(role="predecessor", target=former)


def _packages(rxe: Segment) -> int | None:
    """Return RXE-10 where its unit is packages; an amount of tablets tells no number of packages."""
    value, unit = rxe.decimal(10), rxe.text(11)
    if value is None or unit is None or ucum(unit) != PACK:
        return None
    if value != value.to_integral_value():
        rxe.problems.add("unreadable", rxe.at(10), "write a whole number of packages")
        return None
    return int(value)


def _pharmacy(rxe: Segment) -> Identifier | None:
    for coding in codings(rxe.field(40)):
        if coding.system == GLN and coding.code is not None:
            return Identifier(system=GLN, value=coding.code)
    return None
