"""Dispenses: FHIR R4 MedicationDispense (11.2, NLLMedicationDispense) into ``Dispense``.

Rules this module owns:

1. ``authorizingPrescription`` makes it a dispense of that prescription; without, it was on paper (NLLDispensePaperPrescription).
2. ``entered-in-error`` takes the record back; a handed-out dispense (``completed``) tells when.
3. A dispense that was declined is cancelled, one that is prepared or waits is in progress: nothing has been handed out.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

from contracts.fact import Fact, Origin, make_fact
from contracts.facts.correction import Retraction
from contracts.facts.dispense import Dispense
from contracts.systems import GLN, NLL_DISPENSE
from contracts.values import Identifier
from mappings.codes.json_input import JsonObject
from mappings.sources.fhir_r4 import elements
from mappings.sources.fhir_r4.dosage import read_dosage
from mappings.sources.fhir_r4.drugs import read_medication
from mappings.sources.fhir_r4.references import read_request
from mappings.sources.fhir_r4.resources import Resource
from mappings.sources.reading import Context

PACKAGES: Final = "http://electronichealth.se/fhir/StructureDefinition/NLLNumberOfPackagesDispensed"
ENTERED_IN_ERROR: Final = "entered-in-error"
DispenseStatus = Literal["completed", "cancelled", "stopped", "in-progress", "unknown"]
STATUSES: Final[Mapping[str, DispenseStatus]] = MappingProxyType(
    {
        "preparation": "in-progress",
        "in-progress": "in-progress",
        "on-hold": "in-progress",
        "completed": "completed",
        "cancelled": "cancelled",
        "declined": "cancelled",
        "stopped": "stopped",
        "unknown": "unknown",
    }
)
"""FHIR R4 medicationdispense-status -> ours."""


def read_dispense(resource: Resource, context: Context, known_id: str | None = None) -> Fact | None:
    """Return the fact of one resource, or note in it why there is none.

    ``known_id`` is the id of the record where the source gives it otherwise than by its only or official identifier.
    """
    body, source = resource.body, context.source
    record = known_id or elements.record_id(resource)
    person = elements.subject(resource, context)
    version = elements.version(resource, context)
    is_error = body.text("status") == ENTERED_IN_ERROR
    handed_over = elements.instant(body, "whenHandedOver", source, required=body.text("status") == "completed")
    content = _retraction(person, record, source.id) if is_error else _dispense(resource, person, source.id)
    if resource.problems or record is None or person is None or content is None:
        return None
    origin = Origin(
        source=source.id,
        source_id=f"{record}/retraction" if is_error else record,
        patient=context.pseudonym(person),
        version=version.number,
        occurred_at=None if is_error else handed_over,
        recorded_at=version.recorded_at,
    )
    return make_fact(origin, content, context.received_at)


def _retraction(person: Identifier | None, record: str | None, source: str) -> Retraction | None:
    if person is None or record is None:
        return None
    return Retraction(person=person, target=Identifier(system=source, value=record))


def _dispense(resource: Resource, person: Identifier | None, source: str) -> Dispense | None:
    body = resource.body
    text = body.text("status", required=True)
    status = None if text is None else STATUSES.get(text)
    if text is not None and status is None:
        known = ", ".join((*STATUSES, ENTERED_IN_ERROR))
        resource.problems.add("unsupported", body.at("status"), f"state one of: {known}")
    medication = read_medication(resource, source)
    prescriptions = [read_request(resource, entry) for entry in body.children("authorizingPrescription")]
    identifiers = [elements.identifier(entry, source) for entry in body.children("identifier")]
    quantity, days = elements.amount(body.child("quantity")), _days(body.child("daysSupply"))
    instructions = body.children("dosageInstruction")
    dosage = read_dosage(instructions)
    routes = [found for entry in instructions if (found := elements.route(entry.child("route"))) is not None]
    substitution = body.child("substitution")
    was_substituted = None if substitution is None else substitution.flag("wasSubstituted", required=True)
    packages, pharmacy = _packages(body), _pharmacy(resource)
    if person is None or status is None or medication is None:
        return None
    return Dispense(
        person=person,
        medication=medication,
        route=routes[0] if len(set(routes)) == 1 else None,
        identifiers=tuple(found for found in identifiers if found is not None and found.system == NLL_DISPENSE),
        references=tuple(dict.fromkeys(found for found in prescriptions if found is not None)),
        status=status,
        quantity=quantity,
        packages=packages,
        days_supply=days,
        was_substituted=was_substituted,
        dosage=dosage,
        pharmacy=pharmacy,
    )


def _days(supply: JsonObject | None) -> int | None:
    stated = elements.amount(supply)
    if supply is None or stated is None:
        return None
    if stated.unit != "d" or stated.value != stated.value.to_integral_value():
        supply.problems.add("unreadable", supply.place, "state whole days, {value: 100, code: d}")
        return None
    return int(stated.value)


def _packages(body: JsonObject) -> int | None:
    stated = elements.extension(body, PACKAGES)
    if stated is None:
        return None
    names = [
        name for name in ("valuePositiveInt", "valueUnsignedInt", "valueInteger", "valueDecimal") if name in stated
    ]
    if not names:
        stated.problems.add("missing", stated.at("valuePositiveInt"), "state the number of packages")
        return None
    return stated.whole(names[0])


def _pharmacy(resource: Resource) -> Identifier | None:
    """Return the pharmacy: the GLN of the location, or of the Location that the message holds."""
    reference = resource.body.child("location")
    if reference is None:
        return None
    held = resource.follow(reference, "Location")
    inner = () if held is None else held.children("identifier")
    every = [elements.identifier(entry, "") for entry in (reference.child("identifier"), *inner)]
    return next((found for found in every if found is not None and found.system == GLN), None)
