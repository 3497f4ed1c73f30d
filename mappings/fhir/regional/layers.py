"""The layers of a line, each as the resource that R4 has for it.

``intended`` is a MedicationRequest (the order itself is not on the list, its latest state is); ``prescribed`` and ``reported``
are MedicationStatements, ``prescribed`` based on the prescriptions, which are MedicationRequests of their own; ``dispensed``
and ``given`` summarise many events in one MedicationDispense and one MedicationAdministration: the last, and counts.
"""

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Final

from contracts.medication_list import Layer, LayerName, ListItem, StandingPrescription
from mappings.fhir.dosage import Directions, dosage_instruction, is_contradictory
from mappings.fhir.dosage_text import dosage_text
from mappings.fhir.exact_json import JsonObject
from mappings.fhir.medication_request import (
    REQUESTER_ID,
    dispense_request,
    medication_concept,
    reason_concepts,
    substitution,
    without_empty,
    written_identifier,
    written_practitioner,
)
from mappings.fhir.regional import names
from mappings.fhir.regional.elements import (
    UNKNOWN,
    address,
    coded,
    contradictory,
    dosage,
    extensions,
    layer_extensions,
    nested,
    period,
    product,
    reference,
    resource,
)
from mappings.fhir.times import written_end, written_time
from mappings.fhir.vocabulary import RECORD, TREATMENT_PURPOSE

Entry = tuple[str, JsonObject]
"""A resource and its ``fullUrl``."""


def layers_of(item: ListItem, patient: JsonObject) -> Iterator[Entry]:
    """Yield a resource per layer of a line, in the order of the care chain, then one per prescription."""
    for name in names.LAYER_ORDER:
        layer = item.layers.get(name)
        if layer is not None:
            yield address(item.strand, name), _MAKERS[name](layer, item, patient)
    for standing in item.prescriptions:
        yield address("prescription", standing.record), prescription(standing, patient)


def _intended(layer: Layer, _item: ListItem, patient: JsonObject) -> JsonObject:
    return resource(
        "MedicationRequest",
        names.ORDER,
        {
            "extension": layer_extensions(layer),
            "status": names.REQUEST_STATUS[layer.state or "unknown"],
            "intent": "order",
            "category": [coded(names.LAYERS, "intended")],
            "medicationCodeableConcept": product(layer.product, layer.npl_id),
            "subject": patient,
            "dosageInstruction": dosage(layer.dosage_text, when=layer.period),
        },
    )


def _stated(name: LayerName, layer: Layer, item: ListItem, patient: JsonObject) -> JsonObject:
    based_on = [reference("prescription", one.record) for one in item.prescriptions] if name == "prescribed" else []
    bounds = period(layer.period.start, layer.period.end) if layer.period else {}
    return resource(
        "MedicationStatement",
        names.STATEMENT,
        {
            "extension": layer_extensions(layer),
            "basedOn": based_on,
            "status": names.STATEMENT_STATUS[layer.state or "unknown"],
            "category": coded(names.LAYERS, name),
            "medicationCodeableConcept": product(layer.product, layer.npl_id),
            "subject": patient,
            "effectivePeriod": bounds,
            "dosage": dosage(layer.dosage_text),
        },
    )


def _prescribed(layer: Layer, item: ListItem, patient: JsonObject) -> JsonObject:
    return _stated("prescribed", layer, item, patient)


def _reported(layer: Layer, item: ListItem, patient: JsonObject) -> JsonObject:
    return _stated("reported", layer, item, patient)


def _dispensed(layer: Layer, _item: ListItem, patient: JsonObject) -> JsonObject:
    ends = written_end(layer.next_roll_ends) if layer.next_roll_ends is not None else None
    summary = nested(
        names.SUPPLY,
        (
            ("dispenses", "valueUnsignedInt", layer.count),
            ("remaining", "valueUnsignedInt", layer.remaining_dispenses),
            ("rolls-until", "valueDateTime", ends),
        ),
    )
    return resource(
        "MedicationDispense",
        names.DISPENSED,
        {
            "extension": [*layer_extensions(layer), *summary],
            "status": "completed" if layer.last_at is not None else "unknown",
            "category": coded(names.LAYERS, "dispensed"),
            "medicationCodeableConcept": product(layer.product, layer.npl_id),
            "subject": patient,
            "whenHandedOver": written_time(layer.last_at) if layer.last_at is not None else None,
            "dosageInstruction": dosage(layer.dosage_text, when=layer.period),
        },
    )


