"""What the sandbox holds, for tests to compare: without versions and times, and with duplicates counted."""

from collections import Counter
from typing import Final

from connectors.nll_sandbox.resources import identifiers
from connectors.nll_sandbox.store import Store
from contracts.systems import NLL_DISPENSE, NLL_PRESCRIPTION
from mappings.fhir.exact_json import JsonObject

_OWN: Final = frozenset({NLL_PRESCRIPTION, NLL_DISPENSE})
_LIVING: Final = frozenset({"active", "on-hold", "completed"})


def contents(store: Store) -> JsonObject:
    """The latest version of every prescription and dispense by patient, in the order they were created."""
    found: dict[str, list[JsonObject]] = {}
    for kind in ("MedicationRequest", "MedicationDispense"):
        for stored in store.all_of(kind):
            found.setdefault(stored.patient or "", []).append(stored.resource)
    return {patient: sorted(found[patient], key=_order) for patient in sorted(found)}


def history(store: Store, kind: str) -> list[JsonObject]:
    """Every version of every resource of a kind, in the order in which they were stored."""
    return [stored.resource for stored in store.versions(kind)]


def duplicates(store: Store) -> JsonObject:
    """Client identifiers that more than one prescription of a patient carries: among the living, and among all."""
    living: Counter[tuple[str, str, str]] = Counter()
    ever: Counter[tuple[str, str, str]] = Counter()
    for stored in store.all_of("MedicationRequest"):
        resource = stored.resource
        names = {(stored.patient or "", *one) for one in identifiers(resource) if one[0] not in _OWN}
        ever.update(names)
        living.update(names if resource.get("status") in _LIVING else ())
    counts = {"living": living, "ever": ever}
    return {which: sum(1 for count in counted.values() if count > 1) for which, counted in counts.items()}


def _order(resource: JsonObject) -> tuple[str, int, str]:
    name = str(resource["id"])
    number = name.rpartition("-")[2]
    return str(resource["resourceType"]), int(number) if number.isdigit() else 0, name
