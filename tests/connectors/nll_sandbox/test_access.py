"""Who sees what: roles, purposes, own registrations, consents, locks."""

import pytest

from mappings.fhir.exact_json import JsonObject
from tests.connectors.nll_sandbox.conftest import NOW, STRUCTURE, Api, Start, dose_consent, prescription

OTHER = "test-other-region"
REASON = [{"coding": [{"system": "http://snomed.info/sct", "code": "38341003"}]}]


async def seen(api: Api, token: str, access: str = "EGEN", purpose: str = "VARD") -> list[JsonObject]:
    """The prescriptions a caller finds."""
    api.token = token
    reply = await api.send("GET", "/MedicationRequest?patient=p-1", x_access=access, x_purpose=purpose)
    assert reply.status == 200, reply.body
    return reply.entries


async def lock(api: Api, kind: str = "privacy", scope: str = "prescription") -> JsonObject:
    """A lock on the chain of ``f-1``."""
    values: dict[str, JsonObject] = {
        "Target": {"valueReference": {"reference": "MedicationRequest/f-1"}},
        "Kind": {"valueCode": kind},
        "Scope": {"valueCode": scope},
        "Status": {"valueCode": "active"},
    }
    resource = {
        "resourceType": "Basic",
        "code": {"coding": [{"code": "datalock"}]},
        "subject": {"reference": "Patient/p-1"},
        "extension": [{"url": f"{STRUCTURE}NLLDataLock{name}", **value} for name, value in values.items()],
    }
    reply = await api.send("POST", "/Basic", resource, activity="REGISTRERA_SPARR")
    assert reply.status == 201, reply.body
    assert isinstance(reply.body, dict)
    return reply.body


async def consent(api: Api, *caregivers: str) -> None:
    """The patient consents to access, for these caregivers or for all."""
    resource = {
        "resourceType": "Consent",
        "status": "active",
        "category": [{"coding": [{"code": "accessconsent"}]}],
        "patient": {"reference": "Patient/p-1"},
        "organization": [{"identifier": {"value": one}} for one in caregivers],
    }
    reply = await api.send("POST", "/Consent", resource, activity="REGISTRERA_ATKOMSTSAMTYCKE")
    assert reply.status == 201, reply.body


async def test_a_caregiver_sees_its_own_and_a_pharmacy_and_the_patient_see_all(api: Api) -> None:
    """Another region sees nothing without a ground."""
    await api.prescribe()

    assert len(await seen(api, "test-system")) == 1
    assert len(await seen(api, "test-pharmacist", purpose="EXPEDIERING")) == 1
    assert len(await seen(api, "test-patient", purpose="PATIENT")) == 1
    assert await seen(api, OTHER) == []


async def test_a_prescription_stays_the_caregivers_that_registered_it(api: Api) -> None:
    """Another region that corrects it does not take it over."""
    stored = await api.prescribe()
    api.token = OTHER
    corrected = await api.send("PUT", "/MedicationRequest/f-1", stored, x_access="FORMODAT_SAMTYCKE")
    assert corrected.status == 200

    assert len(await seen(api, "test-prescriber")) == 1
    assert await seen(api, OTHER) == []


async def test_a_hidden_resource_is_told_to_be_hidden(start: Start) -> None:
    """Read, history and update of a hidden resource are refused with the status of the setting."""
    async with start(hidden_status=404) as api:
        await api.patient()
        stored = await api.prescribe()
        api.token = OTHER

        for reply in (
            await api.send("GET", "/MedicationRequest/f-1"),
            await api.send("GET", "/MedicationRequest/f-1/_history/1"),
            await api.send("GET", "/MedicationRequest/f-1/_history"),
            await api.send("PUT", "/MedicationRequest/f-1", stored),
        ):
            assert (reply.status, reply.codes) == (404, ["hidden"])


async def test_a_consent_opens_the_list_to_those_it_names(api: Api) -> None:
    """Only with access type SAMTYCKE, and only for the caregivers named."""
    await api.prescribe()
    await consent(api, "2321000024")
    assert await seen(api, OTHER, "SAMTYCKE") == []

    api.token = "test-prescriber"
    await consent(api, "2321000016")

    assert len(await seen(api, OTHER, "SAMTYCKE")) == 1
    assert await seen(api, OTHER, "EGEN") == []


async def test_a_dose_consent_opens_the_list(api: Api) -> None:
    """For access type DOSSAMTYCKE."""
    await api.prescribe()
    assert await seen(api, OTHER, "DOSSAMTYCKE") == []

    api.token = "test-prescriber"
    await dose_consent(api)

    assert len(await seen(api, OTHER, "DOSSAMTYCKE")) == 1


@pytest.mark.parametrize("access", ["NODATKOMST", "FORMODAT_SAMTYCKE"])
async def test_a_stated_ground_opens_the_list_and_is_logged(api: Api, access: str) -> None:
    """The audit log tells on what ground the list was read."""
    await api.prescribe()

    assert len(await seen(api, OTHER, access)) == 1

    audit = await api.raw("GET", "/_sandbox/audit?interaction=search&limit=1", None, {})
    assert audit.body["entries"][0]["access"] == access
    assert audit.body["entries"][0]["caregiver"] == "2321000016"


