"""Händelser: one Provenance for each write, who and why from the header, when and what from the server."""

from collections.abc import Sequence
from typing import Final

from connectors.nll_sandbox.store import Stored
from mappings.fhir.exact_json import JsonObject

ACTIVITIES: Final = {
    "REGISTRERA_FORSKRIVNING": {("create", "MedicationRequest")},
    "ERSATT_FORSKRIVNING": {("create", "MedicationRequest")},
    "UPPDATERA_FORSKRIVNING": {("update", "MedicationRequest")},
    "AVSLUTA_FORSKRIVNING": {("update", "MedicationRequest")},
    "MAKULERA_FORSKRIVNING": {("update", "MedicationRequest")},
    "AKTIVERA_FORSKRIVNING": {("update", "MedicationRequest")},
    "REGISTRERA_SPARR": {("create", "Basic"), ("update", "Basic")},
    "HAV_SPARR": {("update", "Basic")},
    "REGISTRERA_UTTAG": {("create", "MedicationDispense")},
    "EFTERREGISTRERA_UTTAG": {("create", "MedicationDispense")},
    "UPPDATERA_UTTAG": {("update", "MedicationDispense")},
    "BACKA_UTTAG": {("update", "MedicationDispense")},
    "KREDITERA_UTTAG": {("update", "MedicationDispense")},
}
"""Which writes an activity states. All but REGISTRERA_DOSSAMTYCKE, which is not bound to one write here, are coined."""


def fits(activity: str, action: str, kind: str) -> bool:
    """Whether the stated activity can be this write; an activity that is not in the table fits every write."""
    return activity not in ACTIVITIES or (action, kind) in ACTIVITIES[activity]


def event(name: str, header: JsonObject, written: Sequence[Stored], at: str) -> JsonObject:
    """The Provenance of one write."""
    return {
        **header,
        "id": name,
        "meta": {"versionId": "1", "lastUpdated": at},
        "target": [{"reference": f"{one.kind}/{one.id}/_history/{one.version}"} for one in written],
        "recorded": at,
    }
