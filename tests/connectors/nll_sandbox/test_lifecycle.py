"""Replacing, ending, cancelling and dispensing: what the server does with a prescription by itself."""

from typing import Any

from mappings.fhir.exact_json import JsonObject, write_json
from tests.connectors.nll_sandbox.conftest import STRUCTURE, Api, dispense, prescription

WITH_START = [
    {
        "sequence": 1,
        "patientInstruction": "1 tablett varje morgon",
        "timing": {"repeat": {"boundsPeriod": {"start": "2026-03-02"}}},
    }
]


def parameters(**values: str) -> JsonObject:
    """A Parameters resource of codes and dates."""
    kinds = {"onBehalfOf": "valueCode"}
    named = [{"name": name, kinds.get(name, "valueDate"): value} for name, value in values.items()]
    return {"resourceType": "Parameters", "parameter": named}


async def current(api: Api, name: str = "f-1") -> Any:
    """A prescription as it is now."""
    return (await api.send("GET", f"/MedicationRequest/{name}")).body


async def end(api: Api, **values: str) -> Any:
    """End ``f-1``."""
    body = parameters(**values)
    return await api.send("POST", "/MedicationRequest/f-1/$end", body, activity="AVSLUTA_FORSKRIVNING")


def chain(resource: JsonObject) -> str:
    """The chain of a prescription."""
    found = next(one for one in resource["extension"] if one["url"] == f"{STRUCTURE}NLLPrescriptionChain")
    return str(found["valueIdentifier"]["value"])


async def test_replacing_ends_the_old_and_keeps_the_chain(api: Api) -> None:
    """The new prescription is active in the chain of the old one, which is stopped; both in one list version."""
    old = await api.prescribe()

    new = await api.prescribe(priorPrescription={"reference": "MedicationRequest/f-1"})

    assert chain(new) == chain(old)
    assert (await current(api))["status"] == "stopped"
    assert new["status"] == "active"
    assert (await api.send("GET", "/Basic/medlistinfo-p-1")).body["meta"]["versionId"] == "2"


async def test_ending_at_the_patients_request_changes_the_status_alone(api: Api) -> None:
    """Neither validity nor last dosing day move."""
    before = await api.prescribe(dosageInstruction=WITH_START)

    reply = await end(api, onBehalfOf="patient")

    assert reply.status == 200, reply.body
    assert reply.body["status"] == "stopped"
    unchanged = ("dosageInstruction", "dispenseRequest", "authoredOn", "extension")
    assert {name: reply.body[name] for name in unchanged} == {name: before[name] for name in unchanged}


async def test_ending_for_the_prescriber_shortens_validity_and_sets_the_last_dosing_day(api: Api) -> None:
    """Today when nothing else is said."""
    await api.prescribe(dosageInstruction=WITH_START)

    reply = await end(api, onBehalfOf="prescriber")

    assert reply.status == 200, reply.body
    assert reply.body["status"] == "stopped"
    assert reply.body["dispenseRequest"]["validityPeriod"] == {"end": "2026-03-02"}
    repeat = reply.body["dosageInstruction"][0]["timing"]["repeat"]
    assert repeat["boundsPeriod"] == {"start": "2026-03-02", "end": "2026-03-02"}


async def test_a_last_day_to_come_leaves_the_prescription_active(api: Api) -> None:
    """It is shortened to that day."""
    await api.prescribe(dosageInstruction=WITH_START)

    reply = await end(api, onBehalfOf="prescriber", lastDosingDate="2026-03-20")

    assert reply.body["status"] == "active"
    assert reply.body["dispenseRequest"]["validityPeriod"] == {"end": "2026-03-20"}


async def test_ending_never_lengthens_anything(api: Api) -> None:
    """An earlier last day of validity, or last dosing day, stays."""
    period = {"start": "2026-03-02", "end": "2026-03-10"}
    repeat = {"repeat": {"boundsPeriod": period}}
    request = prescription()["dispenseRequest"] | {"validityPeriod": {"end": "2026-03-12"}}
    await api.prescribe(
        dosageInstruction=[{"patientInstruction": "1 på morgonen", "timing": repeat}], dispenseRequest=request
    )

    reply = await end(api, onBehalfOf="prescriber", lastDosingDate="2026-03-20")

    assert reply.status == 200, reply.body
    assert reply.body["dispenseRequest"]["validityPeriod"] == {"end": "2026-03-12"}
    assert reply.body["dosageInstruction"][0]["timing"] == repeat


async def test_days_that_have_passed_do_not_hinder_a_correction(api: Api) -> None:
    """A last dosing day and a validity that were possible when they were written may lie in the past later."""
    period = {"start": "2026-03-02", "end": "2026-03-10"}
    dosage = [{"patientInstruction": "1 på morgonen", "timing": {"repeat": {"boundsPeriod": period}}}]
    request = prescription()["dispenseRequest"] | {"validityPeriod": {"end": "2026-03-12"}}
    stored = await api.prescribe(dosageInstruction=dosage, dispenseRequest=request)
    await api.raw("POST", "/_sandbox/clock", b'{"now": "2026-04-01T09:00:00+02:00"}', {})

    kept = await api.send("PUT", "/MedicationRequest/f-1", stored | {"priority": "urgent"})
    new_day = [dosage[0] | {"timing": {"repeat": {"boundsPeriod": period | {"end": "2026-03-09"}}}}]
    moved = await api.send("PUT", "/MedicationRequest/f-1", kept.body | {"dosageInstruction": new_day})

    assert kept.status == 200, kept.body
    assert (moved.status, moved.codes) == (422, ["G.027"])


