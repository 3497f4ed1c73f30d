"""Elements that several resources of the regional superset share. What is not known is left out, never filled in."""

from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from typing import Final
from uuid import uuid5

from contracts.fact import NAMESPACE
from contracts.medication_list import DailyDose, Layer
from contracts.systems import ATC, NPL_ID, SNOMED_CT
from contracts.values import Period, Quantity
from mappings.codes.forms import FORMS
from mappings.codes.routes import ROUTES
from mappings.fhir.dosage import ends_before_it_begins, quantity
from mappings.fhir.exact_json import JsonObject
from mappings.fhir.medication_request import without_empty
from mappings.fhir.regional import names
from mappings.fhir.times import written_period, written_time

UNKNOWN: Final = [{"url": names.DATA_ABSENT, "valueCode": "unknown"}]
"""Stands where R4 demands an element that nobody has stated."""


@lru_cache(maxsize=20_000)
def address(*parts: str) -> str:
    """Return the ``fullUrl`` of the resource that these parts name, the same in every bundle."""
    return f"urn:uuid:{uuid5(NAMESPACE, 'fhir|' + '|'.join(parts))}"


def reference(*parts: str) -> JsonObject:
    """Return a reference to the resource that these parts name."""
    return {"reference": address(*parts)}


def extensions(url: str, kind: str, values: Iterable[object]) -> list[JsonObject]:
    """Return one extension per value that there is; ``kind`` is the name of its ``value[x]``."""
    return [{"url": url, kind: value} for value in values if value is not None]


def nested(url: str, parts: Iterable[tuple[str, str, object]]) -> list[JsonObject]:
    """Return an extension with a part per (name, kind, value) that there is; none when there are no parts."""
    inner = [{"url": name, kind: value} for name, kind, value in parts if value is not None]
    return [{"url": url, "extension": inner}] if inner else []


def coded(system: str, code: str, text: str | None = None) -> JsonObject:
    """Return a CodeableConcept."""
    concept: JsonObject = {"coding": [{"system": system, "code": code}]}
    return concept if text is None else concept | {"text": text}


def product(name: str | None, npl_id: str | None, atc: str | None = None, substances: Iterable[str] = ()) -> JsonObject:
    """Return what is known of a product as a CodeableConcept; where there is nothing at all, it says so."""
    concept: JsonObject = {}
    if coding := [{"system": system, "code": code} for system, code in ((NPL_ID, npl_id), (ATC, atc)) if code]:
        concept["coding"] = coding
    if text := name or ", ".join(substances):
        concept["text"] = text
    return concept or {"extension": UNKNOWN}


def form_concept(slug: str | None) -> JsonObject | None:
    """Return a pharmaceutical form: its slug, and its Swedish word where the tables have one."""
    if slug is None:
        return None
    known = FORMS.get(slug)
    return coded(names.FORMS, slug, known.swedish if known else None)


def daily_dose(dose: DailyDose | None) -> list[JsonObject]:
    """Return the daily dose as an extension: its status, and its amount where there is one figure."""
    if dose is None:
        return []
    amount = None
    if dose.value is not None and dose.unit is not None:
        amount = quantity(Quantity(value=dose.value, unit=dose.unit))
    return nested(names.DAILY_DOSE, (("status", "valueCode", dose.status), ("amount", "valueQuantity", amount)))


def period(start: datetime | None, end: datetime | None) -> JsonObject:
    """Return a FHIR period, whose end is inclusive, from a half-open one.

    Start and end of a line may come from different sources. Where nothing is between them FHIR has no form for it, and they
    stand in an extension, as they are.
    """
    if ends_before_it_begins(Period(start=start, end=end)):
        return {"extension": contradictory(start, end)}
    return written_period(start, end)


def contradictory(start: datetime | None, end: datetime | None) -> list[JsonObject]:
    """Return the two ends of a period that ends before it begins: its start, and the first instant after it."""
    parts = (("start", start), ("first-after", end))
    return nested(
        names.CONTRADICTORY, ((name, "valueDateTime", written_time(when) if when else None) for name, when in parts)
    )


def dosage(text: str | None, route: str | None = None, when: Period | None = None) -> list[JsonObject]:
    """Return one dosage element of what is known of words, route and time; none when nothing is."""
    element: JsonObject = {}
    if text is not None:
        element["text"] = text
    if when is not None and (bounds := period(when.start, when.end)):
        element["timing"] = {"repeat": {"boundsPeriod": bounds}}
    if route is not None:
        known = ROUTES.get(route)
        element["route"] = coded(SNOMED_CT, known.snomed[0], known.swedish) if known else {"text": route}
    return [element] if element else []


def layer_extensions(layer: Layer) -> list[JsonObject]:
    """Return what every layer may say and R4 has no element for: state, product details, daily dose, source, facts."""
    return [
        *extensions(names.STATE, "valueCode", (layer.state,)),
        *extensions(names.STRENGTH, "valueString", (layer.strength,)),
        *extensions(names.FORM, "valueCodeableConcept", (form_concept(layer.form),)),
        *daily_dose(layer.daily_dose),
        *extensions(names.SOURCE, "valueString", (layer.source,)),
        *extensions(names.FACT, "valueId", layer.facts),
    ]


def resource(kind: str, profile: str, content: JsonObject) -> JsonObject:
    """Return a resource of a kind and profile, without the elements that hold nothing."""
    return without_empty({"resourceType": kind, "meta": {"profile": [profile]}, **content})
