"""Reading FHIR JSON as it comes: any element may be absent or of another shape, and then counts as not there."""

from mappings.fhir.exact_json import JsonObject


def objects(value: object) -> list[JsonObject]:
    """Return the objects of a list, or none."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def child(value: object, *path: str) -> JsonObject:
    """Return the object at a path of element names, or an empty one."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def text_at(value: object, *path: str) -> str | None:
    """Return the text at a path of element names; ``None`` when there is none or an empty one."""
    found = child(value, *path[:-1]).get(path[-1])
    return found if isinstance(found, str) and found else None


def extension_value(element: object, url: str) -> object:
    """Return the ``value[x]`` of the first extension with this url, or ``None``."""
    for one in objects(child(element).get("extension")):
        if one.get("url") == url:
            return next((value for name, value in one.items() if name.startswith("value")), None)
    return None


def identifiers(resource: object, system: str) -> list[str]:
    """Return the values of all identifiers of one system."""
    found = objects(child(resource).get("identifier"))
    return [value for one in found if one.get("system") == system and (value := text_at(one, "value")) is not None]
