"""A sandbox on a free port, and a client that sends the headers a careful system sends."""

import base64
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from itertools import count
from typing import Any

import msgspec
import pytest
from aiohttp import ClientSession

from connectors.nll_sandbox import SandboxSettings, serve
from mappings.fhir.exact_json import JsonObject, read_json, write_json

NOW = datetime.fromisoformat("2026-03-02T09:00:00+01:00")
PERSON = "191212121212"
PERSONNUMMER = "http://electronichealth.se/identifier/personnummer"
STRUCTURE = "http://electronichealth.se/fhir/StructureDefinition/"


class Reply(msgspec.Struct, frozen=True):
    """One answer of the server."""

    status: int
    headers: dict[str, str]
    body: Any
    raw: bytes

    @property
    def codes(self) -> list[str]:
        """The codes that an OperationOutcome names."""
        return [coding["code"] for issue in self.body["issue"] for coding in issue["details"]["coding"]]

    @property
    def entries(self) -> list[JsonObject]:
        """The resources of a Bundle."""
        return [entry["resource"] for entry in self.body["entry"]]


class Api:
    """A client of one sandbox; every request gets an id of its own unless one is given."""

    def __init__(self, session: ClientSession, base: str) -> None:
        self.base = base
        self._session = session
        self._ids = count(1)
        self.token = "test-prescriber"

    def headers(self, **more: str | None) -> dict[str, str]:
        """All demanded headers; ``more`` replaces or, when None, leaves out (``x_purpose`` for ``x-purpose``).

        ``activity`` is the activity code of the Provenance in ``x-provenance``.
        """
        activity = more.pop("activity", None) or "REGISTRERA_FORSKRIVNING"
        provenance = {
            "resourceType": "Provenance",
            "activity": {"coding": [{"code": activity}]},
            "agent": [{"type": {"coding": [{"code": "author"}]}, "who": {"display": "Ada Lind"}}],
        }
        usual: dict[str, str | None] = {
            "authorization": f"Bearer {self.token}",
            "accept": "application/fhir+json",
            "content-type": "application/fhir+json",
            "x-request-id": f"r-{next(self._ids)}",
            "x-context-id": "c-1",
            "x-org-info": "SE2321000065-K001",
            "x-user-agent": "tests/1",
            "x-purpose": "VARD",
            "x-access": "EGEN",
            "x-patientref": "p-1",
            "prefer": "return=representation",
            "x-provenance": base64.b64encode(write_json(provenance)).decode(),
        }
        usual.update({name.replace("_", "-"): value for name, value in more.items()})
        return {name: value for name, value in usual.items() if value is not None}

    async def send(self, method: str, path: str, body: object = None, **headers: str | None) -> Reply:
        """One request with all demanded headers."""
        data = body if isinstance(body, bytes) else None if body is None else write_json(body)
        headers.setdefault("activity", "UPPDATERA_FORSKRIVNING" if method == "PUT" else None)
        return await self.raw(method, path, data, self.headers(**headers))

    async def raw(self, method: str, path: str, data: bytes | None, headers: dict[str, str]) -> Reply:
        """One request with exactly these headers."""
        async with self._session.request(method, f"{self.base}{path}", data=data, headers=headers) as answer:
            raw = await answer.read()
            found = {name.lower(): value for name, value in answer.headers.items()}
            return Reply(answer.status, found, read_json(raw) if raw else None, raw)

    async def patient(self, person: str = PERSON) -> str:
        """The logical id of a person in the register."""
        found = await self.send("GET", f"/Patient?identifier={PERSONNUMMER}|{person}")
        assert found.status == 200, found.body
        return str(found.entries[0]["id"])

    async def prescribe(self, patient: str = "p-1", **changes: object) -> JsonObject:
        """A stored prescription."""
        reply = await self.send("POST", "/MedicationRequest", prescription(patient, **changes), x_patientref=patient)
        assert reply.status == 201, reply.body
        assert isinstance(reply.body, dict)
        return reply.body


