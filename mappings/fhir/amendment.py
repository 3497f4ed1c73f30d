"""A prescription as it stands at the endpoint, changed to say what ours says: the body of an update or a cancellation.

An update carries the full resource in its latest version (``nll-reference`` 1.6). Everything of the stored resource that is
not ours to state stays, and so do its time of issue, chain, status, validity and ids where we state none.
"""

from typing import Final

from mappings.fhir.elements import child, objects
from mappings.fhir.exact_json import JsonObject
from mappings.fhir.vocabulary import CHAIN, REGISTRATION_BASIS

_REPLACED: Final = ("medicationCodeableConcept", "requester", "reasonCode", "dosageInstruction", "substitution")
_SET_ONCE: Final = frozenset({CHAIN, REGISTRATION_BASIS})


def amended(stored: JsonObject, ours: JsonObject) -> JsonObject:
    """Return ``stored`` with the content of ``ours``; both are NLLMedicationRequests of one prescription."""
    changed = {name: ours[name] for name in _REPLACED if name in ours}
    resource = stored | changed
    extensions = [one for one in objects(ours.get("extension")) if one.get("url") not in _SET_ONCE]
    if merged := _extensions(stored, extensions):
        resource["extension"] = merged
    if contained := _contained(stored, ours):
        resource["contained"] = contained
    resource["dispenseRequest"] = _dispense_request(child(stored, "dispenseRequest"), child(ours, "dispenseRequest"))
    return resource


def cancelled(stored: JsonObject) -> JsonObject:
    """Return ``stored`` as never valid (makulerad)."""
    return stored | {"status": "cancelled"}


def _extensions(stored: JsonObject, ours: list[JsonObject]) -> list[JsonObject]:
    urls = {one.get("url") for one in ours}
    return [*(one for one in objects(stored.get("extension")) if one.get("url") not in urls), *ours]


def _contained(stored: JsonObject, ours: JsonObject) -> list[JsonObject]:
    mine = objects(ours.get("contained"))
    names = {one.get("id") for one in mine}
    return [*mine, *(one for one in objects(stored.get("contained")) if one.get("id") not in names)]


def _dispense_request(stored: JsonObject, ours: JsonObject) -> JsonObject:
    request = stored | {name: value for name, value in ours.items() if name != "extension"}
    if extensions := _extensions(stored, objects(ours.get("extension"))):
        request["extension"] = extensions
    return request


def ended(stored: JsonObject) -> JsonObject:
    """Return ``stored`` as ended (avslutad); its days stay, for an end holds from when it is sent."""
    return stored | {"status": "stopped"}
