"""Value sets and relations between code sets, as NLL serves them at ``[base]/ValueSet`` and as ConceptMap (SIMP/Terminologies).

Only what the sandbox itself works by: the codes of its tables. Of a set whose members no source tells nothing is made up.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from connectors.nll_sandbox.aff import RULES
from connectors.nll_sandbox.interactions import Result
from connectors.nll_sandbox.outcomes import Answer, refuse
from connectors.nll_sandbox.provenance import ACTIVITIES
from connectors.nll_sandbox.reading import bundle
from connectors.nll_sandbox.server import Call, Sandbox
from connectors.nll_sandbox.settings import SandboxSettings
from connectors.nll_sandbox.vocabulary import AFF_CODES, TELEPHONE
from mappings.fhir.exact_json import JsonObject

_SETS: Final = "http://ehalsomyndigheten.se/fhir/ValueSet/"
_OURS: Final = "urn:medlist:nll-sandbox:"
_REQUEST_STATUS: Final = "http://hl7.org/fhir/CodeSystem/medicationrequest-status"
_PREDECESSOR: Final = "urn:medlist:nll-sandbox:vok-codes"
_DOSE_CONSENT_ACTIVITY: Final = "REGISTRERA_DOSSAMTYCKE"
_MOST: Final = 1000

Codes = Mapping[str, str]
"""Code -> what it means; empty where no source tells."""

STATUSES: Final[Mapping[str, str]] = {
    "aktiv": "active",
    "slutexpedierad": "completed",
    "avslutad": "stopped",
    "makulerad": "cancelled",
    "parkerad": "on-hold",
}
"""NLL's statuses as FHIR's: assumed (``nll-reference`` 1.5)."""


def _value_set(name: str, url: str, system: str, codes: Codes, told: str) -> JsonObject:
    concepts = [{"code": code, **({"display": text} if text else {})} for code, text in codes.items()]
    return {
        "resourceType": "ValueSet",
        "id": name,
        "url": url,
        "status": "active",
        "description": told,
        "compose": {"include": [{"system": system, "concept": concepts}]},
    }


def _concept_map(name: str, systems: tuple[str, str], pairs: Iterable[tuple[str, str]], told: str) -> JsonObject:
    source, target = systems
    elements = [{"code": one, "target": [{"code": other, "equivalence": "equivalent"}]} for one, other in pairs]
    return {
        "resourceType": "ConceptMap",
        "id": name,
        "url": f"{_OURS}{name}",
        "status": "active",
        "description": told,
        "group": [{"source": source, "target": target, "element": elements}],
    }


def _plain(codes: Iterable[str]) -> Codes:
    return dict.fromkeys(sorted(codes), "")


_DEFAULTS: Final = SandboxSettings()
_REGISTRATION: Final = f"{_SETS}registration-basis-codes"
_AFF: Final = {rule.code: rule.text for rule in RULES if rule.system == AFF_CODES}
VALUE_SETS: Final[Mapping[str, JsonObject]] = {
    one["id"]: one
    for one in (
        _value_set("aff-codes", f"{_SETS}aff-codes", AFF_CODES, _AFF, "The AFF rules that the sandbox checks."),
        _value_set(
            "registration-basis-codes",
            _REGISTRATION,
            _REGISTRATION,
            _plain(("ELECTRONIC", TELEPHONE)),
            "How a prescription was registered; all but ELECTRONIC is coined.",
        ),
        _value_set(
            "provenance-activity",
            f"{_OURS}provenance-activity",
            f"{_OURS}provenance-activity",
            _plain({*ACTIVITIES, _DOSE_CONSENT_ACTIVITY}),
            "Types of events; all but REGISTRERA_DOSSAMTYCKE are coined.",
        ),
        _value_set(
            "purpose", f"{_OURS}purpose", f"{_OURS}purpose", _plain(_DEFAULTS.purposes), "Codes of x-purpose; assumed."
        ),
        _value_set(
            "access-type",
            f"{_OURS}access-type",
            f"{_OURS}access-type",
            _plain(_DEFAULTS.access_types),
            "Codes of x-access; assumed.",
        ),
    )
}
CONCEPT_MAPS: Final[Mapping[str, JsonObject]] = {
    one["id"]: one
    for one in (
        _concept_map(
            "nll-status", (f"{_OURS}nll-status", _REQUEST_STATUS), STATUSES.items(), "NLL's statuses in FHIR; assumed."
        ),
        _concept_map(
            "vok-codes",
            (_PREDECESSOR, AFF_CODES),
            [(rule.also, rule.code) for rule in RULES if rule.also and rule.system == AFF_CODES],
            "Rules of the predecessor system by the AFF rule that says the same.",
        ),
    )
}
_HELD: Final[Mapping[str, Mapping[str, JsonObject]]] = {"ValueSet": VALUE_SETS, "ConceptMap": CONCEPT_MAPS}


def search_terms(_sandbox: Sandbox, call: Call) -> Result:
    """Every ValueSet or ConceptMap, or the one with the ``url`` that is asked for."""
    kind = call.path["terms"]
    if set(call.query) - {"url"}:
        return refuse(400, "parameter-unknown", "Search by url, or for all.", kind="not-supported")
    found = [one for one in _HELD[kind].values() if call.query.get("url") in {None, one["url"]}]
    return bundle(kind, found, call.base, (0, _MOST), call.query)


def read_terms(_sandbox: Sandbox, call: Call) -> Result:
    """One ValueSet or ConceptMap by its id."""
    found = _HELD[call.path["terms"]].get(call.name)
    if found is None:
        return refuse(404, "unknown-resource", "There is no such resource.", kind="not-found")
    return Answer(200, found)