def _given(layer: Layer, _item: ListItem, patient: JsonObject) -> JsonObject:
    """The last dose that was given; where none was, R4's mandatory time is marked as unknown.

    As an empty period: ``fhir.resources`` does not see a mark on a missing dateTime.
    """
    summary = nested(
        names.ADMINISTRATIONS,
        (
            ("given", "valueUnsignedInt", layer.count),
            ("not-given", "valueUnsignedInt", layer.not_given),
            ("last-outcome", "valueCode", layer.last_outcome),
        ),
    )
    when: JsonObject = {"effectivePeriod": {"extension": UNKNOWN}}
    if layer.last_at is not None:
        when = {"effectiveDateTime": written_time(layer.last_at)}
    return resource(
        "MedicationAdministration",
        names.GIVEN,
        {
            "extension": [*layer_extensions(layer), *summary],
            "status": _given_status(layer),
            "category": coded(names.LAYERS, "given"),
            "medicationCodeableConcept": product(layer.product, layer.npl_id),
            "subject": patient,
            **when,
        },
    )


def _given_status(layer: Layer) -> str:
    if layer.last_at is not None:
        return "completed"
    return "not-done" if layer.not_given else "unknown"


_Maker = Callable[[Layer, ListItem, JsonObject], JsonObject]
_MAKERS: Final[Mapping[LayerName, _Maker]] = MappingProxyType(
    {
        "intended": _intended,
        "prescribed": _prescribed,
        "dispensed": _dispensed,
        "given": _given,
        "reported": _reported,
    }
)


def prescription(standing: StandingPrescription, patient: JsonObject) -> JsonObject:
    """Return a prescription with all that its source stated; unlike toward NLL nothing is demanded of it."""
    content = standing.content
    identifiers = [
        {"system": RECORD, "value": standing.record},
        {"system": names.SOURCE_RECORD + standing.source, "value": standing.source_id},
        *map(written_identifier, content.identifiers),
    ]
    words = dosage_text(content).whole()
    directions = Directions(dosage=content.dosage, period=content.period, route=content.route, text=words)
    impossible: list[JsonObject] = []
    if is_contradictory(directions):
        impossible = contradictory(content.period.start, content.period.end)
        directions = Directions(dosage=content.dosage, route=content.route, text=words)
    prescriber = content.prescriber
    return resource(
        "MedicationRequest",
        names.PRESCRIPTION,
        {
            "contained": [written_practitioner(prescriber)] if prescriber is not None else [],
            "extension": [
                *extensions(names.STATE, "valueCode", (standing.state,)),
                *extensions(names.SOURCE, "valueString", (standing.source,)),
                *extensions(names.FACT, "valueId", (standing.fact,)),
                *extensions(TREATMENT_PURPOSE, "valueString", (content.purpose,)),
                *impossible,
            ],
            "identifier": identifiers,
            "status": names.REQUEST_STATUS[standing.state],
            "intent": "order",
            "category": [coded(names.LAYERS, "prescribed")],
            "medicationCodeableConcept": medication_concept(content.medication) or {"extension": UNKNOWN},
            "subject": patient,
            "authoredOn": written_time(standing.recorded_at) if standing.recorded_at is not None else None,
            "requester": {"reference": f"#{REQUESTER_ID}"} if prescriber is not None else None,
            "reasonCode": reason_concepts(content.reason),
            "dosageInstruction": list(filter(None, map(without_empty, dosage_instruction(directions)))),
            "dispenseRequest": dispense_request(content),
            "substitution": substitution(allowed=content.substitution_allowed),
        },
    )
