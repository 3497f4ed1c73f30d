"""Transaction bundles, prescription bundles and their dry run."""

from typing import Any

from mappings.fhir.exact_json import JsonObject
from tests.connectors.nll_sandbox.conftest import Api, prescription


def bundle(*entries: JsonObject) -> JsonObject:
    """A transaction of these entries."""
    return {"resourceType": "Bundle", "type": "transaction", "entry": list(entries)}


def post(placeholder: str, **changes: Any) -> JsonObject:
    """An entry that creates a prescription."""
    return {
        "fullUrl": f"urn:uuid:{placeholder}",
        "resource": prescription(**changes),
        "request": {"method": "POST", "url": "MedicationRequest"},
    }


def put(resource: JsonObject, version: str) -> JsonObject:
    """An entry that updates a prescription."""
    url = f"MedicationRequest/{resource['id']}"
    return {"resource": resource, "request": {"method": "PUT", "url": url, "ifMatch": f'W/"{version}"'}}


async def stored(api: Api) -> dict[str, Any]:
    """The patient's prescriptions by id."""
    found = await api.send("GET", "/MedicationRequest?patient=p-1")
    return {one["id"]: one for one in found.entries}


async def test_a_bundle_stores_all_and_resolves_placeholders(api: Api) -> None:
    """Entries refer to each other by placeholder; what is stored refers by id; the list version rises by one."""
    first = post("a")
    second = post("b", priorPrescription={"reference": "urn:uuid:a"})

    reply = await api.send("POST", "/", bundle(first, second))

    assert reply.status == 200, reply.body
    assert [entry["response"]["status"] for entry in reply.body["entry"]] == ["201 Created", "201 Created"]
    assert reply.body["entry"][1]["response"]["location"].endswith("/MedicationRequest/f-2/_history/1")
    found = await stored(api)
    assert found["f-2"]["priorPrescription"] == {"reference": "MedicationRequest/f-1"}
    assert found["f-1"]["status"] == "stopped"
    assert (await api.send("GET", "/Basic/medlistinfo-p-1")).body["meta"]["versionId"] == "1"


async def test_one_bad_entry_stores_nothing(api: Api) -> None:
    """A bundle is all or nothing, and the refusal says which entry breaks what."""
    before = await api.prescribe()
    changed = before | {"priority": "urgent"}

    reply = await api.send("POST", "/", bundle(post("a"), put(changed, "1"), post("b", contained=[])))

    assert (reply.status, reply.codes) == (422, ["F.001"])
    assert reply.body["issue"][0]["expression"] == ["Bundle.entry[2].resource.MedicationRequest.requester"]
    assert await stored(api) == {"f-1": before}


async def test_a_stale_entry_refuses_the_bundle(api: Api) -> None:
    """A version conflict in one entry is a version conflict of the bundle."""
    before = await api.prescribe()

    reply = await api.send("POST", "/", bundle(post("a"), put(before, "7")))

    assert (reply.status, reply.codes) == (412, ["version-stale"])
    assert list(await stored(api)) == ["f-1"]


async def test_a_prescription_bundle_needs_no_requests(api: Api) -> None:
    """A collection of prescriptions is stored as new prescriptions."""
    collection = bundle({"resource": prescription()}, {"resource": prescription()}) | {"type": "collection"}

    reply = await api.send("POST", "/", collection)

    assert reply.status == 200
    assert list(await stored(api)) == ["f-1", "f-2"]


async def test_a_bundle_of_another_form_is_refused(api: Api) -> None:
    """Deletes, other kinds and empty bundles are 400 with the entry's place."""
    delete = {"request": {"method": "DELETE", "url": "MedicationRequest/f-1"}}

    refused = await api.send("POST", "/", bundle(delete))
    empty = await api.send("POST", "/", bundle())

    assert (refused.status, refused.codes) == (400, ["entry-form"])
    assert refused.body["issue"][0]["expression"] == ["Bundle.entry[0]"]
    assert (empty.status, empty.codes) == (400, ["bundle-form"])


async def test_verify_tells_what_would_happen_and_stores_nothing(api: Api) -> None:
    """``$verify`` answers the refusal or the warnings of the bundle; nothing is stored, no id and no version is used."""
    good = await api.send("POST", "/$verify", bundle(post("a", extension=[])))
    bad = await api.send("POST", "/$verify", bundle(post("a", contained=[])))

    assert (good.status, good.codes) == (200, ["G.009", "verified"])
    assert (bad.status, bad.codes) == (422, ["F.001"])
    assert await stored(api) == {}
    assert (await api.send("GET", "/Basic/medlistinfo-p-1")).body["meta"]["versionId"] == "0"
    assert (await api.prescribe())["id"] == "f-1"


async def test_the_same_bundle_again_is_stored_once(api: Api) -> None:
    """A bundle repeated with its request id stores nothing more."""
    first = await api.send("POST", "/", bundle(post("a")), x_request_id="again")
    second = await api.send("POST", "/", bundle(post("a")), x_request_id="again")

    assert first.raw == second.raw
    assert list(await stored(api)) == ["f-1"]
