"""Identifier systems (FHIR ``Identifier.system``) that facts and resources use.

Sources: HL7 Sweden base profiles (basprofiler-r4), the NLL implementation guide on Simplifier, Inera's OID list.
"""

from typing import Final

PERSONNUMMER: Final = "http://electronichealth.se/identifier/personnummer"
SAMORDNINGSNUMMER: Final = "http://electronichealth.se/identifier/samordningsnummer"
NATIONAL_RESERVE_NUMBER: Final = "http://electronichealth.se/identifier/nationelltReservnummer"

NLL_PRESCRIPTION: Final = "http://electronichealth.se/identifier/nllmedicationrequestid"
NLL_DISPENSE: Final = "http://electronichealth.se/identifier/nllmedicationdispenseid"
NLL_CHAIN: Final = "http://electronichealth.se/identifier/nllprescriptionchainid"

HSA_ID: Final = "urn:oid:1.2.752.29.4.19"
GLN: Final = "urn:oid:1.3.88"
PRESCRIBER_CODE: Final = "http://electronichealth.se/identifier/forskrivarkod"
WORKPLACE_CODE: Final = "urn:medlist:arbetsplatskod"

NPL_ID: Final = "http://electronichealth.se/fhir/NamingSystem/nplid"
NPL_PACK_ID: Final = "http://electronichealth.se/fhir/NamingSystem/nplpackid"
ARTICLE_NUMBER: Final = "http://electronichealth.se/fhir/NamingSystem/varunr"
ATC: Final = "http://www.whocc.no/atc"
SNOMED_CT: Final = "http://snomed.info/sct"
UCUM: Final = "http://unitsofmeasure.org"

PERSON_SYSTEMS: Final = frozenset({PERSONNUMMER, SAMORDNINGSNUMMER, NATIONAL_RESERVE_NUMBER})
"""National person identifier systems; a region's own reserve numbers come beside them as ``urn:oid:...`` systems."""
