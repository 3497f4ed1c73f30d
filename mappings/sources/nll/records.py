"""What prescriptions and dispensings of NLL share: their ids, what they refer to, and whose they are."""

from typing import Final

from contracts.values import Identifier, Reference, ReferenceRole
from mappings.codes.json_input import JsonObject
from mappings.sources.fhir_r4.elements import SOURCE_PREFIX, identifier
from mappings.sources.fhir_r4.references import read_request
from mappings.sources.fhir_r4.resources import Resource

OUR_RECORD: Final = "urn:medlist:record"
"""Identifier system of what we registered there ourselves (``mappings.fhir.vocabulary.RECORD``)."""


def nll_id(resource: Resource, system: str) -> str | None:
    """Return the id that NLL gave a record: its identifier of this system, else the resource's id."""
    known = (identifier(entry, "") for entry in resource.body.children("identifier"))
    found = next((one.value for one in known if one is not None and one.system == system), None)
    return found or resource.body.text("id", required=True)


def is_ours(resource: Resource) -> bool:
    """Whether we registered it ourselves: then it says nothing that we do not know, and is no fact of NLL's."""
    known = (identifier(entry, "") for entry in resource.body.children("identifier"))
    return any(one is not None and one.system == OUR_RECORD for one in known)


def registered_for(resource: Resource) -> tuple[Reference, ...]:
    """Return the records of our sources that it was registered for: their ids stand among its own (``urn:medlist:source:...``)."""
    stated = (
        entry
        for entry in resource.body.children("identifier")
        if (entry.text("system") or "").startswith(SOURCE_PREFIX)
    )
    found = (identifier(entry, "") for entry in stated)
    return tuple(Reference(role="order", target=one) for one in found if one is not None)


def reference(resource: Resource, body: JsonObject | None, role: ReferenceRole) -> Reference | None:
    """Return what a reference to a prescription names, in a role.

    An identifier (``urn:medlist:source:hospital``) says whose record it is; without one the id is NLL's.
    """
    found = read_request(resource, body)
    return None if found is None else Reference(role=role, target=found.target)


def scoped(value: str, system: str) -> Identifier:
    """Return an id of NLL's."""
    return Identifier(system=system, value=value)