def prescription(patient: str = "p-1", **changes: object) -> JsonObject:
    """A prescription that breaks no rule; ``changes`` replace elements of it."""
    resource: JsonObject = {
        "resourceType": "MedicationRequest",
        "contained": [
            {
                "resourceType": "Practitioner",
                "id": "doc",
                "identifier": [{"system": "http://electronichealth.se/identifier/forskrivarkod", "value": "9000027"}],
                "qualification": [
                    {"code": {"coding": [{"system": "urn:oid:1.2.752.116.3.1.3", "code": "LK"}]}},
                ],
            }
        ],
        "extension": [{"url": f"{STRUCTURE}NLLPatientTreatmentReason", "valueString": "mot högt blodtryck"}],
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": {
            "coding": [
                {"system": "http://electronichealth.se/fhir/NamingSystem/nplpackid", "code": "20990101100019"},
                {"system": "http://electronichealth.se/fhir/NamingSystem/nplid", "code": "20990101000012"},
            ]
        },
        "subject": {"reference": f"Patient/{patient}"},
        "requester": {"reference": "#doc"},
        "dosageInstruction": [{"sequence": 1, "patientInstruction": "1 tablett varje morgon"}],
        "dispenseRequest": {
            "extension": [{"url": f"{STRUCTURE}NLLWorkplacecode", "valueCode": "0700000001234"}],
            "numberOfRepeatsAllowed": 3,
        },
    }
    return resource | changes


def dispense(patient: str = "p-1", **changes: object) -> JsonObject:
    """A dispense on the prescription ``f-1`` that breaks no rule; ``changes`` replace elements of it."""
    resource: JsonObject = {
        "resourceType": "MedicationDispense",
        "status": "completed",
        "medicationCodeableConcept": {
            "coding": [
                {"system": "http://electronichealth.se/fhir/NamingSystem/nplpackid", "code": "20990101100033"},
            ]
        },
        "subject": {"reference": f"Patient/{patient}"},
        "location": {"identifier": {"system": "urn:oid:1.3.88", "value": "7350000000009"}},
        "authorizingPrescription": [{"reference": "MedicationRequest/f-1"}],
        "whenHandedOver": "2026-03-02T08:00:00+01:00",
    }
    return resource | changes


async def dose_consent(api: Api, patient: str = "p-1") -> JsonObject:
    """The patient becomes a dose patient of the pharmacy 7350000000009."""
    resource = {
        "resourceType": "Consent",
        "status": "active",
        "category": [{"coding": [{"code": "multidosedispconsent"}]}],
        "patient": {"reference": f"Patient/{patient}"},
        "organization": [{"identifier": {"system": "urn:oid:1.3.88", "value": "7350000000009"}}],
    }
    reply = await api.send("POST", "/Consent", resource, activity="REGISTRERA_DOSSAMTYCKE", x_patientref=patient)
    assert reply.status == 201, reply.body
    assert isinstance(reply.body, dict)
    return reply.body


Start = Callable[..., AbstractAsyncContextManager[Api]]


@pytest.fixture
def start() -> Start:
    """Start a sandbox with settings that differ from those of the tests' usual one."""

    @asynccontextmanager
    async def starting(**settings: Any) -> AsyncIterator[Api]:
        chosen = SandboxSettings(**{"clock": lambda: NOW, **settings})
        async with serve(chosen) as base, ClientSession() as session:
            yield Api(session, base)

    return starting


@pytest.fixture
async def api(start: Start) -> AsyncIterator[Api]:
    """A sandbox at 2026-03-02 09:00 in Sweden that holds one person, ``Patient/p-1``, and nothing else."""
    async with start() as client:
        await client.patient()
        yield client


@pytest.fixture
def a_prescription() -> Callable[..., JsonObject]:
    """Makes prescriptions that break no rule."""
    return prescription
