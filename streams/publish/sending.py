"""From an operation to the request that carries it out: the interaction, its activity, its version, its reason."""

from collections.abc import Iterable
from typing import Final

from connectors.nll.client import NllClient
from connectors.nll.outcomes import Outcome
from connectors.nll.requests import Activity, Task, Write
from contracts.publication import OperationKind
from mappings.fhir.exact_json import JsonObject
from streams.publish.operations import AnyOperation, Create, End, is_new, kind_of, request_id

ON_BEHALF_OF_PRESCRIBER: Final[JsonObject] = {
    "resourceType": "Parameters",
    "parameter": [{"name": "onBehalfOf", "valueCode": "prescriber"}],
}
"""No day is named, so it is the day on which it is sent: nothing is ended backward or forward in time."""

ACTIVITIES: Final[dict[OperationKind, Activity]] = {
    "create": "REGISTRERA_FORSKRIVNING",
    "replace": "ERSATT_FORSKRIVNING",
    "update": "UPPDATERA_FORSKRIVNING",
    "end": "AVSLUTA_FORSKRIVNING",
    "cancel": "MAKULERA_FORSKRIVNING",
    "lock": "REGISTRERA_SPARR",
    "unlock": "HAV_SPARR",
}


def write_of(patient: str, operation: AnyOperation, list_version: int | None) -> Write:
    """Return what a write says beside its body; the facts that a withdrawal follows from are its reason in the event."""
    return Write(
        request_id=request_id(patient, operation),
        activity=ACTIVITIES[kind_of(operation)],
        version=None if isinstance(operation, Create) else operation.version,
        list_version=list_version,
        author=operation.author,
        reason=" ".join(("facts", *operation.because)) if operation.because else None,
    )


async def send(client: NllClient, operation: AnyOperation, task: Task, write: Write) -> Outcome:
    """Carry an operation out, once."""
    if isinstance(operation, End) and operation.by == "operation":
        return await client.end(operation.id, ON_BEHALF_OF_PRESCRIBER, task, write)
    if is_new(operation):
        return await client.create(operation.resource["resourceType"], operation.resource, task, write)
    return await client.update(operation.resource, task, write)


def transaction(operations: Iterable[AnyOperation]) -> JsonObject:
    """Return the writes as one transaction bundle, in their order; an end is the update that it comes to."""
    return {"resourceType": "Bundle", "type": "transaction", "entry": [_entry(one) for one in operations]}


def _entry(operation: AnyOperation) -> JsonObject:
    kind = operation.resource["resourceType"]
    if is_new(operation):
        return {"resource": operation.resource, "request": {"method": "POST", "url": kind}}
    url = f"{kind}/{operation.resource['id']}"
    match = f'W/"{operation.resource["meta"]["versionId"]}"'
    return {"resource": operation.resource, "request": {"method": "PUT", "url": url, "ifMatch": match}}
