"""What of an NLLMedicationRequest counts as its content, and how two contents differ.

Only what changes the treatment or its dispensing counts. Ids, versions, the prescriber, times of issue and what the
server fills in do not, nor does the width of the space between words. What one side does not state is left as it stands on the other, except the dosage, which is one
whole: a missing end means that there is none. Numbers compare by value (``0.50`` is ``0.5``), times by instant.
"""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Final

import msgspec

from contracts.systems import ARTICLE_NUMBER, ATC, NPL_ID, NPL_PACK_ID
from mappings.fhir.elements import child, extension_value, objects, text_at
from mappings.fhir.exact_json import JsonObject, canonical_json
from mappings.fhir.times import read_end, read_start, swedish_day
from mappings.fhir.vocabulary import (
    ADMINISTERING_INSTRUCTION,
    CYCLE,
    DISPENSES_ALLOWED,
    DOSE_PACKAGING,
    PACKAGES_PRESCRIBED,
    RECEIVING_PHARMACY,
    TREATMENT_PURPOSE,
)

PRODUCT_SYSTEMS: Final = (NPL_PACK_ID, NPL_ID, ARTICLE_NUMBER, ATC)


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """The content of one prescription. ``product`` maps a product system to its code, ``dosage`` is canonical JSON."""

    product: Mapping[str, str]
    product_text: str | None
    dosage: bytes
    reason: bytes | None = None
    purpose: str | None = None
    valid_until: date | None = None
    dispenses_allowed: int | None = None
    dispense_interval_days: Decimal | None = None
    packages: int | None = None
    dose_dispensed: bool | None = None
    substitution_allowed: bool | None = None
    receiving_pharmacy: str | None = None


_STATED: Final = (
    "reason",
    "purpose",
    "valid_until",
    "dispenses_allowed",
    "dispense_interval_days",
    "packages",
    "dose_dispensed",
    "substitution_allowed",
    "receiving_pharmacy",
)


def content_of(resource: JsonObject) -> Content:
    """Return the content of an NLLMedicationRequest, whoever wrote it. Elements of another shape count as not there."""
    concept = child(resource, "medicationCodeableConcept")
    coding = {text_at(one, "system"): text_at(one, "code") for one in objects(concept.get("coding"))}
    request = child(resource, "dispenseRequest")
    until = read_start(child(request, "validityPeriod").get("end"))
    return Content(
        product={system: code for system in PRODUCT_SYSTEMS if (code := coding.get(system)) is not None},
        product_text=_text(text_at(concept, "text")),
        dosage=canonical_json(
            [_dosage(one, issued_at(resource)) for one in objects(resource.get("dosageInstruction"))]
        ),
        reason=_reason(resource),
        purpose=_text(extension_value(resource, TREATMENT_PURPOSE)),
        valid_until=swedish_day(until) if until is not None else None,
        dispenses_allowed=_dispenses(request),
        dispense_interval_days=_exact(child(request, "dispenseInterval").get("value")),
        packages=_whole(extension_value(request, PACKAGES_PRESCRIBED)),
        dose_dispensed=_flag(extension_value(request, DOSE_PACKAGING)),
        substitution_allowed=_flag(child(resource, "substitution").get("allowedBoolean")),
        receiving_pharmacy=text_at(extension_value(resource, RECEIVING_PHARMACY), "identifier", "value"),
    )


def differences(desired: Content, actual: Content) -> tuple[str, ...]:
    """Return the names of the fields in which ``actual`` would have to change, sorted; empty when nothing clinical does."""
    named = {
        name for name in _STATED if (value := getattr(desired, name)) is not None and value != getattr(actual, name)
    }
    if desired.dosage != actual.dosage:
        named.add("dosage")
    if _other_product(desired, actual):
        named.add("product")
    return tuple(sorted(named))


def issued_at(resource: JsonObject) -> datetime | None:
    """Return when a prescription was issued (``authoredOn``)."""
    return read_start(resource.get("authoredOn"))


def treatment_start(resource: JsonObject) -> datetime | None:
    """Return the first instant of the treatment (insättning), where a dosage element states one."""
    known = [start for bounds in _bounds(resource) if (start := read_start(bounds.get("start"))) is not None]
    return min(known, default=None)


