"""Create, read, vread, history, search and update."""

from collections.abc import Callable

from mappings.fhir.exact_json import JsonObject
from tests.connectors.nll_sandbox.conftest import Api, Start

Make = Callable[..., JsonObject]


async def test_the_server_fills_in_id_issue_day_validity_and_chain(api: Api) -> None:
    """A new prescription gets its id, today's date, one year of validity and a chain of its own."""
    stored = await api.prescribe()

    assert stored["identifier"] == [
        {"system": "http://electronichealth.se/identifier/nllmedicationrequestid", "value": stored["id"]}
    ]
    assert stored["authoredOn"] == "2026-03-02T09:00:00+01:00"
    assert stored["dispenseRequest"]["validityPeriod"] == {"end": "2027-03-02"}
    assert [one for one in stored["extension"] if one["url"].endswith("NLLPrescriptionChain")]
    assert stored["meta"]["versionId"] == "1"


async def test_create_answers_location_and_entity_tag(api: Api, a_prescription: Make) -> None:
    """A create is 201, says where the version stands, and repeats the request id."""
    reply = await api.send("POST", "/MedicationRequest", a_prescription(), x_request_id="mine")

    assert reply.status == 201
    assert reply.headers["location"] == f"{api.base}/MedicationRequest/f-1/_history/1"
    assert reply.headers["etag"] == 'W/"1"'
    assert reply.headers["x-request-id"] == "mine"
    assert reply.headers["x-medicationlist-version"] == "1"


async def test_a_decimal_comes_back_to_the_letter(api: Api) -> None:
    """0.50 sent is 0.50 read."""
    dose = {"doseQuantity": {"value": 1}}
    stored = await api.prescribe(dosageInstruction=[{"text": "halv", "patientInstruction": "x", "doseAndRate": [dose]}])
    stored["dosageInstruction"][0]["doseAndRate"][0]["doseQuantity"]["value"] = "HALF"
    raw = (await api.send("GET", "/MedicationRequest/f-1")).raw.replace(b'"value":1}', b'"value":0.50}')

    await api.send("PUT", "/MedicationRequest/f-1", raw)

    assert b'"value":0.50}' in (await api.send("GET", "/MedicationRequest/f-1")).raw


async def test_an_update_makes_a_new_version_and_keeps_the_old(api: Api) -> None:
    """Both versions can be read, and the history tells them newest first."""
    stored = await api.prescribe()
    changed = stored | {"dosageInstruction": [{"sequence": 1, "patientInstruction": "2 tabletter varje morgon"}]}

    reply = await api.send("PUT", "/MedicationRequest/f-1", changed, if_match='W/"1"')

    assert (reply.status, reply.headers["etag"]) == (200, 'W/"2"')
    first = await api.send("GET", "/MedicationRequest/f-1/_history/1")
    assert first.body["dosageInstruction"][0]["patientInstruction"] == "1 tablett varje morgon"
    history = await api.send("GET", "/MedicationRequest/f-1/_history")
    assert [one["meta"]["versionId"] for one in history.entries] == ["2", "1"]


async def test_an_update_creates_nothing(api: Api, a_prescription: Make) -> None:
    """PUT of an unknown id is 404 with an OperationOutcome, never an upsert."""
    reply = await api.send("PUT", "/MedicationRequest/f-99", a_prescription(id="f-99"), if_match='W/"1"')

    assert (reply.status, reply.codes) == (404, ["unknown-resource"])
    assert (await api.send("GET", "/MedicationRequest?patient=p-1")).entries == []


async def test_nothing_can_be_deleted(api: Api) -> None:
    """DELETE is 405 and the resource stays."""
    await api.prescribe()

    assert (await api.send("DELETE", "/MedicationRequest/f-1")).status == 405
    assert (await api.send("GET", "/MedicationRequest/f-1")).status == 200


async def test_a_stale_version_is_refused(api: Api) -> None:
    """An update of an older version is 412 and stores nothing, told by If-Match or by the resource's own version."""
    first = await api.prescribe()
    await api.send("PUT", "/MedicationRequest/f-1", first, if_match='W/"1"')

    by_header = await api.send("PUT", "/MedicationRequest/f-1", first, if_match='W/"1"')
    by_resource = await api.send("PUT", "/MedicationRequest/f-1", first)

    assert [by_header.status, by_resource.status] == [412, 412]
    assert (await api.send("GET", "/MedicationRequest/f-1")).body["meta"]["versionId"] == "2"


