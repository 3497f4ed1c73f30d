"""Reading FHIR resources as they come: plain JSON objects, where any element may be absent or of the wrong shape.

Every function here answers "nothing" for what is not there or has another shape; whether that is allowed is decided
elsewhere.
"""

from collections.abc import Iterator
from datetime import date, datetime

from mappings.fhir.elements import child, extension_value, objects, text_at
from mappings.fhir.exact_json import JsonObject, read_json, write_json

__all__ = [
    "child",
    "codes",
    "contained",
    "copied",
    "day",
    "extension",
    "extension_value",
    "identifier_value",
    "identifiers",
    "instant",
    "objects",
    "referred",
    "set_extension",
    "text_at",
    "walk",
]


def extension(element: object, url: str) -> JsonObject:
    """The first extension with this url on an element, or an empty object."""
    for one in objects(child(element).get("extension")):
        if one.get("url") == url:
            return one
    return {}


def set_extension(element: JsonObject, url: str, name: str, value: object) -> None:
    """Put one extension with ``value[x]`` on an element, in place of any it had with that url."""
    kept = [one for one in objects(element.get("extension")) if one.get("url") != url]
    element["extension"] = [*kept, {"url": url, name: value}]


def codes(concept: object, system: str | None = None) -> list[str]:
    """The codes of a CodeableConcept, of one system or of all."""
    found = objects(child(concept).get("coding"))
    return [code for one in found if (system is None or one.get("system") == system) and (code := text_at(one, "code"))]


def identifiers(resource: object) -> list[tuple[str, str]]:
    """``(system, value)`` of every identifier that has both."""
    found = ((text_at(one, "system"), text_at(one, "value")) for one in objects(child(resource).get("identifier")))
    return [(system, value) for system, value in found if system and value]


def identifier_value(resource: object, system: str) -> str | None:
    """The value of the first identifier of one system."""
    return next((value for found, value in identifiers(resource) if found == system), None)


def contained(resource: JsonObject, reference: object) -> JsonObject:
    """The contained resource that a ``#id`` reference points at, or an empty object."""
    name = text_at(reference, "reference") or ""
    for one in objects(resource.get("contained")):
        if name.startswith("#") and one.get("id") == name[1:]:
            return one
    return {}


def referred(reference: object, kind: str) -> str | None:
    """The id in a literal reference ``Kind/id`` (absolute or relative, with or without a version)."""
    parts = (text_at(reference, "reference") or "").split("/_history/")[0].split("/")
    return parts[-1] if len(parts) > 1 and parts[-2] == kind and parts[-1] else None


def day(value: object) -> date | None:
    """The calendar day that a FHIR date or dateTime names in its own zone; None when it names none."""
    if not isinstance(value, str):
        return None
    try:
        return date.fromisoformat(value[:10])
    except ValueError:
        return None


def instant(value: object) -> datetime | None:
    """The moment of a FHIR dateTime that has a time and a zone; None otherwise."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None


def walk(value: object) -> Iterator[JsonObject]:
    """Every object inside a value, itself included."""
    if isinstance(value, dict):
        yield value
        for item in value.values():
            yield from walk(item)
    elif isinstance(value, list):
        for item in value:
            yield from walk(item)


def copied(resource: JsonObject) -> JsonObject:
    """A copy that shares nothing with the original."""
    found: JsonObject = read_json(write_json(resource))
    return found
