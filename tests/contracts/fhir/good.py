"""A good resource of every NLL-style profile, after the skeletons of the reference; and a Bundle with all of the regional ones."""

from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import Any, Final

from contracts.medication_list import Because, DailyDose, FactSummary, Finding, Layer, Unattached
from contracts.values import Period
from mappings.fhir.exact_json import JsonObject, read_json, write_json
from tests.mappings.fhir.regional.lists import bundle
from tests.streams.publish.cases import line, standing, the_list

EXTENSION: Final = "http://electronichealth.se/fhir/StructureDefinition/"
REQUEST: Final = "urn:medlist:fhir:nll-medication-request"
DISPENSE: Final = "urn:medlist:fhir:nll-medication-dispense"
ON_PAPER: Final = "urn:medlist:fhir:nll-dispense-paper-prescription"
MEDICATION: Final = "urn:medlist:fhir:nll-medication"
PATIENT: Final = "urn:medlist:fhir:nll-patient"
CONTAINED_PATIENT: Final = "urn:medlist:fhir:nll-contained-patient"
PROVENANCE: Final = "urn:medlist:fhir:nll-provenance"
LIST_INFO: Final = "urn:medlist:fhir:nll-medication-list-info"
DATA_LOCK: Final = "urn:medlist:fhir:nll-data-lock"
DOSE_BASIS: Final = "urn:medlist:fhir:nll-dose-dispensing-basis"
DOSE_CONSENT: Final = "urn:medlist:fhir:nll-dose-consent"
ACCESS_CONSENT: Final = "urn:medlist:fhir:nll-access-consent"

_SYSTEMS = "http://electronichealth.se/identifier/"
_PRODUCTS = "http://electronichealth.se/fhir/NamingSystem/"
_PRODUCT = {
    "coding": [
        {"system": f"{_PRODUCTS}nplpackid", "code": "20990101100010"},
        {"system": f"{_PRODUCTS}nplid", "code": "20990101000019"},
        {"system": "http://www.whocc.no/atc", "code": "C07AB02"},
    ],
    "text": "Metoprolol Syntet 50 mg",
}


def _consent(code: str) -> JsonObject:
    """R4 demands a scope and a policy of every consent."""
    return {
        "resourceType": "Consent",
        "id": "s-1",
        "status": "active",
        "scope": {
            "coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}]
        },
        "category": [{"coding": [{"code": code}]}],
        "patient": {"reference": "Patient/p-12"},
        "policyRule": {"text": "Lag (2018:1212) om nationell läkemedelslista"},
    }


