"""A medication list to its Bundle: pure, exact decimals, the same bytes for the same list and edition."""

import hashlib
from collections.abc import Iterator
from datetime import datetime

import msgspec

from contracts.medication_list import ListItem, MedicationList
from mappings.fhir.exact_json import JsonObject
from mappings.fhir.medication_request import written_identifier
from mappings.fhir.regional import names
from mappings.fhir.regional.elements import (
    address,
    coded,
    daily_dose,
    dosage,
    extensions,
    form_concept,
    nested,
    period,
    product,
    reference,
    resource,
)
from mappings.fhir.regional.layers import Entry, layers_of
from mappings.fhir.regional.reasons import finding, line_provenance, list_provenance, recorded_at
from mappings.fhir.times import written_time
from mappings.fhir.vocabulary import RECORD


class Edition(msgspec.Struct, frozen=True, kw_only=True):
    """Which list it is: ``version`` from ``list_version``, and when it was put out (``None``: not known)."""

    version: str
    put_out_at: datetime | None = None


def list_version(encoded: bytes) -> str:
    """Return the version of a list: the SHA-256 (hex) of its canonical bytes."""
    return hashlib.sha256(encoded).hexdigest()


def regional_bundle(one: MedicationList, edition: Edition) -> JsonObject:
    """Return the collection Bundle of a list: Patient, List, then per line its resources, then the findings.

    Prescriptions that were withdrawn are not in it: they are the publisher's business, and may be blocked.
    """
    written = written_time(edition.put_out_at) if edition.put_out_at is not None else None
    entries = [{"fullUrl": url, "resource": content} for url, content in _entries(one, written)]
    return resource(
        "Bundle",
        names.LIST_BUNDLE,
        {
            "identifier": {"system": names.LIST_VERSION, "value": edition.version},
            "type": "collection",
            "timestamp": written,
            "entry": entries,
        },
    )


def _entries(one: MedicationList, written: str | None) -> Iterator[Entry]:
    patient = reference("patient", one.patient)
    list_address = address("list", one.patient)
    yield patient["reference"], _patient(one)
    yield list_address, _list(one, patient, written)
    recorded = recorded_at(written)
    yield address("provenance", one.patient), list_provenance(one, {"reference": list_address}, recorded)
    for item in one.items:
        layers = list(layers_of(item, patient))
        line_address = address(item.strand, "line")
        urls = [url for url, _ in layers]
        yield line_address, line(item, patient, urls)
        yield from layers
        yield address(item.strand, "provenance"), line_provenance(item, [line_address, *urls], one.rules, recorded)
    for found in one.findings:
        yield address("finding", one.patient, found.key), finding(found, patient)


def line(item: ListItem, patient: JsonObject, derived_from: list[str]) -> JsonObject:
    """Return a line of the list; ``derived_from`` are the addresses of its layers and prescriptions."""
    leaves = item.leaves
    counted = (
        nested(
            names.COUNTED,
            (("count", "valueUnsignedInt", leaves.count), ("digest", "valueString", leaves.digest)),
        )
        if leaves is not None
        else []
    )
    return resource(
        "MedicationStatement",
        names.LINE,
        {
            "extension": [
                *extensions(names.STATE, "valueCode", (item.state,)),
                *extensions(names.UNDECIDED, "valueCode", item.undecided),
                *extensions(names.STRENGTH, "valueString", (item.strength,)),
                *extensions(names.FORM, "valueCodeableConcept", (form_concept(item.form),)),
                *extensions(names.SUBSTANCE, "valueString", item.substances),
                *daily_dose(item.daily_dose),
                *extensions(names.RELATED, "valueReference", [reference(strand, "line") for strand in item.related]),
                *counted,
            ],
            "identifier": [
                {"system": names.STRAND, "value": item.strand},
                {"system": names.TREATMENT, "value": item.treatment},
                *({"system": RECORD, "value": record} for record in item.records),
            ],
            "status": names.STATEMENT_STATUS[item.state],
            "medicationCodeableConcept": product(item.product, item.npl_id, item.atc, item.substances),
            "subject": patient,
            "effectivePeriod": period(item.start, item.end),
            "derivedFrom": [{"reference": url} for url in derived_from],
            "reasonCode": [{"text": item.reason}] if item.reason is not None else [],
            "dosage": dosage(item.dosage_text, item.route),
        },
    )


def _patient(one: MedicationList) -> JsonObject:
    identifiers = [{"system": names.PSEUDONYM, "value": one.patient}]
    if one.person is not None:
        identifiers.append(written_identifier(one.person))
    return resource("Patient", names.PATIENT, {"identifier": identifiers})


def _list(one: MedicationList, patient: JsonObject, written: str | None) -> JsonObject:
    changes = written_time(one.next_change_at) if one.next_change_at is not None else None
    return resource(
        "List",
        names.LIST,
        {
            "extension": extensions(names.NEXT_CHANGE, "valueDateTime", (changes,)),
            "status": "current",
            "mode": "working",
            "title": "Läkemedelslista",
            "code": coded(names.LIST_CODES, "medications"),
            "subject": patient,
            "date": written,
            "entry": [{"item": reference(item.strand, "line")} for item in one.items],
        },
    )