async def test_correcting_a_successor_leaves_its_predecessor_alone(api: Api) -> None:
    """Only a new prescription replaces."""
    successor = prescription(id="f-2", priorPrescription={"reference": "MedicationRequest/f-1"})
    await api.raw("POST", "/_sandbox/seed", write_json([prescription(id="f-1"), successor]), {})
    stored = await current(api, "f-2")

    reply = await api.send("PUT", "/MedicationRequest/f-2", stored | {"priority": "urgent"})

    assert reply.status == 200, reply.body
    assert (await current(api))["status"] == "active"


async def test_a_latest_end_of_treatment_leaves_the_dosage(api: Api) -> None:
    """The day stands in its own extension."""
    before = await api.prescribe(dosageInstruction=WITH_START)

    reply = await end(api, onBehalfOf="prescriber", latestTreatmentEnd="2026-03-02")

    assert reply.body["dosageInstruction"] == before["dosageInstruction"]
    assert {"url": f"{STRUCTURE}NLLLatestTreatmentEnd", "valueDate": "2026-03-02"} in reply.body["extension"]


async def test_ending_needs_to_say_for_whom(api: Api) -> None:
    """Without onBehalfOf, or with two last days, nothing happens."""
    await api.prescribe()

    assert (await end(api)).codes == ["parameter-invalid"]
    both = await end(api, onBehalfOf="prescriber", lastDosingDate="2026-03-02", latestTreatmentEnd="2026-03-02")
    assert both.status == 400
    assert (await current(api))["status"] == "active"


async def test_ending_an_ended_prescription_again_keeps_it_ended(api: Api) -> None:
    """The second end is a version without clinical change, and the audit log says so."""
    await api.prescribe()

    await end(api, onBehalfOf="patient")
    again = await end(api, onBehalfOf="patient")

    assert (again.status, again.body["status"]) == (200, "stopped")
    audit = await api.raw("GET", "/_sandbox/audit?interaction=$end", None, {})
    assert [entry.get("unchanged", 0) for entry in audit.body["entries"]] == [0, 1]


async def test_cancelling_a_fresh_prescription_cancels_it(api: Api) -> None:
    """Never dispensed, never corrected: cancelled."""
    stored = await api.prescribe()
    body = stored | {"status": "cancelled"}

    reply = await api.send("PUT", "/MedicationRequest/f-1", body, activity="MAKULERA_FORSKRIVNING")

    assert reply.body["status"] == "cancelled"


async def test_cancelling_what_was_corrected_or_dispensed_ends_it(api: Api) -> None:
    """Cancelling after a correction yields stopped; after a dispense too."""
    stored = await api.prescribe()
    await api.prescribe()
    corrected = (await api.send("PUT", "/MedicationRequest/f-1", stored | {"priority": "urgent"})).body
    api.token = "test-pharmacist"
    on_second = dispense(authorizingPrescription=[{"reference": "MedicationRequest/f-2"}])
    await api.send("POST", "/MedicationDispense", on_second, activity="REGISTRERA_UTTAG", x_purpose="EXPEDIERING")
    api.token = "test-prescriber"
    dispensed = await current(api, "f-2")

    for resource in (corrected, dispensed):
        path = f"/MedicationRequest/{resource['id']}"
        body = resource | {"status": "cancelled"}
        reply = await api.send("PUT", path, body, activity="MAKULERA_FORSKRIVNING")
        assert reply.body["status"] == "stopped", reply.body


async def test_the_last_dispense_completes_and_taking_it_back_reopens(api: Api) -> None:
    """Nothing left to dispense: completed (slutexpedierad), which is no end of treatment."""
    await api.prescribe(dispenseRequest=prescription()["dispenseRequest"] | {"numberOfRepeatsAllowed": 0})
    api.token = "test-pharmacist"
    more = {"x_purpose": "EXPEDIERING"}

    made = await api.send("POST", "/MedicationDispense", dispense(), activity="REGISTRERA_UTTAG", **more)
    assert made.status == 201, made.body
    assert (await current(api))["status"] == "completed"
    assert made.body["identifier"][0]["value"] == "u-1"

    taken_back = made.body | {"status": "cancelled"}
    await api.send("PUT", "/MedicationDispense/u-1", taken_back, activity="BACKA_UTTAG", **more)
    assert (await current(api))["status"] == "active"


async def test_a_dispense_of_a_paper_prescription_needs_no_prescription(api: Api) -> None:
    """Without authorizingPrescription it is a dispense on paper."""
    api.token = "test-pharmacist"
    paper = dispense()
    del paper["authorizingPrescription"]

    reply = await api.send("POST", "/MedicationDispense", paper, activity="REGISTRERA_UTTAG", x_purpose="EXPEDIERING")

    assert reply.status == 201
