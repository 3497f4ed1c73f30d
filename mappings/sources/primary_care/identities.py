"""Identifiers, coded values and people of RIVTA: ``IIType``, ``CVType``, ``HealthcareProfessionalType``, ``PersonIdType``.

An ``IIType`` is a UUID or OID as root; where the id is local, the root is 1.2.752.129.2.1.2.1 and the extension
``HSA-id:local id`` (TKB clinicalprocess:activityprescription:actoutcome, common rules).
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from contracts.systems import ATC, GLN, HSA_ID, NLL_CHAIN, NLL_PRESCRIPTION, NPL_ID, NPL_PACK_ID, SNOMED_CT
from contracts.values import Identifier, Practitioner, Reason
from mappings.codes.persons import read_person
from mappings.sources.primary_care.xml_input import Element
from mappings.sources.reading import Context

LOCAL_ROOT: Final = "1.2.752.129.2.1.2.1"
_NLL_ROOTS: Final = frozenset({NLL_PRESCRIPTION, NLL_CHAIN})
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)
_OID = re.compile(r"[0-2](\.\d{1,20}){1,30}", re.ASCII)

_SYSTEM_BY_OID: Final[Mapping[str, str]] = MappingProxyType(
    {
        "1.2.752.129.2.1.4.1": HSA_ID,
        "1.2.752.29.4.19": HSA_ID,
        "1.3.88": GLN,
        "1.2.752.129.2.1.5.1": NPL_ID,
        "1.2.752.129.2.1.5.2": NPL_PACK_ID,
        "1.2.752.129.2.2.3.1.1": ATC,
        "2.16.840.1.113883.6.73": ATC,
        "2.16.840.1.113883.6.96": SNOMED_CT,
    }
)
"""OID (Inera's list, HL7's registry) -> FHIR system."""


def system_of(code_system: str) -> str:
    """Return the FHIR system of a code system that is stated as an OID or a URI."""
    oid = code_system.removeprefix("urn:oid:")
    return _SYSTEM_BY_OID.get(oid, f"urn:oid:{oid}" if _OID.fullmatch(oid) else code_system)


def read_ii(element: Element | None, source: str) -> Identifier | None:
    """Return the id of a record: global where the root says so (NLL), else issued by the source."""
    if element is None:
        return None
    root, extension = element.text("root", required=True), element.text("extension")
    if root is None:
        return None
    if extension is None and not _UUID.fullmatch(root):
        element.problems.add("missing", element.at("extension"), "is required unless the root is a UUID")
        return None
    if root not in _NLL_ROOTS and not _OID.fullmatch(root) and not _UUID.fullmatch(root):
        element.problems.add("unreadable", element.at("root"), "must be a UUID or an OID")
        return None
    if root in _NLL_ROOTS and extension is not None:
        return Identifier(system=root, value=extension)
    parts = (extension,) if root == LOCAL_ROOT else (root.lower(), extension)
    return Identifier(system=source, value=":".join(part for part in parts if part is not None))


def read_coded(element: Element | None) -> Reason | None:
    """Return code and words of a ``CVType``; the words are the display name, else the original text."""
    if element is None:
        return None
    code, code_system = element.text("code"), element.text("codeSystem")
    text = element.text("displayName") or element.text("originalText")
    if code is not None and code_system is None:
        element.problems.add("missing", element.at("codeSystem"), "is required beside a code")
        return None
    identifier = Identifier(system=system_of(code_system), value=code) if code and code_system else None
    return Reason(code=identifier, text=text) if identifier or text else None


def read_patient(element: Element | None, context: Context) -> Identifier | None:
    """Return the checked person identifier of a ``PersonIdType``."""
    if element is None:
        return None
    value, system = element.text("id", required=True), element.text("type", required=True)
    if value is None or system is None:
        return None
    return element.problems.keep(read_person(value, system, element.at("id"), context.received_at.date()))


def read_professional(element: Element | None) -> Practitioner | None:
    """Return who acted, by codes; names are not kept."""
    if element is None:
        return None
    hsa_id = element.text("healthcareProfessionalHSAId")
    role = read_coded(element.child("healthcareProfessionalRoleCode"))
    care_unit = element.text("healthcareProfessionalCareUnitHSAId")
    care_giver = element.text("healthcareProfessionalCareGiverHSAId")
    return Practitioner(
        identifiers=(Identifier(system=HSA_ID, value=hsa_id),) if hsa_id else (),
        profession=None if role is None else role.text or (role.code.value if role.code else None),
        care_unit=Identifier(system=HSA_ID, value=care_unit) if care_unit else None,
        care_giver=Identifier(system=HSA_ID, value=care_giver) if care_giver else None,
    )


def acting(person: Practitioner | None, accountable: Practitioner | None) -> Practitioner | None:
    """Return who acted, in the unit that the record's header holds accountable where the actor states none."""
    if person is None or accountable is None:
        return person or accountable
    return Practitioner(
        identifiers=person.identifiers,
        profession=person.profession,
        care_unit=person.care_unit or accountable.care_unit,
        care_giver=person.care_giver or accountable.care_giver,
    )
