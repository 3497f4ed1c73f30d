"""The client against the real sandbox server."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest

from connectors.nll.client import Endpoint, ListInfo, NllClient
from connectors.nll.outcomes import Accepted, Rejected, Stale, Unavailable
from connectors.nll.requests import Identity, Task, Write
from connectors.nll.tokens import FixedToken
from connectors.nll_sandbox import SandboxSettings, serve
from contracts.systems import PERSONNUMMER
from contracts.values import Identifier
from mappings.fhir.exact_json import JsonObject
from mappings.fhir.medication_request import KnownPatient, Terms, medication_request
from mappings.fhir.vocabulary import RECORD
from tests.streams.publish.cases import standing

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PERSON = Identifier(system=PERSONNUMMER, value="191212121212")
TASK = Task(context_id="c", patient_id="p-1")


@pytest.fixture
async def client() -> AsyncIterator[NllClient]:
    """A client of a sandbox with pages of two, that knows the test person."""
    settings = SandboxSettings(clock=lambda: NOW, page_size=2)
    async with serve(settings) as base, aiohttp.ClientSession() as session:
        endpoint = Endpoint(base_url=base, identity=Identity(org_info="o", user_agent="tests"))
        made = NllClient(session, endpoint, FixedToken("test-system"))
        await made.find_patient(PERSON, Task(context_id="c"))
        yield made


def prescription(name: str = "rx-1", **more: Any) -> JsonObject:
    """A resource to create."""
    made = medication_request(standing(name, **more), Terms(subject=KnownPatient("p-1")))
    assert isinstance(made, dict)
    return made


def write(request_id: str, **more: Any) -> Write:
    """A write that registers."""
    return Write(request_id=request_id, activity="REGISTRERA_FORSKRIVNING", **more)


async def test_a_person_is_found_by_number(client: NllClient) -> None:
    """And one that the register does not know is not."""
    found = await client.find_patient(PERSON, TASK)
    unknown = await client.find_patient(Identifier(system=PERSONNUMMER, value="191212121213"), TASK)

    assert isinstance(found, Accepted)
    assert isinstance(unknown, Accepted)
    assert (found.id, unknown.id) == ("p-1", None)


async def test_a_created_prescription_is_read_searched_and_counted(client: NllClient) -> None:
    """By its id, by our identifier, and in the list's version."""
    before = await client.list_info(TASK)

    created = await client.create("MedicationRequest", prescription(), TASK, write("r-1"))

    assert isinstance(created, Accepted)
    assert (created.id, created.version) == ("f-1", "1")
    assert (before, await client.list_info(TASK)) == (ListInfo(0, locked=False), ListInfo(1, locked=False))
    by_record = await client.by_identifier(Identifier(system=RECORD, value=standing().record), TASK)
    assert isinstance(by_record, list)
    assert [one["id"] for one in by_record] == ["f-1"]
    read = await client.read("MedicationRequest", "f-1", TASK)
    assert isinstance(read, Accepted)
    assert read.version == "1"


async def test_all_pages_of_a_list_are_read(client: NllClient) -> None:
    """Five prescriptions on pages of two."""
    for number in range(5):
        created = await client.create("MedicationRequest", prescription(f"rx-{number}"), TASK, write(f"r-{number}"))
        assert isinstance(created, Accepted)

    found = await client.prescriptions(TASK)

    assert isinstance(found, list)
    assert sorted(one["id"] for one in found) == [f"f-{n}" for n in range(1, 6)]


async def test_a_stale_list_version_is_told(client: NllClient) -> None:
    """What was read has changed since."""
    await client.create("MedicationRequest", prescription(), TASK, write("r-1"))

    told = await client.create("MedicationRequest", prescription("rx-2"), TASK, write("r-2", list_version=0))

    assert isinstance(told, Stale)


async def test_a_refusal_names_every_rule(client: NllClient) -> None:
    """By code and place."""
    wrong = prescription(workplace_code="x", purpose=None)
    wrong["dosageInstruction"][0].pop("patientInstruction")
    wrong["dosageInstruction"][0].pop("text")

    told = await client.create("MedicationRequest", wrong, TASK, write("r-1"))

    assert isinstance(told, Rejected)
    assert {one.code for one in told.reasons} >= {"F.004", "G.008"}


async def test_a_transaction_is_all_or_nothing(client: NllClient) -> None:
    """One wrong entry, and none is stored."""
    entries = [
        {"fullUrl": f"urn:uuid:{n}", "resource": one, "request": {"method": "POST", "url": "MedicationRequest"}}
        for n, one in enumerate([prescription(), prescription("rx-2", workplace_code="x")])
    ]
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}

    told = await client.transaction(bundle, TASK, write("r-1"))
    verified = await client.verify(bundle | {"entry": entries[:1]}, TASK, write("r-2"))

    assert isinstance(told, Rejected)
    assert isinstance(verified, Accepted)
    assert await client.prescriptions(TASK) == []


async def test_a_next_page_on_another_host_is_not_followed(client: NllClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer does not decide whom we talk to."""
    elsewhere = {"resourceType": "Bundle", "link": [{"relation": "next", "url": "http://198.51.100.7/x"}]}

    async def read(*_: object) -> Accepted:
        return Accepted(resource=elsewhere)

    monkeypatch.setattr(client, "_read", read)

    assert await client.prescriptions(TASK) == Unavailable(reason="page-elsewhere")
