"""The prescription (förskrivning) of a record: ``DispensationAuthorizationType``."""

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType
from typing import Final

import msgspec

from contracts.fact import Fact, Origin, make_fact
from contracts.facts.prescribing import Prescription
from contracts.systems import GLN
from contracts.values import Dosage, Identifier, Reference
from mappings.codes.tables import fold
from mappings.codes.times import read_date
from mappings.sources.primary_care.amounts import read_span, whole_days
from mappings.sources.primary_care.dosage import read_dosage
from mappings.sources.primary_care.drugs import read_medication
from mappings.sources.primary_care.identities import acting, read_ii, read_professional, system_of
from mappings.sources.primary_care.records import Header, Treatment, read_recorded, route_of
from mappings.sources.primary_care.xml_input import Element
from mappings.sources.reading import Context

GLN_ROOT: Final = "1.3.88"
IS_DOSE_DISPENSED: Final[Mapping[str, bool]] = MappingProxyType(
    {
        **dict.fromkeys(("dos", "dosdispensering", "dosdispenserat", "dosexpediering"), True),
        **dict.fromkeys(("originalförpackning", "helförpackning", "hel förpackning"), False),
    }
)
"""Words for the way of distribution; the contract leaves it free text, so others say nothing here."""
_PACKAGE_WORDS = frozenset({"förpackning", "förpackningar", "förp"})


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What may be dispensed, until when, how often, where."""

    valid_until: date | None
    interval_days: int | None
    packages: int | None
    dose_dispensed: bool | None
    substitution_allowed: bool | None
    pharmacy: Identifier | None


def prescription_id(order_id: str) -> str:
    """Return the source id of the prescription that stands in an order's record."""
    return f"{order_id}/prescription"


def read_prescription(
    element: Element | None, header: Header | None, treatment: Treatment | None, context: Context
) -> Fact | None:
    """Return the prescription of a record, if it has one and everything in it can be read."""
    if element is None:
        return None
    identifier = read_ii(element.child("dispensationAuthorizationId", required=True), context.source.id)
    authorizer = element.child("dispensationAuthorizer", required=True)
    recorded_at = read_recorded(authorizer, context)
    prescriber = read_professional(authorizer)
    drug = element.child("drug")
    medication = treatment.medication if drug is None and treatment else drug and read_medication(drug)
    terms = read_terms(element)
    signatura = element.text("prescriptionSignatura", required=True)
    own_dosage = read_dosage(drug, None)
    if header is None or treatment is None or identifier is None or recorded_at is None or not medication:
        return None
    steps = own_dosage if drug is not None and own_dosage.steps else treatment.dosage
    content = Prescription(
        person=header.person,
        medication=medication,
        route=route_of(drug) or treatment.route,
        identifiers=(identifier,),
        references=(treatment.order_in(context.source.id), *_chain(treatment)),
        status=treatment.status,
        setting="outpatient",
        period=treatment.period,
        dosage=Dosage(text=signatura, steps=steps.steps, max_per_day=steps.max_per_day),
        reason=treatment.reason,
        purpose=treatment.purpose,
        end_reason=treatment.end_reason,
        prescriber=acting(prescriber, header.accountable),
        note=element.text("dispensationAuthorizerComment"),
        valid_until=terms.valid_until,
        dispense_interval_days=terms.interval_days,
        packages=terms.packages,
        dose_dispensed=terms.dose_dispensed,
        substitution_allowed=terms.substitution_allowed,
        receiving_pharmacy=terms.pharmacy,
    )
    return make_fact(
        Origin(
            source=context.source.id,
            source_id=prescription_id(treatment.record.value),
            patient=context.pseudonym(header.person),
            occurred_at=treatment.occurred_at,
            recorded_at=max(recorded_at, header.recorded_at),
        ),
        content,
        context.received_at,
    )


def read_terms(element: Element) -> Terms:
    """Read the terms of dispensing. An amount in other units than packages has no place in a prescription fact."""
    valid_until = element.text("validUntil")
    interval = read_span(element.child("minimumDispensationInterval"))
    days = None if interval is None else whole_days(*interval)
    if interval is not None and days is None:
        place = element.at("minimumDispensationInterval")
        element.problems.add("unsupported", place, "state the interval in whole days or weeks")
    replaceable = element.text("nonReplaceable")
    if replaceable not in {None, "Prescriber", "Patient"}:
        element.problems.add("unknown-code", element.at("nonReplaceable"), "must be Prescriber or Patient")
    amount, unit = element.decimal("totalAmount"), element.text("packageUnit")
    is_packages = amount is not None and unit is not None and fold(unit) in _PACKAGE_WORDS
    if amount is not None and is_packages and amount != amount.to_integral_value():
        element.problems.add("unreadable", element.at("totalAmount"), "write a whole number of packages")
    return Terms(
        valid_until=None
        if valid_until is None
        else element.problems.keep(read_date(valid_until, element.at("validUntil"))),
        interval_days=days,
        packages=int(amount) if amount is not None and is_packages else None,
        dose_dispensed=IS_DOSE_DISPENSED.get(fold(element.text("distributionMethod") or "")),
        substitution_allowed=None if replaceable is None else False,
        pharmacy=_pharmacy(element.child("receivingPharmacy")),
    )


def _pharmacy(element: Element | None) -> Identifier | None:
    if element is None:
        return None
    root, extension = element.text("root", required=True), element.text("extension", required=True)
    if root is None or extension is None:
        return None
    return Identifier(system=GLN if root == GLN_ROOT else system_of(root), value=extension)


def _chain(treatment: Treatment) -> tuple[Reference, ...]:
    return tuple(reference for reference in treatment.references if reference.role == "chain")
