"""What the server says of itself: its CapabilityStatement, its value sets, and who may ask for a token how."""

import base64
from typing import Any

import pytest

from connectors.nll_sandbox.aff import RULES
from connectors.nll_sandbox.kinds import KINDS
from connectors.nll_sandbox.vocabulary import AFF_CODES
from mappings.fhir.exact_json import JsonObject
from tests.connectors.nll_sandbox.conftest import Api, Reply
from tests.fhir_validator.validator import FhirValidator

_R4 = "http://hl7.org/fhir/StructureDefinition/"


async def metadata(api: Api) -> JsonObject:
    """The server's part of the CapabilityStatement, asked for without any header."""
    reply = await api.raw("GET", "/metadata", None, {})
    assert reply.status == 200
    found: JsonObject = reply.body["rest"][0]
    return found


async def token(api: Api, form: str, **headers: str) -> Reply:
    """An answer of the token endpoint."""
    kind = {"content-type": "application/x-www-form-urlencoded"}
    return await api.raw("POST", "/oauth2/token", form.encode(), kind | headers)


async def test_metadata_names_every_kind_with_what_it_can(api: Api) -> None:
    """What only the server writes cannot be created; nothing can be deleted, and nothing created by an update."""
    told = {one["type"]: one for one in (await metadata(api))["resource"]}
    can: dict[str, set[str]] = {name: {one["code"] for one in kind["interaction"]} for name, kind in told.items()}

    assert told.keys() == KINDS.keys() | {"ValueSet", "ConceptMap"}
    assert {name for name in KINDS if "create" in can[name]} == {name for name, kind in KINDS.items() if kind.writable}
    assert not any("delete" in codes for codes in can.values())
    assert not any(told[name]["updateCreate"] for name in KINDS)


@pytest.mark.parametrize("kind", KINDS)
async def test_every_search_parameter_that_is_named_can_be_used(api: Api, kind: str) -> None:
    """And one that is not named cannot."""
    named = next(one for one in (await metadata(api))["resource"] if one["type"] == kind)["searchParam"]

    for parameter in [one["name"] for one in named]:
        reply = await api.send("GET", f"/{kind}?{parameter}=x")
        assert "parameter-unknown" not in (reply.codes if reply.status == 400 else [])
    assert (await api.send("GET", f"/{kind}?colour=x")).codes == ["parameter-unknown"]


async def test_every_operation_that_is_named_is_there(api: Api) -> None:
    """None of them is answered as an address that the server does not know."""
    rest = await metadata(api)
    of_kinds = [f"/{one['type']}/${op['name']}" for one in rest["resource"] for op in one.get("operation", ())]
    named = [f"/${op['name']}" for op in rest["operation"]] + of_kinds

    for path in (one.replace("/$end", "/f-1/$end") for one in named):
        reply = await api.send("POST", path, {"resourceType": "Parameters"})
        assert reply.status != 405, path
        assert reply.status != 404 or reply.codes != ["http"], path


async def test_value_sets_are_served_at_their_address(api: Api) -> None:
    """All of them, one by its url, one by its id; the AFF codes are those of the rules."""
    every = (await api.send("GET", "/ValueSet")).entries
    url = "http://ehalsomyndigheten.se/fhir/ValueSet/aff-codes"

    (found,) = (await api.send("GET", f"/ValueSet?url={url}")).entries
    read = await api.send("GET", "/ValueSet/aff-codes")

    codes = {one["code"] for one in found["compose"]["include"][0]["concept"]}
    assert codes == {rule.code for rule in RULES if rule.system == AFF_CODES}
    assert found == read.body
    assert found in every
    assert (await api.send("GET", "/ValueSet?url=urn:nobody")).entries == []
    assert (await api.send("GET", "/ValueSet/nobody")).status == 404
    assert (await api.send("GET", "/ValueSet?name=x")).status == 400
    assert (await api.send("POST", "/ValueSet", {"resourceType": "ValueSet"})).status in {404, 405}


async def test_code_sets_are_related_by_concept_maps(api: Api) -> None:
    """NLL's five statuses, and the predecessor's rules."""
    status = (await api.send("GET", "/ConceptMap/nll-status")).body["group"][0]["element"]
    rules = (await api.send("GET", "/ConceptMap/vok-codes")).body["group"][0]["element"]

    assert {one["code"]: one["target"][0]["code"] for one in status} == {
        "aktiv": "active",
        "slutexpedierad": "completed",
        "avslutad": "stopped",
        "makulerad": "cancelled",
        "parkerad": "on-hold",
    }
    assert ("VOK U.004", "U.011") in {(one["code"], one["target"][0]["code"]) for one in rules}


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_what_the_server_says_of_itself_is_valid(api: Api, fhir_validator: FhirValidator) -> None:
    """Base R4, by the independent validator."""
    told: list[Any] = [(await api.raw("GET", "/metadata", None, {})).body]
    for kind in ("ValueSet", "ConceptMap"):
        told += (await api.send("GET", f"/{kind}")).entries

    for resource in told:
        assert fhir_validator.errors(resource, f"{_R4}{resource['resourceType']}") == []


@pytest.mark.parametrize(("secret", "status"), [("medlist-test-secret", 200), ("another", 401)], ids=["right", "wrong"])
async def test_a_client_may_name_itself_in_the_header(api: Api, secret: str, status: int) -> None:
    """HTTP Basic, which every token endpoint must take (RFC 6749, section 2.3.1)."""
    named = base64.b64encode(f"medlist:{secret}".encode()).decode()

    reply = await token(api, "grant_type=client_credentials", authorization=f"Basic {named}")

    assert reply.status == status


async def test_a_header_that_holds_no_client_is_none(api: Api) -> None:
    """It is refused, never a bug."""
    for odd in ("Basic ä", "Basic /w==", "Basic", "Bearer x"):
        assert (await token(api, "grant_type=client_credentials", authorization=odd)).status == 401
    form = "grant_type=client_credentials&client_id=medlist&client_secret=%C3%A4"
    assert (await token(api, form)).status == 401


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("application/fhir+json", 200),
        ("application/fhir+json; fhirVersion=4.0", 200),
        ("application/xml, application/json;q=0.5", 200),
        ("*/*", 200),
        ("application/fhir+xml", 406),
    ],
)
async def test_only_json_is_spoken(api: Api, accept: str, status: int) -> None:
    """Whoever accepts none of its forms is told so."""
    await api.prescribe()

    reply = await api.send("GET", "/MedicationRequest/f-1", accept=accept)

    assert reply.status == status
    assert status == 200 or reply.codes == ["header-invalid"]