NLL_RESOURCES: Final[dict[str, JsonObject]] = {
    REQUEST: {
        "resourceType": "MedicationRequest",
        "id": "f-7001",
        "meta": {"versionId": "3"},
        "contained": [
            {
                "resourceType": "Practitioner",
                "id": "prescriber",
                "identifier": [{"system": f"{_SYSTEMS}forskrivarkod", "value": "9000027"}],
            }
        ],
        "extension": [
            {"url": f"{EXTENSION}NLLPrescriptionChain", "valueIdentifier": {"value": "kedja-501"}},
            {"url": f"{EXTENSION}NLLPatientTreatmentReason", "valueString": "mot högt blodtryck"},
        ],
        "identifier": [{"system": f"{_SYSTEMS}nllmedicationrequestid", "value": "f-7001"}],
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": _PRODUCT,
        "subject": {"reference": "Patient/p-12"},
        "authoredOn": "2025-03-04T09:15:00+01:00",
        "requester": {"reference": "#prescriber"},
        "reasonCode": [{"coding": [{"system": "http://snomed.info/sct", "code": "38341003"}]}],
        "dosageInstruction": [
            {
                "extension": [{"url": f"{EXTENSION}NLLAdministeringInstruction", "valueString": "Tas med mat"}],
                "sequence": 1,
                "patientInstruction": "1 tablett varje morgon",
                "timing": {
                    "repeat": {
                        "boundsPeriod": {"start": "2025-03-05", "end": "2025-06-05"},
                        "frequency": 1,
                        "period": 1,
                        "periodUnit": "d",
                        "timeOfDay": ["08:00:00"],
                    }
                },
                "route": {"coding": [{"system": "http://snomed.info/sct", "code": "26643006"}]},
                "doseAndRate": [
                    {
                        "doseQuantity": {
                            "value": 1,
                            "unit": "{tablet}",
                            "system": "http://unitsofmeasure.org",
                            "code": "{tablet}",
                        }
                    }
                ],
            }
        ],
        "dispenseRequest": {
            "extension": [
                {"url": f"{EXTENSION}NLLDosePackaging", "valueBoolean": False},
                {"url": f"{EXTENSION}NLLWorkplacecode", "valueCode": "0700000001234"},
                {"url": f"{EXTENSION}NLLNumberOfDispensesAllowed", "valueUnsignedInt": 4},
            ],
            "validityPeriod": {"end": "2026-03-04"},
            "numberOfRepeatsAllowed": 3,
        },
        "priorPrescription": {"reference": "MedicationRequest/f-6500"},
    },
    DISPENSE: {
        "resourceType": "MedicationDispense",
        "id": "u-310",
        "extension": [{"url": f"{EXTENSION}NLLNumberOfPackagesDispensed", "valuePositiveInt": 1}],
        "identifier": [{"system": f"{_SYSTEMS}nllmedicationdispenseid", "value": "u-310"}],
        "status": "completed",
        "medicationCodeableConcept": _PRODUCT,
        "subject": {"reference": "Patient/p-12"},
        "location": {"identifier": {"system": "urn:oid:1.3.88", "value": "7350000000009"}},
        "authorizingPrescription": [{"reference": "MedicationRequest/f-7001"}],
        "quantity": {"value": 100, "unit": "{tablet}", "system": "http://unitsofmeasure.org", "code": "{tablet}"},
        "whenHandedOver": "2025-03-06T11:40:00+01:00",
        "substitution": {"wasSubstituted": True},
    },
    MEDICATION: {
        "resourceType": "Medication",
        "id": "art-88",
        "extension": [
            {
                "url": f"{EXTENSION}NLLArticleInfo",
                "extension": [
                    {"url": "productType", "valueCode": "drug"},
                    {"url": "startPack", "valueBoolean": False},
                ],
            }
        ],
        "identifier": [{"system": f"{_PRODUCTS}nplpackid", "value": "20990101100010"}],
        "code": {"coding": [{"system": "http://www.whocc.no/atc", "code": "C07AB02"}]},
        "status": "active",
        "form": {"text": "depottablett"},
    },
    PATIENT: {
        "resourceType": "Patient",
        "id": "p-12",
        "meta": {"security": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "DEMO"}]},
        "identifier": [{"system": f"{_SYSTEMS}personnummer", "value": "191212121212"}],
        "active": True,
        "name": [{"use": "official", "family": "Tolvansson", "given": ["Tolvan"]}],
        "gender": "male",
        "birthDate": "1912-12-12",
    },
    CONTAINED_PATIENT: {
        "resourceType": "Patient",
        "identifier": [{"system": f"{_SYSTEMS}samordningsnummer", "value": "196109732393"}],
    },
    PROVENANCE: {
        "resourceType": "Provenance",
        "id": "h-1",
        "target": [{"reference": "MedicationRequest/f-7001/_history/3"}],
        "recorded": "2025-03-04T09:15:00+01:00",
        "activity": {
            "coding": [
                {
                    "system": "http://ehalsomyndigheten.se/fhir/CodeSystem/provenance-activity",
                    "code": "REGISTRERA_FORSKRIVNING",
                }
            ]
        },
        "agent": [
            {
                "type": {
                    "coding": [
                        {
                            "system": "http://terminology.hl7.org/CodeSystem/provenance-participant-type",
                            "code": "author",
                        }
                    ]
                },
                "who": {"identifier": {"system": f"{_SYSTEMS}forskrivarkod", "value": "9000027"}},
            }
        ],
    },
    LIST_INFO: {
        "resourceType": "Basic",
        "id": "medlistinfo-p-12",
        "extension": [
            {
                "url": f"{EXTENSION}NLLMedicationListInfo",
                "extension": [
                    {"url": "nllMedicationlistVersion", "valueInteger": 7},
                    {"url": "nllControlledDrugs", "valueBoolean": False},
                    {"url": "nllPrivacyLock", "valueBoolean": False},
                ],
            }
        ],
        "code": {"coding": [{"code": "medlistinfo"}]},
        "subject": {"reference": "Patient/p-12"},
    },
    DATA_LOCK: {
        "resourceType": "Basic",
        "id": "b-3",
        "extension": [
            {"url": f"{EXTENSION}NLLDataLockTarget", "valueReference": {"reference": "MedicationRequest/f-7001"}},
            {"url": f"{EXTENSION}NLLDataLockKind", "valueCode": "privacy"},
            {"url": f"{EXTENSION}NLLDataLockScope", "valueCode": "prescription"},
            {"url": f"{EXTENSION}NLLDataLockStatus", "valueCode": "active"},
        ],
        "code": {"coding": [{"code": "datalock"}]},
        "subject": {"reference": "Patient/p-12"},
    },
    DOSE_BASIS: {
        "resourceType": "Basic",
        "id": "b-4",
        "extension": [
            {"url": f"{EXTENSION}NLLMultiDoseDispensingBasisStatus", "valueCode": "not-approved"},
            {"url": f"{EXTENSION}NLLMultiDoseDispensingBasisVersion", "valueInteger": 2},
        ],
        "code": {"coding": [{"code": "multidosedispensingbasis"}]},
        "subject": {"reference": "Patient/p-12"},
    },
    DOSE_CONSENT: _consent("multidosedispconsent")
    | {"organization": [{"identifier": {"system": "urn:oid:1.3.88", "value": "7350000000009"}}]},
    ACCESS_CONSENT: _consent("accessconsent"),
}
"""Profile -> a resource that fits it."""

