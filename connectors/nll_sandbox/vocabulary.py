"""Names on the wire: extensions, code systems, codes and activities.

Found in the NLL guide unless a line says *coined*: then the real name is unknown and the sandbox chose one in the same
style (see README.md, "Assumptions").
"""

from typing import Final

_STRUCTURE: Final = "http://electronichealth.se/fhir/StructureDefinition/"

CHAIN: Final = _STRUCTURE + "NLLPrescriptionChain"
TREATMENT_PURPOSE: Final = _STRUCTURE + "NLLPatientTreatmentReason"
PRESCRIPTION_FORMAT: Final = _STRUCTURE + "NLLPrescriptionFormat"
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
EVALUATION_TIME: Final = _STRUCTURE + "NLLEvaluationTime"  # coined
ARTICLE_INFO: Final = _STRUCTURE + "NLLArticleInfo"
PRODUCT_TYPE: Final = "productType"
START_PACK: Final = "startPack"  # coined
ARTICLE_REGULATIONS: Final = _STRUCTURE + "NLLArticleRegulations"
NARCOTIC_CLASS: Final = "narcoticClassification"
NARCOTIC_CLASSES: Final = "http://npl.mpa.se/CodeSystem/narcotic-classification"
LIST_INFO: Final = _STRUCTURE + "NLLMedicationListInfo"
LIST_VERSION: Final = "nllMedicationlistVersion"
CONTROLLED_DRUGS: Final = "nllControlledDrugs"
PRIVACY_LOCK: Final = "nllPrivacyLock"
BASIS_STATUS: Final = _STRUCTURE + "NLLMultiDoseDispensingBasisStatus"  # coined
BASIS_VERSION: Final = _STRUCTURE + "NLLMultiDoseDispensingBasisVersion"  # coined
LOCK_TARGET: Final = _STRUCTURE + "NLLDataLockTarget"  # coined
LOCK_KIND: Final = _STRUCTURE + "NLLDataLockKind"  # coined
LOCK_SCOPE: Final = _STRUCTURE + "NLLDataLockScope"  # coined
LOCK_STATUS: Final = _STRUCTURE + "NLLDataLockStatus"  # coined
DATA_ABSENT: Final = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"

LIST_INFO_CODE: Final = "medlistinfo"
BASIS_CODE: Final = "multidosedispensingbasis"  # coined
LOCK_CODE: Final = "datalock"  # coined
DOSE_CONSENT_CODE: Final = "multidosedispconsent"  # coined
ACCESS_CONSENT_CODE: Final = "accessconsent"  # coined

BASIS_NOT_APPROVED: Final = "not-approved"  # coined, ej godkänt
BASIS_APPROVED: Final = "approved"  # coined, godkänt
BASIS_DEREGISTERED: Final = "deregistered"  # coined, avregistrerat

AFF_CODES: Final = "http://ehalsomyndigheten.se/fhir/CodeSystem/aff-codes"
SANDBOX_CODES: Final = "urn:medlist:nll-sandbox:problem"
"""Code system of refusals that are no AFF rule: headers, versions, access, form."""

PROFESSIONS: Final = "urn:oid:1.2.752.116.3.1.3"
TELEPHONE: Final = "TELEPHONE"  # coined, beside ELECTRONIC
PLACEHOLDER_PREFIX: Final = "urn:uuid:"
