"""``$monitoring``, ``$patient-dosage-directions`` and ``$ping``."""

import pytest

from mappings.fhir.exact_json import JsonObject
from tests.connectors.nll_sandbox.aff_cases import dose_drug
from tests.connectors.nll_sandbox.conftest import PERSON, STRUCTURE, Api, Reply, dose_consent


async def monitoring(api: Api, *persons: str, **period: str) -> Reply:
    """Ask for the prescriptions of dose patients."""
    named = [{"name": "personnummer", "valueString": one} for one in persons]
    days = [{"name": name, "valueDate": value} for name, value in period.items()]
    body = {"resourceType": "Parameters", "parameter": named + days}
    return await api.send("POST", "/MedicationRequest/$monitoring", body, x_patientref=None)


async def directions(api: Api, *dosages: JsonObject, purpose: str = "") -> dict[str, str]:
    """The texts by name."""
    parameters = [{"name": "dosageInstruction", "valueDosage": one} for one in dosages]
    reason = [{"name": "treatmentReason", "valueString": purpose}] if purpose else []
    body = {"resourceType": "Parameters", "parameter": parameters + reason}
    reply = await api.send("POST", "/$patient-dosage-directions", body)
    assert reply.status == 200, reply.body
    return {one["name"]: one["valueString"] for one in reply.body["parameter"]}


async def test_monitoring_finds_changed_prescriptions_of_dose_patients_alone(api: Api) -> None:
    """Who is no dose patient is not found."""
    await api.patient("195009072553")
    await api.prescribe("p-2")
    await dose_consent(api)
    await dose_drug(api)

    reply = await monitoring(api, PERSON, "195009072553", fromDate="2026-03-02")

    assert (reply.status, [one["subject"]["reference"] for one in reply.entries]) == (200, ["Patient/p-1"])


async def test_monitoring_finds_what_ends_until_a_day(api: Api) -> None:
    """The last dosing day counts; nothing that goes on longer is found."""
    await dose_consent(api)
    await dose_drug(api)
    await api.raw("POST", "/_sandbox/clock", b'{"now": "2026-08-01T09:00:00+02:00"}', {})

    assert (await monitoring(api, PERSON, toDate="2026-08-31")).entries == []
    assert len((await monitoring(api, PERSON, toDate="2026-09-01")).entries) == 1


@pytest.mark.parametrize(
    ("persons", "period"),
    [
        ((), {"fromDate": "2026-03-01"}),
        ((PERSON,) * 51, {"fromDate": "2026-03-01"}),
        (("123",), {"fromDate": "2026-03-01"}),
        ((PERSON,), {}),
        ((PERSON,), {"fromDate": "2026-03-01", "toDate": "2026-03-03"}),
        ((PERSON,), {"fromDate": "2025-12-31"}),
        ((PERSON,), {"toDate": "2026-06-01"}),
    ],
)
async def test_monitoring_keeps_its_limits(api: Api, persons: tuple[str, ...], period: dict[str, str]) -> None:
    """1 to 50 persons; 60 days back or 90 ahead, not both."""
    reply = await monitoring(api, *persons, **period)

    assert (reply.status, reply.codes) == (400, ["parameter-invalid"])


async def test_directions_have_four_blocks(api: Api) -> None:
    """Purpose, dosage, how to take it, anything else: each a sentence, in that order as one text."""
    dosage = {
        "patientInstruction": "1 tablett morgon och kväll",
        "additionalInstruction": [{"text": "Undvik grapefrukt"}],
        "extension": [{"url": f"{STRUCTURE}NLLAdministeringInstruction", "valueString": "tas med mat"}],
    }

    texts = await directions(api, dosage, purpose="mot högt blodtryck")

    assert texts == {
        "text": "Mot högt blodtryck. 1 tablett morgon och kväll. Tas med mat. Undvik grapefrukt.",
        "behandlingsandamal": "Mot högt blodtryck.",
        "doseringsinstruktion": "1 tablett morgon och kväll.",
        "administreringsinstruktion": "Tas med mat.",
        "annanInstruktion": "Undvik grapefrukt.",
    }


@pytest.mark.parametrize(
    ("dosage", "text"),
    [
        (
            {
                "timing": {"repeat": {"frequency": 2, "period": 1, "periodUnit": "d"}},
                "doseAndRate": [{"doseQuantity": {"value": 1, "unit": "tablett"}}],
            },
            "1 tablett 2 gånger per dag.",
        ),
        (
            {
                "asNeededBoolean": True,
                "timing": {"repeat": {"frequency": 1, "period": 6, "periodUnit": "h"}},
                "doseAndRate": [{"doseRange": {"low": {"value": 1, "unit": "ml"}, "high": {"value": 2, "unit": "ml"}}}],
            },
            "1-2 ml 1 gång var 6:e timme vid behov.",
        ),
        (
            {
                "timing": {
                    "repeat": {
                        "timeOfDay": ["08:00:00", "20:00:00"],
                        "boundsDuration": {"value": 10, "code": "d"},
                    }
                },
                "doseAndRate": [{"doseQuantity": {"value": 1, "unit": "tablett"}}],
            },
            "1 tablett kl. 08:00, 20:00 i 10 dagar.",
        ),
    ],
)
async def test_directions_are_worded_from_the_structure(api: Api, dosage: JsonObject, text: str) -> None:
    """When the prescriber wrote no text."""
    assert (await directions(api, dosage))["doseringsinstruktion"] == text


async def test_directions_keep_exact_decimals(api: Api) -> None:
    """2.50 is written 2,50: no digit is lost or added."""
    body = (
        b'{"resourceType": "Parameters", "parameter": [{"name": "dosageInstruction", "valueDosage":'
        b' {"doseAndRate": [{"doseQuantity": {"value": 2.50, "unit": "mg"}}]}}]}'
    )

    reply = await api.send("POST", "/$patient-dosage-directions", body)

    assert reply.body["parameter"][0]["valueString"] == "2,50 mg."


async def test_ping_answers_without_any_header(api: Api) -> None:
    """Whether the server is there needs no token."""
    for method in ("GET", "POST"):
        reply = await api.raw(method, "/$ping", None, {})

        assert reply.status == 200
        assert reply.body["parameter"] == [{"name": "time", "valueInstant": "2026-03-02T09:00:00+01:00"}]