def treatment_end(resource: JsonObject) -> datetime | None:
    """Return the first instant after the treatment (sista doseringsdag), where every dosage element states one."""
    ends = [read_end(bounds.get("end")) for bounds in _bounds(resource)]
    known = [end for end in ends if end is not None]
    return max(known) if known and len(known) == len(ends) else None


def _bounds(resource: JsonObject) -> list[JsonObject]:
    return [child(one, "timing", "repeat", "boundsPeriod") for one in objects(resource.get("dosageInstruction"))]


def _other_product(desired: Content, actual: Content) -> bool:
    shared = desired.product.keys() & actual.product.keys()
    if shared:
        return any(desired.product[system] != actual.product[system] for system in shared)
    return bool(desired.product) or desired.product_text != actual.product_text


def _dosage(element: JsonObject, issued: datetime | None) -> JsonObject:
    repeat = child(element, "timing", "repeat")
    kept = {
        "sequence": element.get("sequence"),
        "instruction": _text(text_at(element, "patientInstruction")),
        "administering": _text(extension_value(element, ADMINISTERING_INSTRUCTION)),
        "as_needed": element.get("asNeededBoolean"),
        "route": [text_at(one, "code") for one in objects(child(element, "route").get("coding"))],
        "dose": [_amounts(one) for one in objects(element.get("doseAndRate"))],
        "most": _amounts(child(element, "maxDosePerPeriod")),
        "start": _start(child(repeat, "boundsPeriod").get("start"), issued),
        "end": _instant(read_end(child(repeat, "boundsPeriod").get("end"))),
        "duration": _amounts(child(repeat, "boundsDuration")),
        "cycle": [_plain(one) for one in objects(element.get("extension")) if one.get("url") == CYCLE],
        "repeat": {name: _plain(value) for name, value in repeat.items() if not name.startswith("bounds")},
    }
    return {name: value for name, value in kept.items() if value not in (None, [], {}, False)}


def _start(value: object, issued: datetime | None) -> str | None:
    """A start on the day of issue or before says nothing: a prescription holds from its issue."""
    start = read_start(value)
    if start is None or (issued is not None and swedish_day(start) <= swedish_day(issued)):
        return None
    return _instant(start)


def _instant(moment: datetime | None) -> str | None:
    return None if moment is None else str(moment.timestamp())


def _amounts(value: object) -> object:
    """Quantities by value and unit; the unit's code where it has one, else its word."""
    match value:
        case {"value": amount, **rest}:
            return {"value": _plain(amount), "unit": rest.get("code", rest.get("unit"))}
        case dict():
            return {name: _amounts(one) for name, one in value.items() if name != "type"}
        case _:
            return _plain(value)


def _plain(value: object) -> object:
    """The same value for equal numbers, whatever their digits."""
    match value:
        case bool():
            return value
        case int() | Decimal():
            return f"{Decimal(value).normalize():f}"
        case dict():
            return {name: _plain(one) for name, one in value.items()}
        case list():
            return [_plain(one) for one in value]
        case _:
            return value


def _reason(resource: JsonObject) -> bytes | None:
    told = []
    for concept in objects(resource.get("reasonCode")):
        codes = [[text_at(one, "system"), text_at(one, "code")] for one in objects(concept.get("coding"))]
        told.append(codes or _text(text_at(concept, "text")))
    return canonical_json(told) if told and told != [None] else None


def _dispenses(request: JsonObject) -> int | None:
    allowed = _whole(extension_value(request, DISPENSES_ALLOWED))
    repeats = _whole(request.get("numberOfRepeatsAllowed"))
    return repeats + 1 if allowed is None and repeats is not None else allowed


def _text(value: object) -> str | None:
    """The words line by line: how wide the space between them is says nothing."""
    if not isinstance(value, str):
        return None
    return "\n".join(words for line in value.splitlines() if (words := " ".join(line.split()))) or None


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _exact(value: object) -> Decimal | None:
    return Decimal(value) if isinstance(value, int | Decimal) and not isinstance(value, bool) else None
