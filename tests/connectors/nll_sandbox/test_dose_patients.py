"""Dose consent, and the dose basis that any change in the list makes unapproved."""

from typing import Any

from mappings.fhir.exact_json import JsonObject
from tests.connectors.nll_sandbox.aff_cases import basis, consent_ends, dose_drug
from tests.connectors.nll_sandbox.conftest import STRUCTURE, Api, dose_consent


async def dose_basis(api: Api) -> JsonObject:
    """Status and version of the patient's dose basis."""
    api.token = "test-prescriber"
    found = (await api.send("GET", "/Basic?patient=p-1&code=multidosedispensingbasis")).entries
    assert len(found) == 1
    values = {one["url"].removeprefix(f"{STRUCTURE}NLLMultiDoseDispensingBasis"): one for one in found[0]["extension"]}
    return {"status": values["Status"]["valueCode"], "version": values["Version"]["valueInteger"]}


async def approved(api: Api) -> None:
    """The patient is a dose patient with one dose prescription and an approved basis."""
    await dose_consent(api)
    assert (await dose_drug(api)).status == 201
    assert (await basis("approved", "test-pharmacist")(api)).status == 200
    assert await dose_basis(api) == {"status": "approved", "version": 1}


async def test_a_dose_consent_opens_an_unapproved_basis(api: Api) -> None:
    """The server creates it; a pharmacist has not looked at it."""
    await dose_consent(api)

    assert await dose_basis(api) == {"status": "not-approved", "version": 1}


async def test_any_change_in_the_list_unapproves_the_basis(api: Api) -> None:
    """Also a write that changes nothing: it costs a pharmacist's work, and the basis version rises."""
    await approved(api)
    stored = (await api.send("GET", "/MedicationRequest/f-1")).body

    await api.send("PUT", "/MedicationRequest/f-1", stored)

    assert await dose_basis(api) == {"status": "not-approved", "version": 2}


async def test_a_second_change_leaves_the_version_of_an_unapproved_basis(api: Api) -> None:
    """The basis version rises each time it becomes unapproved, not with each change."""
    await approved(api)
    for _ in range(2):
        stored = (await api.send("GET", "/MedicationRequest/f-1")).body
        await api.send("PUT", "/MedicationRequest/f-1", stored)

    assert await dose_basis(api) == {"status": "not-approved", "version": 2}


async def test_a_refused_or_verified_write_leaves_the_basis_approved(api: Api) -> None:
    """Only what is stored counts."""
    await approved(api)
    stored = (await api.send("GET", "/MedicationRequest/f-1")).body
    entry: dict[str, Any] = {"resource": stored, "request": {"method": "PUT", "url": "MedicationRequest/f-1"}}
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}

    refused = await api.send("PUT", "/MedicationRequest/f-1", stored | {"dosageInstruction": []})
    verified = await api.send("POST", "/$verify", bundle)

    assert (refused.status, verified.status) == (422, 200)
    assert await dose_basis(api) == {"status": "approved", "version": 1}


async def test_a_prescriber_cannot_approve(api: Api) -> None:
    """Approving is the pharmacist's."""
    await dose_consent(api)

    reply = await basis("approved", "test-prescriber")(api)

    assert (reply.status, reply.codes) == (403, ["role-forbids"])


async def test_an_ended_consent_deregisters_the_basis(api: Api) -> None:
    """Also an approved one; a new consent opens a new one."""
    await dose_consent(api)
    assert (await basis("approved", "test-pharmacist")(api)).status == 200
    api.token = "test-prescriber"
    assert (await consent_ends()(api)).status == 200
    assert (await dose_basis(api))["status"] == "deregistered"

    await dose_consent(api)

    found = (await api.send("GET", "/Basic?patient=p-1&code=multidosedispensingbasis")).entries
    assert [one["id"] for one in found] == ["b-1", "b-2"]