_FACT = "d7e3bfe2-d103-5295-a336-460d4cd480ad"


@cache
def _regional() -> JsonObject:
    at = datetime(2026, 3, 8, 7, tzinfo=UTC)
    period = Period(start=datetime(2026, 3, 1, 23, tzinfo=UTC), end=datetime(2026, 6, 1, 22, tzinfo=UTC))
    common: dict[str, Any] = {
        "product": "Metoprolol",
        "npl_id": "20990101000019",
        "source": "hospital",
        "facts": (_FACT,),
    }
    dose = DailyDose(status="computed", value=Decimal(1), unit="{tablet}")
    item = line(
        standing(),
        facts=(_FACT,),
        product="Metoprolol",
        npl_id="20990101000019",
        atc="C07AB02",
        dosage_text="1 tablett varje morgon",
        daily_dose=dose,
        route="oral",
        form="tablet",
        strength="50 mg",
        start=period.start,
        end=period.end,
        because={"state": Because(rule="IN_FORCE", facts=(_FACT,))},
        leaves=FactSummary(count=2, digest="a22dd30332c054a280341ce756fc81fa"),
        layers={
            "intended": Layer(state="active", period=period, daily_dose=dose, dosage_text="1 om dagen", **common),
            "prescribed": Layer(state="active", period=period, daily_dose=dose, **common),
            "dispensed": Layer(count=1, remaining_dispenses=3, last_at=at, next_roll_ends=period.end, **common),
            "given": Layer(count=2, not_given=1, last_at=at, last_outcome="refused", **common),
            "reported": Layer(state="active", **common),
        },
    )
    finding = Finding(
        code="dose-differs",
        severity="high",
        conflict=True,
        items=(item.strand,),
        facts=(_FACT,),
        key="3c3ae2f5-7b9f-54cc-8795-9a2632f6c440",
        detail={"intended": "100 mg"},
    )
    unattached = Unattached(fact=_FACT, reason="encounter")
    return bundle(the_list(item, findings=(finding,), unattached=(unattached,), next_change_at=period.end))


def regional() -> JsonObject:
    """A Bundle with a resource of every regional profile; a copy, to be changed at will."""
    return copied(_regional())


def nll(profile: str) -> JsonObject:
    """A good resource of an NLL-style profile; a copy, to be changed at will."""
    return copied(NLL_RESOURCES[profile])


def copied(resource: JsonObject) -> JsonObject:
    """A copy that shares nothing."""
    found: JsonObject = read_json(write_json(resource))
    return found
