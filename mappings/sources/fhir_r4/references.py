"""References to prescriptions and orders (``request``, ``authorizingPrescription``).

An identifier says whose id it is: NLL's make it a prescription, those of one of our sources (``urn:medlist:source:...``) an
order. A literal ``MedicationRequest/<id>`` without identifier is a prescription in NLL, the only server of such resources that
senders and we share; a contained MedicationRequest is read by its identifier.
"""

import re
from typing import Final

from contracts.systems import NLL_PRESCRIPTION
from contracts.values import Identifier, Reference
from mappings.codes.json_input import JsonObject
from mappings.sources.fhir_r4.elements import identifier
from mappings.sources.fhir_r4.resources import Resource

_LITERAL: Final = re.compile(r"(?:https?://\S+/)?MedicationRequest/([A-Za-z0-9\-.]{1,64})(?:/_history/\S+)?", re.ASCII)


def read_request(resource: Resource, reference: JsonObject | None) -> Reference | None:
    """Return what a reference to a request names, or note that it names nothing."""
    if reference is None:
        return None
    held = resource.follow(reference, "MedicationRequest")
    inner = () if held is None else held.children("identifier")
    for body in (reference.child("identifier"), *inner):
        found = identifier(body, "")
        if found is not None:
            return _reference(found, body)
    text = reference.text("reference")
    literal = None if text is None else _LITERAL.fullmatch(text)
    if literal is not None:
        return Reference(role="prescription", target=Identifier(system=NLL_PRESCRIPTION, value=literal[1]))
    reference.problems.add("missing", reference.at("identifier"), "state the order's or prescription's identifier")
    return None


def _reference(found: Identifier, body: JsonObject | None) -> Reference | None:
    if not found.system and body is not None:
        body.problems.add("missing", body.at("system"), "state who issued the identifier")
        return None
    return Reference(role="prescription" if found.system == NLL_PRESCRIPTION else "order", target=found)