async def test_an_endpoint_may_call_stale_409(start: Start) -> None:
    """Which status tells a stale version is a setting."""
    async with start(stale_version_status=409) as api:
        await api.patient()
        first = await api.prescribe()

        reply = await api.send("PUT", "/MedicationRequest/f-1", first, if_match='W/"7"')

        assert (reply.status, reply.codes) == (409, ["version-stale"])


async def test_every_write_raises_the_list_version(api: Api) -> None:
    """MedicationListInfo counts the writes to the patient's list."""
    await api.prescribe()
    await api.prescribe()

    found = await api.send("GET", "/Basic?patient=p-1&code=medlistinfo")

    parts = {one["url"]: one for one in found.entries[0]["extension"][0]["extension"]}
    assert parts["nllMedicationlistVersion"]["valueInteger"] == 2


async def test_a_stale_list_version_is_refused(api: Api, a_prescription: Make) -> None:
    """A write that names an older list version is refused with U.011; with the current one it is stored."""
    await api.prescribe()

    stale = await api.send("POST", "/MedicationRequest", a_prescription(), x_medicationlist_version="0")
    current = await api.send("POST", "/MedicationRequest", a_prescription(), x_medicationlist_version="1")

    assert (stale.status, stale.codes) == (409, ["U.011"])
    assert current.status == 201


async def test_the_same_request_id_stores_once(api: Api, a_prescription: Make) -> None:
    """A write repeated with its request id answers the same and stores nothing more."""
    first = await api.send("POST", "/MedicationRequest", a_prescription(), x_request_id="again")
    second = await api.send("POST", "/MedicationRequest", a_prescription(), x_request_id="again")

    assert (second.status, second.raw, second.headers["location"]) == (201, first.raw, first.headers["location"])
    assert len((await api.send("GET", "/MedicationRequest?patient=p-1")).entries) == 1


async def test_a_request_id_means_one_request(api: Api, a_prescription: Make) -> None:
    """Another body under a used request id is refused."""
    await api.send("POST", "/MedicationRequest", a_prescription(), x_request_id="again")

    other = await api.send("POST", "/MedicationRequest", a_prescription(priority="urgent"), x_request_id="again")

    assert (other.status, other.codes) == (409, ["request-id-reused"])


async def test_prescriptions_are_found_by_patient_and_identifier(api: Api, a_prescription: Make) -> None:
    """A search by patient and identifier finds exactly that one; no match is an empty Bundle."""
    mine = {"system": "urn:example:order", "value": "o-1"}
    await api.prescribe(identifier=[mine])
    await api.prescribe()

    one = await api.send("GET", "/MedicationRequest?patient=p-1&identifier=urn:example:order|o-1")
    none = await api.send("GET", "/MedicationRequest?patient=p-1&identifier=urn:example:order|o-2")

    assert [found["id"] for found in one.entries] == ["f-1"]
    assert (none.status, none.body["total"]) == (200, 0)


async def test_a_person_is_found_by_form(api: Api) -> None:
    """POST _search keeps the person number out of the address."""
    form = b"identifier=http%3A%2F%2Felectronichealth.se%2Fidentifier%2Fpersonnummer%7C191212121212"

    reply = await api.send("POST", "/Patient/_search", form, content_type="application/x-www-form-urlencoded")

    assert [found["id"] for found in reply.entries] == ["p-1"]


async def test_a_search_comes_in_pages(start: Start) -> None:
    """The next link leads through everything, each resource once."""
    async with start(page_size=2) as api:
        await api.patient()
        for _ in range(5):
            await api.prescribe()
        seen: list[str] = []
        path: str | None = "/MedicationRequest?patient=p-1"
        while path:
            page = await api.send("GET", path)
            seen += [one["id"] for one in page.entries]
            links = {link["relation"]: link["url"] for link in page.body["link"]}
            path = links["next"].removeprefix(api.base) if "next" in links else None

    assert seen == ["f-1", "f-2", "f-3", "f-4", "f-5"]


async def test_every_missing_header_is_told_at_once(api: Api, a_prescription: Make) -> None:
    """One OperationOutcome names all headers that are missing."""
    headers = api.headers(x_purpose=None, x_provenance=None, prefer=None)

    reply = await api.raw("POST", "/MedicationRequest", b"{}", headers)

    assert reply.status == 400
    assert [issue["expression"] for issue in reply.body["issue"]] == [
        ["http.x-purpose"],
        ["http.prefer"],
        ["http.x-provenance"],
    ]


async def test_without_a_token_nothing_is_told(api: Api) -> None:
    """No token and an unknown token are 401 with a challenge."""
    for token in (None, "Bearer nonsense"):
        reply = await api.send("GET", "/MedicationRequest/f-1", authorization=token)

        assert reply.status == 401
        assert reply.headers["www-authenticate"].startswith("Bearer")
