"""Names on the wire of NLL-style resources: extensions and code systems (``nll-reference`` sections 1.4, 1.8 and 2.2).

Found in the NLL guide unless a line says *coined*: no source names it, the name is ours in the same style.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_STRUCTURE: Final = "http://electronichealth.se/fhir/StructureDefinition/"

RECORD: Final = "urn:medlist:record"
"""Identifier system by which our prescriptions are found again: the value is the record's derived id."""

CHAIN: Final = _STRUCTURE + "NLLPrescriptionChain"
TREATMENT_PURPOSE: Final = _STRUCTURE + "NLLPatientTreatmentReason"
REGISTRATION_BASIS: Final = _STRUCTURE + "NLLRegistrationBasis"
PRESCRIBER_CONTACT: Final = _STRUCTURE + "NLLPrescriberContactInfo"
RECEIVING_PHARMACY: Final = _STRUCTURE + "NLLReceivingPharmacy"
DOSE_PACKAGING: Final = _STRUCTURE + "NLLDosePackaging"
WORKPLACE: Final = _STRUCTURE + "NLLWorkplacecode"
PACKAGES_PRESCRIBED: Final = _STRUCTURE + "NLLNumberOfPackagesPrescribed"
DISPENSES_ALLOWED: Final = _STRUCTURE + "NLLNumberOfDispensesAllowed"
PACKAGES_DISPENSED: Final = _STRUCTURE + "NLLNumberOfPackagesDispensed"
ADMINISTERING_INSTRUCTION: Final = _STRUCTURE + "NLLAdministeringInstruction"
LATEST_TREATMENT_END: Final = _STRUCTURE + "NLLLatestTreatmentEnd"  # coined
CYCLE: Final = "urn:medlist:fhir:dosage-cycle"  # coined: periodlängd and dagIPeriod of NOD have no place in R4 Timing

LOCK_CODE: Final = "datalock"  # coined, as are the four extensions of a lock (spärr, NLLDataLock)
LOCK_TARGET: Final = _STRUCTURE + "NLLDataLockTarget"
LOCK_KIND: Final = _STRUCTURE + "NLLDataLockKind"
LOCK_SCOPE: Final = _STRUCTURE + "NLLDataLockScope"
LOCK_STATUS: Final = _STRUCTURE + "NLLDataLockStatus"

REGISTRATION_BASIS_CODES: Final = "http://ehalsomyndigheten.se/fhir/ValueSet/registration-basis-codes"
ELECTRONIC: Final = "ELECTRONIC"
PROFESSIONS: Final = "urn:oid:1.2.752.116.3.1.3"
ACTIVITIES: Final = "http://ehalsomyndigheten.se/fhir/CodeSystem/provenance-activity"  # coined
PARTICIPANT_TYPES: Final = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"

WEEKDAYS: Final[Mapping[str, str]] = MappingProxyType(
    {day: day for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}
)
