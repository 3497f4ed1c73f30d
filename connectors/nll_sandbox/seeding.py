"""Filling the store from files: the article register (CSV) and resources (JSON).

A JSON seed is a list of resources, or a Bundle; a resource keeps its id, others get one. No rule is applied: a seed may
hold what could no longer be written. ``{"owner": "<organisation number>", "resource": {...}}`` seeds what another
caregiver registered.
"""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Final

from connectors.nll_sandbox.completions import complete_dispense, complete_prescription
from connectors.nll_sandbox.kinds import KINDS, patient_of
from connectors.nll_sandbox.registers import medication_resource, rows
from connectors.nll_sandbox.resources import child, objects
from connectors.nll_sandbox.settings import REGION
from connectors.nll_sandbox.store import Store, Stored, Transaction, encode
from mappings.codes.products import PRODUCTS, ProductRow
from mappings.fhir.exact_json import JsonObject, read_json

_REGISTER: Final = ""
"""Owner of what no caregiver registered: articles and people."""


def seed_articles(store: Store, path: Path, now: datetime) -> None:
    """Store one Medication for each row of the article file, and for each product of the project's product table."""
    with store.transaction(now) as transaction:
        for row in (*rows(path), *map(_product_row, PRODUCTS.values())):
            name = store.next_id(KINDS["Medication"].prefix)
            _put(store, transaction, medication_resource(row) | {"id": name}, _REGISTER)


def seed_file(store: Store, path: Path, now: datetime) -> int:
    """Store the resources of a JSON file; answers how many."""
    return seed(store, read_json(path.read_bytes()), now)


def seed(store: Store, document: object, now: datetime) -> int:
    """Store resources as they are; answers how many. ``ValueError`` names the place of what is no known resource."""
    entries = objects(child(document).get("entry")) if isinstance(document, dict) else objects(document)
    unknown = [n for n, entry in enumerate(entries) if _resource(entry).get("resourceType") not in KINDS]
    if unknown or not entries:
        raise ValueError(f"no resource that the server holds at {unknown}" if unknown else "nothing to seed")
    with store.transaction(now) as transaction:
        stored = [_seed_one(store, transaction, entry, now) for entry in entries]
        for patient in _patients(stored):
            store.raise_list_version(patient, transaction.seq)
    return len(stored)


def _product_row(product: ProductRow) -> dict[str, str]:
    """A row of the article file for a product, which has no package and no narcotic class in that table."""
    told = {"npl_id": product.npl_id, "name": product.name, "atc": product.atc, "form": product.form}
    return {
        "npl_pack_id": "",
        "article_number": "",
        "product_type": "drug",
        "narcotic_class": "",
        "start_pack": "no",
    } | told


def _seed_one(store: Store, transaction: Transaction, entry: JsonObject, now: datetime) -> Stored:
    resource = dict(_resource(entry))
    kind = str(resource["resourceType"])
    name = str(resource.get("id") or store.next_id(KINDS[kind].prefix))
    if kind == "MedicationRequest":
        complete_prescription(resource, name, store.next_id("kedja"), now)
    elif kind == "MedicationDispense":
        complete_dispense(resource, name)
    register = kind in {"Patient", "Medication"}
    owner = str(entry.get("owner", _REGISTER if register else REGION)) if "resource" in entry else REGION
    return _put(store, transaction, resource | {"id": name}, owner)


def _put(store: Store, transaction: Transaction, resource: JsonObject, owner: str) -> Stored:
    kind, name = str(resource["resourceType"]), str(resource["id"])
    previous = store.read(kind, name)
    version = 1 if previous is None else previous.version + 1
    meta = {**child(resource.get("meta")), "versionId": str(version), "lastUpdated": transaction.at}
    stored = Stored(
        kind=kind,
        id=name,
        version=version,
        txn=transaction.seq,
        patient=patient_of(kind, resource),
        owner=owner,
        at=transaction.at,
        body=encode(resource | {"meta": meta}),
    )
    store.put(stored)
    return stored


def _resource(entry: JsonObject) -> JsonObject:
    return child(entry.get("resource")) if "resource" in entry else entry


def _patients(stored: Iterable[Stored]) -> Iterable[str]:
    found = (one.patient for one in stored if KINDS[one.kind].changes_list and one.patient)
    return dict.fromkeys(found)
