"""Every AFF rule is broken by one case and kept by another; both come from one table, which is complete."""

from typing import Final

import pytest

from connectors.nll_sandbox.aff import RULES, Rule
from tests.connectors.nll_sandbox.aff_cases import CASES, create
from tests.connectors.nll_sandbox.conftest import Api, Reply, Start

BY_CODE: Final = {rule.code: rule for rule in RULES}


def warned(reply: Reply) -> list[str]:
    """The codes of the DetectedIssue in a stored resource."""
    contained = [one for one in reply.body.get("contained", []) if one["resourceType"] == "DetectedIssue"]
    return [coding["code"] for one in contained for coding in one["code"]["coding"]]


async def list_version(api: Api) -> int:
    """The patient's list version."""
    api.token = "test-prescriber"
    info = (await api.send("GET", "/Basic?patient=p-1&code=medlistinfo")).entries[0]
    version = next(one for one in info["extension"][0]["extension"] if one["url"] == "nllMedicationlistVersion")
    return int(version["valueInteger"])


def test_every_rule_has_its_cases() -> None:
    """The table of cases names every rule of the table of rules, and no other."""
    assert set(CASES) == set(BY_CODE)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
async def test_a_broken_rule_is_told_by_its_code(api: Api, rule: Rule) -> None:
    """A rejecting rule refuses with its code alone; a warning one stores the resource with its DetectedIssue alone."""
    reply = await CASES[rule.code].breaks(api)

    if rule.severity == "reject":
        assert reply.status == (409 if rule.code == "U.011" else 422), reply.body
        assert set(reply.codes) == {rule.code} | CASES[rule.code].along
        assert {issue["severity"] for issue in reply.body["issue"]} == {"error"}
        assert {coding["system"] for issue in reply.body["issue"] for coding in issue["details"]["coding"]} == {
            rule.system
        }
    else:
        assert reply.status in {200, 201}, reply.body
        assert warned(reply) == [rule.code]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
async def test_a_kept_rule_is_silent(api: Api, rule: Rule) -> None:
    """What keeps the rule is stored without a warning."""
    reply = await CASES[rule.code].keeps(api)

    assert reply.status in {200, 201}, reply.body
    assert warned(reply) == []


async def test_a_refused_write_leaves_no_trace(api: Api) -> None:
    """After a 422 the list has the version it had, and no id was used up."""
    refused = await create(contained=[])(api)

    assert refused.status == 422
    assert await list_version(api) == 0
    assert (await api.prescribe())["id"] == "f-1"


async def test_every_broken_rule_is_told_at_once(api: Api) -> None:
    """One OperationOutcome names all rules a resource breaks, each with its place."""
    refused = await create(contained=[], dosageInstruction=[], dispenseRequest={})(api)

    assert refused.codes == ["F.001", "F.004", "G.008"]
    assert [issue["expression"] for issue in refused.body["issue"]] == [
        ["MedicationRequest.requester"],
        ["MedicationRequest.dispenseRequest.extension"],
        ["MedicationRequest.dosageInstruction"],
    ]


async def test_a_warning_goes_when_its_cause_goes(api: Api) -> None:
    """A later version without the fault carries no DetectedIssue, though the client sent the old one back."""
    stored = (await create(extension=[])(api)).body
    purpose = {
        "url": "http://electronichealth.se/fhir/StructureDefinition/NLLPatientTreatmentReason",
        "valueString": "mot värk",
    }

    reply = await api.send("PUT", "/MedicationRequest/f-1", stored | {"extension": [*stored["extension"], purpose]})

    assert reply.status == 200
    assert warned(reply) == []
    assert "detectedIssue" not in reply.body


async def test_warnings_are_told_as_an_outcome_when_preferred(api: Api) -> None:
    """``return=OperationOutcome`` answers the warnings in place of the resource."""
    resource = (await CASES["G.009"].keeps(api)).body | {"extension": []}
    del resource["id"]

    reply = await api.send("POST", "/MedicationRequest", resource, prefer="return=OperationOutcome")

    assert reply.status == 201
    assert reply.codes == ["G.009", "stored"]


async def test_a_rule_may_be_off_or_warn(start: Start) -> None:
    """The severity of a rule is a setting, for endpoints that are milder or stricter."""
    async with start(aff_severities={"F.001": "off", "F.004": "warn"}) as api:
        await api.patient()

        reply = await create(contained=[], dispenseRequest={})(api)

        assert (reply.status, warned(reply)) == (201, ["F.004"])


async def test_no_personal_value_is_quoted(api: Api) -> None:
    """A refusal names place and rule, never what was sent."""
    marker = "MARKER-191212121212"

    refused = await create(contained=[], dosageInstruction=[{"patientInstruction": marker * 40}])(api)

    assert refused.status == 422
    assert marker.encode() not in refused.raw