async def test_only_a_childs_list_is_open_as_a_childs(api: Api) -> None:
    """Access type BARN opens the list of somebody under 18."""
    child = await api.patient("201009079805")
    await api.prescribe(child)
    await api.prescribe()
    api.token = OTHER

    young = await api.send("GET", f"/MedicationRequest?patient={child}", x_access="BARN", x_patientref=child)

    assert len(young.entries) == 1
    assert await seen(api, OTHER, "BARN") == []


async def test_a_lock_hides_the_whole_chain_from_others(api: Api) -> None:
    """Members of the chain, before and after; their dispenses; and their events. Other chains stay visible."""
    await api.prescribe()
    await lock(api)
    await api.prescribe(priorPrescription={"reference": "MedicationRequest/f-1"})
    await api.prescribe()

    assert [one["id"] for one in await seen(api, OTHER, "FORMODAT_SAMTYCKE")] == ["f-3"]
    assert [one["id"] for one in await seen(api, "test-pharmacist", purpose="EXPEDIERING")] == ["f-3"]
    assert len(await seen(api, "test-prescriber")) == 3
    assert len(await seen(api, OTHER, "NODATKOMST")) == 3


async def test_a_lock_is_told_to_exist_but_not_shown(api: Api) -> None:
    """MedicationListInfo carries the flag for everyone; the lock itself is shown to its maker alone."""
    await api.prescribe()
    await lock(api)
    api.token = OTHER

    info = (await api.send("GET", "/Basic?patient=p-1")).entries

    assert [one["id"] for one in info] == ["medlistinfo-p-1"]
    flags = {one["url"]: one.get("valueBoolean") for one in info[0]["extension"][0]["extension"]}
    assert flags["nllPrivacyLock"] is True


async def test_a_lifted_lock_hides_nothing(api: Api) -> None:
    """A lock whose status is not active is no lock."""
    await api.prescribe()
    stored = await lock(api)
    url = f"{STRUCTURE}NLLDataLockStatus"
    lifted = [one for one in stored["extension"] if one["url"] != url] + [{"url": url, "valueCode": "ended"}]
    changed = stored | {"extension": lifted}

    reply = await api.send("PUT", f"/Basic/{stored['id']}", changed, activity="HAV_SPARR")

    assert reply.status == 200
    assert len(await seen(api, OTHER, "FORMODAT_SAMTYCKE")) == 1


async def test_a_lock_on_the_reason_masks_the_reason_alone(api: Api) -> None:
    """The prescription is there, its reason is said to be masked."""
    await api.prescribe(reasonCode=REASON)
    await lock(api, scope="reason")

    (found,) = await seen(api, OTHER, "FORMODAT_SAMTYCKE")

    (reason,) = found["reasonCode"]
    assert reason == {
        "extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "masked"}]
    }


async def test_only_a_secrecy_lock_against_the_patient_hides_from_the_patient(api: Api) -> None:
    """The patient's own will does not hide anything from the patient."""
    await api.prescribe()
    await lock(api, kind="privacy")
    assert len(await seen(api, "test-patient", purpose="PATIENT")) == 1

    api.token = "test-prescriber"
    await lock(api, kind="secrecy-patient")

    assert await seen(api, "test-patient", purpose="PATIENT") == []


async def test_a_role_does_what_it_may_for_its_purposes(api: Api) -> None:
    """A pharmacist does not prescribe, a prescriber does not dispense as a purpose, a patient does not write."""
    api.token = "test-pharmacist"
    prescribing = await api.send("POST", "/MedicationRequest", prescription(), x_purpose="EXPEDIERING")
    api.token = "test-prescriber"
    purpose = await api.send("GET", "/MedicationRequest?patient=p-1", x_purpose="EXPEDIERING")

    assert (prescribing.status, prescribing.codes) == (403, ["role-forbids"])
    assert (purpose.status, purpose.codes) == (403, ["purpose-forbids"])


async def test_one_request_is_about_one_patient(api: Api) -> None:
    """What x-patientref does not name is neither read nor found nor written."""
    other = await api.patient("195009072553")
    mine = {"system": "urn:example:order", "value": "o-1"}
    await api.prescribe(other, identifier=[mine])

    read = await api.send("GET", "/MedicationRequest/f-1", x_patientref="p-1")
    listed = await api.send("GET", f"/MedicationRequest?patient={other}", x_patientref="p-1")
    found = await api.send("GET", "/MedicationRequest?identifier=urn:example:order|o-1", x_patientref="p-1")
    written = await api.send("POST", "/MedicationRequest", prescription(other), x_patientref="p-1")

    assert [read.status, listed.status, written.status] == [400, 400, 400]
    assert {*read.codes, *listed.codes, *written.codes} == {"patient-differs"}
    assert found.entries == []


async def test_controlled_drugs_are_told_to_exist(api: Api) -> None:
    """The flag is for prescriptions of the last 24 months, whoever asks."""
    tramadol = {
        "coding": [{"system": "http://electronichealth.se/fhir/NamingSystem/nplpackid", "code": "20990107100013"}]
    }
    await api.prescribe(medicationCodeableConcept=tramadol)
    api.token = OTHER

    async def flag() -> object:
        info = (await api.send("GET", "/Basic/medlistinfo-p-1")).body
        parts = {one["url"]: one for one in info["extension"][0]["extension"]}
        return parts["nllControlledDrugs"]["valueBoolean"]

    assert await flag() is True
    later = NOW.replace(year=NOW.year + 2, month=4)
    await api.raw("POST", "/_sandbox/clock", f'{{"now": "{later.isoformat()}"}}'.encode(), {})
    assert await flag() is False
