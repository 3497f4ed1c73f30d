"""What a request says beside its body: the demanded headers and the event (händelse) behind a write."""

import base64
from typing import Final, Literal

import msgspec

from contracts.values import Identifier
from mappings.fhir.exact_json import JsonObject, write_json
from mappings.fhir.vocabulary import ACTIVITIES, PARTICIPANT_TYPES

REASON_LENGTH: Final = 256
FHIR_JSON: Final = "application/fhir+json"

Activity = Literal[
    "REGISTRERA_FORSKRIVNING",
    "UPPDATERA_FORSKRIVNING",
    "ERSATT_FORSKRIVNING",
    "AVSLUTA_FORSKRIVNING",
    "MAKULERA_FORSKRIVNING",
    "REGISTRERA_SPARR",
    "HAV_SPARR",
]
"""What a write asks for, as the client states it (``nll-reference`` 1.8; coined in the style of the one known code)."""


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """Who this system is toward the endpoint, and with what right it asks. The codes' real values are not known."""

    org_info: str
    user_agent: str
    purpose: str = "VARD"
    access: str = "EGEN"
    organisation: Identifier | None = None


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """What groups the requests of one task, and which patient (logical id) it is about.

    ``access`` is the access type (åtkomsttyp) of this task, where it is not that of the identity.
    """

    context_id: str
    patient_id: str | None = None
    access: str | None = None


class Write(msgspec.Struct, frozen=True, kw_only=True):
    """One write: ``request_id`` is equal on retries.

    ``version`` is what the client read of the resource, ``list_version`` of the patient's list; ``author`` the identifiers
    of who decided it; ``reason`` says why, in at most 256 characters (``reason.text``).
    """

    request_id: str
    activity: Activity
    version: str | None = None
    list_version: int | None = None
    author: tuple[Identifier, ...] = ()
    reason: str | None = None


def contained_patient_id(person: Identifier) -> str:
    """Return what stands for the logical id of a person without one (assumption: no source tells what ``x-patientref`` is then)."""
    return f"contained|{person.system}|{person.value}"


def read_headers(identity: Identity, task: Task, request_id: str) -> dict[str, str]:
    """Return the headers of a read."""
    headers = {
        "accept": FHIR_JSON,
        "x-request-id": request_id,
        "x-context-id": task.context_id,
        "x-org-info": identity.org_info,
        "x-user-agent": identity.user_agent,
        "x-purpose": identity.purpose,
        "x-access": task.access or identity.access,
    }
    if task.patient_id is not None:
        headers["x-patientref"] = task.patient_id
    return headers


def write_headers(identity: Identity, task: Task, write: Write) -> dict[str, str]:
    """Return the headers of a write: those of a read, the version it builds on, and its event."""
    headers = read_headers(identity, task, write.request_id)
    headers["content-type"] = FHIR_JSON
    headers["prefer"] = "return=representation"
    headers["x-provenance"] = base64.b64encode(write_json(provenance(identity, write))).decode("ascii")
    if write.version is not None:
        headers["if-match"] = f'W/"{write.version}"'
    if write.list_version is not None:
        headers["x-medicationlist-version"] = str(write.list_version)
    return headers


def provenance(identity: Identity, write: Write) -> JsonObject:
    """Return the event: who decided (author) and which system enters it; the server adds the time."""
    agents = [_agent("author", one) for one in write.author[:1]]
    agents.append(_agent("enterer", identity.organisation))
    if identity.organisation is None:
        agents[-1]["who"] = {"display": identity.user_agent}
    event: JsonObject = {
        "resourceType": "Provenance",
        "activity": {"coding": [{"system": ACTIVITIES, "code": write.activity}]},
        "agent": agents,
    }
    if write.reason is not None:
        event["reason"] = [{"text": write.reason[:REASON_LENGTH]}]
    return event


def _agent(kind: str, who: Identifier | None) -> JsonObject:
    agent: JsonObject = {"type": {"coding": [{"system": PARTICIPANT_TYPES, "code": kind}]}}
    if who is not None:
        agent["who"] = {"identifier": {"system": who.system, "value": who.value}}
    return agent
