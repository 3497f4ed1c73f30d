"""Names of the regional superset: profiles, extensions, code systems and identifier systems. All of them are coined here."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from contracts.medication_list import ItemState, LayerName, Severity

_OURS: Final = "urn:medlist:fhir:"

LIST_BUNDLE: Final = _OURS + "regional-list-bundle"
LIST: Final = _OURS + "regional-list"
PATIENT: Final = _OURS + "regional-patient"
LINE: Final = _OURS + "regional-line"
STATEMENT: Final = _OURS + "regional-statement"
ORDER: Final = _OURS + "regional-order"
PRESCRIPTION: Final = _OURS + "regional-prescription"
DISPENSED: Final = _OURS + "regional-dispensed"
GIVEN: Final = _OURS + "regional-given"
FINDING: Final = _OURS + "regional-finding"
PROVENANCE: Final = _OURS + "regional-provenance"

STATE: Final = _OURS + "item-state"
UNDECIDED: Final = _OURS + "undecided-field"
STRENGTH: Final = _OURS + "strength"
FORM: Final = _OURS + "form"
SUBSTANCE: Final = _OURS + "substance"
DAILY_DOSE: Final = _OURS + "daily-dose"
RELATED: Final = _OURS + "related-line"
COUNTED: Final = _OURS + "counted-facts"
FACT: Final = _OURS + "fact"
SOURCE: Final = _OURS + "source"
SUPPLY: Final = _OURS + "supply-summary"
ADMINISTRATIONS: Final = _OURS + "administration-summary"
NEEDS_DECISION: Final = _OURS + "needs-decision"
FINDING_DETAIL: Final = _OURS + "finding-detail"
BECAUSE: Final = _OURS + "because"
UNATTACHED: Final = _OURS + "unattached-fact"
CONTRADICTORY: Final = _OURS + "contradictory-period"
NEXT_CHANGE: Final = _OURS + "next-change"

TRANSLATION: Final = "http://hl7.org/fhir/StructureDefinition/translation"
DATA_ABSENT: Final = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"

LAYERS: Final = "urn:medlist:layer"
FINDINGS: Final = "urn:medlist:finding-code"
FORMS: Final = "urn:medlist:form"
LIST_CODES: Final = "http://terminology.hl7.org/CodeSystem/list-example-use-codes"
PARTICIPANTS: Final = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"

LIST_VERSION: Final = "urn:medlist:list-version"
PSEUDONYM: Final = "urn:medlist:patient"
TREATMENT: Final = "urn:medlist:treatment"
STRAND: Final = "urn:medlist:strand"
FINDING_KEY: Final = "urn:medlist:finding"
FACT_ID: Final = "urn:medlist:fact"
RULES: Final = "urn:medlist:rules"
SOURCE_RECORD: Final = "urn:medlist:source:"
"""Followed by the name of a source: the system of its own ids."""

STATEMENT_STATUS: Final[Mapping[ItemState, str]] = MappingProxyType(
    {
        "planned": "intended",
        "active": "active",
        "paused": "on-hold",
        "ended": "completed",
        "cancelled": "entered-in-error",
        "dormant": "on-hold",
        "unknown": "unknown",
    }
)
"""Item state -> MedicationStatement.status. ``completed`` there means: no longer taken; the exact state is an extension."""

REQUEST_STATUS: Final[Mapping[ItemState, str]] = MappingProxyType(
    {
        "planned": "active",
        "active": "active",
        "paused": "on-hold",
        "ended": "stopped",
        "cancelled": "cancelled",
        "dormant": "on-hold",
        "unknown": "unknown",
    }
)
"""Item state -> MedicationRequest.status, as toward NLL (``nll-reference`` 1.5)."""

FINDING_SEVERITY: Final[Mapping[Severity, str]] = MappingProxyType(
    {"high": "high", "warning": "moderate", "info": "low"}
)
"""Severity -> DetectedIssue.severity."""

LAYER_ORDER: Final[tuple[LayerName, ...]] = ("intended", "prescribed", "dispensed", "given", "reported")
"""In the order of the care chain; what the patient says comes last."""
