"""``GET /metadata``: what the server offers, told from the tables that it works by."""

from typing import Final

from connectors.nll_sandbox.interactions import Result
from connectors.nll_sandbox.kinds import KINDS, Kind
from connectors.nll_sandbox.outcomes import Answer
from connectors.nll_sandbox.server import Call, Sandbox
from connectors.nll_sandbox.terms import CONCEPT_MAPS, VALUE_SETS
from mappings.fhir.exact_json import JsonObject

_READ: Final = ("read", "vread", "history-instance", "search-type")
_WRITE: Final = ("create", "update")
_TERMS: Final = ("read", "search-type")
_SYSTEM_OPERATIONS: Final = ("verify", "patient-dosage-directions", "ping")
_KIND_OPERATIONS: Final = {"MedicationRequest": ("end", "monitoring")}
_PARAMETER_TYPES: Final = {
    "patient": "reference",
    "subject": "reference",
    "target": "reference",
    "prescription": "reference",
}
_DEFINITION: Final = "urn:medlist:nll-sandbox:operation:"


def capabilities(_sandbox: Sandbox, call: Call) -> Result:
    """The CapabilityStatement (FHIR R4, http.html#capabilities); open to all."""
    kinds = [_resource(name, kind) for name, kind in sorted(KINDS.items())]
    terms = [_terms(name) for name, held in (("ConceptMap", CONCEPT_MAPS), ("ValueSet", VALUE_SETS)) if held]
    statement: JsonObject = {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": call.now.isoformat(),
        "kind": "instance",
        "implementation": {"description": "Sandbox of Nationella läkemedelslistan", "url": call.base},
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json"],
        "rest": [
            {
                "mode": "server",
                "security": {"description": "Bearer token from /oauth2/token (client credentials)."},
                "resource": kinds + terms,
                "interaction": [{"code": "transaction"}],
                "operation": [_operation(name) for name in _SYSTEM_OPERATIONS],
            }
        ],
    }
    return Answer(200, statement)


def _resource(name: str, kind: Kind) -> JsonObject:
    interactions = _READ + (_WRITE if kind.writable else ())
    told: JsonObject = {
        "type": name,
        "interaction": [{"code": code} for code in interactions],
        "versioning": "versioned-update" if kind.writable else "versioned",
        "readHistory": True,
        "updateCreate": False,
        "searchParam": [_parameter(one) for one in sorted(kind.parameters) if not one.startswith("_") or one == "_id"],
    }
    if name in _KIND_OPERATIONS:
        told["operation"] = [_operation(one) for one in _KIND_OPERATIONS[name]]
    return told


def _terms(name: str) -> JsonObject:
    parameters = [{"name": "url", "type": "uri"}]
    return {"type": name, "interaction": [{"code": code} for code in _TERMS], "searchParam": parameters}


def _parameter(name: str) -> JsonObject:
    return {"name": name, "type": _PARAMETER_TYPES.get(name, "token")}


def _operation(name: str) -> JsonObject:
    return {"name": name, "definition": _DEFINITION + name}
