"""What an outsider finds at the NLL sandbox: its prescriptions, asked for over HTTP as any client would."""

import asyncio

import msgspec

from connectors.nll.connection import connect
from connectors.nll.outcomes import Accepted
from connectors.nll.requests import Identity, Task
from connectors.settings import Settings
from connectors.telemetry import CodedError
from contracts.systems import NLL_PRESCRIPTION
from contracts.values import Identifier
from mappings.fhir.elements import child, identifiers, objects, text_at
from mappings.fhir.exact_json import JsonObject
from mappings.fhir.vocabulary import RECORD

IDENTITY = Identity(org_info="medlist-demo", user_agent="medlist-demo")


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """One prescription as it stands there. ``record`` is ours where we registered it, else ``None``."""

    id: str
    nll_id: str | None
    status: str
    product: str | None
    dosage: str | None
    version: str
    record: str | None


def look(settings: Settings, person: Identifier) -> list[Found]:
    """Return the prescriptions of a person. Raises ``CodedError`` (``DEM-005``) when the endpoint does not tell."""
    return asyncio.run(_look(settings, person))


async def _look(settings: Settings, person: Identifier) -> list[Found]:
    async with connect(settings, IDENTITY) as client:
        patient = await client.find_patient(person, Task(context_id="demo"))
        if not isinstance(patient, Accepted):
            raise _refused("the patient")
        if patient.id is None:
            return []
        found = await client.prescriptions(Task(context_id="demo", patient_id=patient.id))
    if not isinstance(found, list):
        raise _refused("the prescriptions")
    return sorted((_found(resource) for resource in found), key=lambda one: one.id)


def _found(resource: JsonObject) -> Found:
    dosages = objects(resource.get("dosageInstruction"))
    return Found(
        id=text_at(resource, "id") or "",
        nll_id=next(iter(identifiers(resource, NLL_PRESCRIPTION)), None),
        status=text_at(resource, "status") or "",
        product=text_at(child(resource, "medicationCodeableConcept"), "text"),
        dosage=text_at(dosages[0], "patientInstruction") if dosages else None,
        version=text_at(child(resource, "meta"), "versionId") or "",
        record=next(iter(identifiers(resource, RECORD)), None),
    )


def _refused(what: str) -> CodedError:
    return CodedError("DEM-005", f"the sandbox does not give {what}", "Run it again; see the log below.")
