"""For every AFF rule a request that breaks it, and one like it that keeps it."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import msgspec

from mappings.fhir.exact_json import JsonObject
from tests.connectors.nll_sandbox.conftest import STRUCTURE, Api, Reply, dispense, dose_consent, prescription

Attempt = Callable[[Api], Awaitable[Reply]]
Given = Callable[[Api], Awaitable[object]]

NAMING: Final = "http://electronichealth.se/fhir/NamingSystem/"
ENALAPRIL: Final = {"nplpackid": "20990101100019", "nplid": "20990101000012"}
METOPROLOL: Final = {"nplpackid": "20990102100018", "nplid": "20990102000011"}
TRAMADOL: Final = {"nplpackid": "20990107100013", "nplid": "20990107000016"}
START_PACK: Final = {"nplpackid": "20990114100014", "nplid": "20990114000017"}
CONTROLLED_START_PACK: Final = {"nplpackid": "20990115100013", "nplid": "20990115000016"}
PHARMACY: Final = {"identifier": {"system": "urn:oid:1.3.88", "value": "7350000000009"}}
OTHER_PHARMACY: Final = {"identifier": {"system": "urn:oid:1.3.88", "value": "7350000000016"}}
RECEIVING: Final = {"url": f"{STRUCTURE}NLLReceivingPharmacy", "valueReference": PHARMACY}
PURPOSE: Final = {"url": f"{STRUCTURE}NLLPatientTreatmentReason", "valueString": "mot högt blodtryck"}
WORKPLACE: Final = {"url": f"{STRUCTURE}NLLWorkplacecode", "valueCode": "0700000001234"}
BASIS: Final = {"url": f"{STRUCTURE}NLLRegistrationBasis", "valueCoding": {"code": "TELEPHONE"}}


class Case(msgspec.Struct, frozen=True):
    """A request that breaks the rule, and one that keeps it; ``along`` are rules that cannot but break with it."""

    breaks: Attempt
    keeps: Attempt
    along: frozenset[str] = frozenset()


def create(**changes: Any) -> Attempt:
    """A new prescription that differs in these elements from one that breaks no rule."""

    async def attempt(api: Api) -> Reply:
        return await api.send("POST", "/MedicationRequest", prescription(**changes))

    return attempt


def update(activity: str = "UPPDATERA_FORSKRIVNING", /, **changes: Any) -> Attempt:
    """A change of these elements of the stored prescription ``f-1``."""

    async def attempt(api: Api) -> Reply:
        stored = (await api.send("GET", "/MedicationRequest/f-1")).body
        return await api.send("PUT", "/MedicationRequest/f-1", stored | changes, activity=activity)

    return attempt


def dispensing(**changes: Any) -> Attempt:
    """A dispense on ``f-1`` by a pharmacist."""

    async def attempt(api: Api) -> Reply:
        api.token = "test-pharmacist"
        more = {"activity": "REGISTRERA_UTTAG", "x_purpose": "EXPEDIERING"}
        return await api.send("POST", "/MedicationDispense", dispense(**changes), **more)

    return attempt


def after(*steps: Given, then: Attempt) -> Attempt:
    """An attempt after what must be there before; each step must succeed."""

    async def attempt(api: Api) -> Reply:
        for step in steps:
            outcome = await step(api)
            assert not isinstance(outcome, Reply) or outcome.status < 300, outcome.body
        return await then(api)

    return attempt


def request(*more: JsonObject, **changes: Any) -> JsonObject:
    """A ``dispenseRequest`` that breaks no rule, with further extensions and other elements."""
    return {"extension": [WORKPLACE, *more], "numberOfRepeatsAllowed": 0, **changes}


def dosage(**repeat: Any) -> list[JsonObject]:
    """One dosage with a timing."""
    return [{"sequence": 1, "patientInstruction": "1 tablett varje morgon", "timing": {"repeat": repeat}}]


def period(**bounds: str) -> list[JsonObject]:
    """One dosage with a period."""
    return dosage(boundsPeriod=bounds)


def drug(**codes: str) -> JsonObject:
    """A drug by these codes."""
    return {"coding": [{"system": f"{NAMING}{name}", "code": code} for name, code in codes.items()]}


def packed(value: bool) -> JsonObject:  # noqa: FBT001 - the value of the extension
    """Whether the prescription is dose-dispensed."""
    return {"url": f"{STRUCTURE}NLLDosePackaging", "valueBoolean": value}


def packages(count: int) -> JsonObject:
    """How many packages are prescribed."""
    return {"url": f"{STRUCTURE}NLLNumberOfPackagesPrescribed", "valuePositiveInt": count}


def requester(code: str | None, profession: str = "LK") -> list[JsonObject]:
    """A contained prescriber."""
    system = "http://electronichealth.se/identifier/forskrivarkod"
    named = {"identifier": [{"system": system, "value": code}]} if code else {}
    qualification = [{"code": {"coding": [{"system": "urn:oid:1.2.752.116.3.1.3", "code": profession}]}}]
    return [{"resourceType": "Practitioner", "id": "doc", "qualification": qualification, **named}]


def person(system: str, value: str) -> JsonObject:
    """A contained patient with one identifier."""
    return {"resourceType": "Patient", "id": "pat", "identifier": [{"system": system, "value": value}]}


def somebody_else(system: str = "samordningsnummer", value: str = "196109732393", *extensions: JsonObject) -> Attempt:
    """A prescription for a contained patient."""
    contained = [*requester("9000027"), person(f"http://electronichealth.se/identifier/{system}", value)]
    return create(contained=contained, subject={"reference": "#pat"}, extension=[PURPOSE, *extensions])


async def another_patient(api: Api) -> None:
    """A second person, ``p-2``, with a prescription ``f-1``."""
    await api.patient("195009072553")
    await api.prescribe("p-2")


async def cancelled(api: Api) -> Reply:
    """The prescription ``f-1`` is cancelled."""
    return await update("MAKULERA_FORSKRIVNING", status="cancelled")(api)


def for_patient(name: str) -> Attempt:
    """A new prescription for a Patient, known or not."""

    async def attempt(api: Api) -> Reply:
        return await api.send("POST", "/MedicationRequest", prescription(name), x_patientref=None)

    return attempt


def by_list(version: str) -> Attempt:
    """A new prescription that names the list version it builds on."""

    async def attempt(api: Api) -> Reply:
        return await api.send("POST", "/MedicationRequest", prescription(), x_medicationlist_version=version)

    return attempt


def consent_ends() -> Attempt:
    """The dose consent is withdrawn."""

    async def attempt(api: Api) -> Reply:
        stored = (await api.send("GET", "/Consent?patient=p-1")).entries[0]
        ended = stored | {"status": "inactive"}
        return await api.send("PUT", f"/Consent/{stored['id']}", ended, activity="AVREGISTRERA_DOSSAMTYCKE")

    return attempt


def basis(status: str, token: str) -> Attempt:
    """The dose basis is given a status."""

    async def attempt(api: Api) -> Reply:
        stored = (await api.send("GET", "/Basic?patient=p-1&code=multidosedispensingbasis")).entries[0]
        url = f"{STRUCTURE}NLLMultiDoseDispensingBasisStatus"
        kept = [one for one in stored["extension"] if one["url"] != url]
        changed = stored | {"extension": [*kept, {"url": url, "valueCode": status}]}
        api.token = token
        return await api.send("PUT", f"/Basic/{stored['id']}", changed, activity="GODKANN_DOSUNDERLAG")

    return attempt


dose = dose_consent
dose_drug = create(
    dispenseRequest=request(packed(value=True)), dosageInstruction=period(start="2026-03-02", end="2026-09-01")
)
telephoned = {"extension": [PURPOSE, BASIS], "medicationCodeableConcept": drug(**TRAMADOL)}
dispensed_once = dispensing()
hundred = {"value": 100, "code": "{dos}"}

CASES: Final[Mapping[str, Case]] = {
    "U.011": Case(after(create(), then=by_list("0")), after(create(), then=by_list("1"))),
    "P.001": Case(for_patient("p-77"), for_patient("p-1")),
    "F.001": Case(create(contained=requester("123")), create(contained=requester("9000027"))),
    "F.002": Case(create(contained=requester("9000027", "TL")), create(contained=requester("9000043", "TL"))),
    "F.004": Case(create(dispenseRequest={}), create(dispenseRequest={"extension": [WORKPLACE]})),
    "G.004": Case(
        create(medicationCodeableConcept=drug(nplpackid="20990101999999")),
        create(medicationCodeableConcept=drug(nplpackid="20990101100019")),
    ),
    "VOK.G.007": Case(
        create(medicationCodeableConcept=drug(**ENALAPRIL | {"nplid": "20990101999999"})),
        create(medicationCodeableConcept=drug(**ENALAPRIL)),
    ),
    "VOK.G.008": Case(
        create(medicationCodeableConcept=drug(**ENALAPRIL, varunr="999999")),
        create(medicationCodeableConcept=drug(**ENALAPRIL, varunr="900011")),
    ),
    "VOK.G.009": Case(
        create(medicationCodeableConcept=drug(**ENALAPRIL | {"nplid": "20990102000011"})),
        create(medicationCodeableConcept=drug(**ENALAPRIL)),
    ),
    "VOK.G.010": Case(
        create(medicationCodeableConcept=drug(nplpackid="20990101100019", varunr="900044")),
        create(medicationCodeableConcept=drug(nplpackid="20990101100019", varunr="900011")),
    ),
    "VOK.G.011": Case(
        create(medicationCodeableConcept=drug(nplid="20990101000012", varunr="900044")),
        create(medicationCodeableConcept=drug(**ENALAPRIL, varunr="900011")),
        along=frozenset({"G.006"}),
    ),
    "G.006": Case(
        create(medicationCodeableConcept=drug(nplid="20990101000012")),
        create(medicationCodeableConcept=drug(varunr="900200")),
    ),
    "G.007": Case(
        after(
            create(),
            then=create(
                medicationCodeableConcept=drug(**METOPROLOL), priorPrescription={"reference": "MedicationRequest/f-1"}
            ),
        ),
        after(
            create(),
            then=create(
                medicationCodeableConcept=drug(nplpackid="20990101100026"),
                priorPrescription={"reference": "MedicationRequest/f-1"},
            ),
        ),
    ),
    "G.008": Case(create(dosageInstruction=[{"sequence": 1}]), create(dosageInstruction=[{"text": "1 på morgonen"}])),
    "G.009": Case(create(extension=[]), create(extension=[PURPOSE])),
    "G.024": Case(
        after(dose, then=create(extension=[PURPOSE, RECEIVING], dispenseRequest=request(packed(value=True)))),
        create(extension=[PURPOSE, RECEIVING]),
    ),
    "G.025": Case(
        create(dosageInstruction=dosage(timeOfDay=["08:00:00"])),
        create(dosageInstruction=dosage(timeOfDay=["08:00:00"], boundsPeriod={"start": "2026-03-02"})),
    ),
    "G.026": Case(
        create(dosageInstruction=period(start="2026-03-01")), create(dosageInstruction=period(start="2026-03-02"))
    ),
    "G.027": Case(
        create(authoredOn="2026-02-01T09:00:00+01:00", dosageInstruction=period(end="2026-03-01")),
        create(authoredOn="2026-02-01T09:00:00+01:00", dosageInstruction=period(end="2026-03-02")),
    ),
    "G.028": Case(after(dose, then=create()), after(dose, then=dose_drug)),
    "G.029": Case(
        after(create(), then=update("AVSLUTA_FORSKRIVNING", status="cancelled")),
        after(create(), then=update("MAKULERA_FORSKRIVNING", status="cancelled")),
    ),
    "G.031": Case(after(create(), cancelled, then=dispensed_once), after(create(), then=dispensed_once)),
    "G.033": Case(
        create(dispenseRequest=request(validityPeriod={"end": "2027-03-03"})),
        create(dispenseRequest=request(validityPeriod={"end": "2027-03-02"})),
    ),
    "D.001": Case(
        after(create(substitution={"allowedBoolean": False}), then=dispensing(substitution={"wasSubstituted": True})),
        after(create(substitution={"allowedBoolean": True}), then=dispensing(substitution={"wasSubstituted": True})),
    ),
    "D.002": Case(
        after(dose, dose_drug, then=dispensing(location=OTHER_PHARMACY)),
        after(dose, dose_drug, then=dispensing(location=PHARMACY)),
    ),
    "D.003": Case(
        create(
            dispenseRequest=request(packed(value=True)),
            dosageInstruction=period(start="2026-03-02"),
        ),
        dose_drug,
    ),
    "H.003": Case(
        create(**telephoned, dispenseRequest=request(numberOfRepeatsAllowed=1)),
        create(**telephoned, dispenseRequest=request()),
    ),
    "H.004": Case(
        create(**telephoned, dispenseRequest=request(packages(2))),
        create(**telephoned, dispenseRequest=request(packages(1))),
    ),
    "H.005": Case(
        create(extension=[PURPOSE, BASIS], dispenseRequest=request(validityPeriod={"end": "2026-03-17"})),
        create(extension=[PURPOSE, BASIS], dispenseRequest=request(validityPeriod={"end": "2026-03-16"})),
    ),
    "H.006": Case(
        create(
            medicationCodeableConcept=drug(**START_PACK),
            dispenseRequest=request(numberOfRepeatsAllowed=1),
        ),
        create(medicationCodeableConcept=drug(**START_PACK), dispenseRequest=request()),
    ),
    "H.007": Case(
        create(medicationCodeableConcept=drug(**CONTROLLED_START_PACK), dispenseRequest=request(packages(2))),
        create(medicationCodeableConcept=drug(**CONTROLLED_START_PACK), dispenseRequest=request(packages(1))),
    ),
    "H.010": Case(
        after(dose, then=create(dispenseRequest=request(packed(value=False)))),
        after(
            dose,
            then=create(
                dispenseRequest=request(packed(value=False)),
                dosageInstruction=[
                    {"text": "vid behov", "maxDosePerPeriod": {"numerator": {"value": 3}, "denominator": {"value": 1}}}
                ],
            ),
        ),
    ),
    "H.020": Case(
        after(create(dispenseRequest=request(quantity=hundred)), then=dispensing(quantity=hundred | {"value": 113})),
        after(create(dispenseRequest=request(quantity=hundred)), then=dispensing(quantity=hundred | {"value": 112})),
    ),
    "VOK.U.003": Case(
        after(another_patient, then=create(priorPrescription={"reference": "MedicationRequest/f-1"})),
        after(create(), then=create(priorPrescription={"reference": "MedicationRequest/f-1"})),
    ),
    "VOK.G.002": Case(
        create(authoredOn="2026-03-02T09:00:01+01:00"),
        create(authoredOn="2026-03-02T09:00:00+01:00"),
    ),
    "VOK.G.004": Case(
        create(dosageInstruction=period(start="2026-03-05", end="2026-03-04")),
        create(dosageInstruction=period(start="2026-03-05", end="2026-03-05")),
    ),
    "VOK.G.005": Case(
        create(extension=[PURPOSE, {"url": f"{STRUCTURE}NLLEvaluationTime", "valueDate": "2026-03-01"}]),
        create(extension=[PURPOSE, {"url": f"{STRUCTURE}NLLEvaluationTime", "valueDate": "2026-03-02"}]),
    ),
    "element-missing": Case(create(intent=None), create(intent="order")),
    "contained-personnummer": Case(
        somebody_else("personnummer", "191212121212", RECEIVING),
        somebody_else("samordningsnummer", "196109732393", RECEIVING),
    ),
    "contained-pharmacy": Case(somebody_else(), somebody_else("samordningsnummer", "196109732393", RECEIVING)),
    "text-too-long": Case(
        create(dosageInstruction=[{"patientInstruction": "x" * 513}]),
        create(dosageInstruction=[{"patientInstruction": "x" * 512}]),
    ),
    "unchangeable": Case(
        after(create(), then=update(authoredOn="2026-03-02T08:00:00+01:00")),
        after(create(), then=update(priority="urgent")),
    ),
    "status-step": Case(
        after(create(), then=update(status="on-hold")),
        after(create(), then=update("AVSLUTA_FORSKRIVNING", status="stopped")),
    ),
    "prescription-unknown": Case(
        dispensing(), after(create(), then=dispensing(authorizingPrescription=[{"reference": "MedicationRequest/f-1"}]))
    ),
    "dose-prescription-active": Case(
        after(dose, dose_drug, then=consent_ends()),
        after(dose, dose_drug, update("AVSLUTA_FORSKRIVNING", status="stopped"), then=consent_ends()),
    ),
    "dose-basis-step": Case(
        after(dose, then=basis("not-approved", "test-pharmacist")),
        after(dose, then=basis("approved", "test-pharmacist")),
    ),
}
