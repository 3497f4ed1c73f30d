"""What concerns the dose patient as such: status (vårdtagarstatus), consent (dossamtycke), basis (dosunderlag)."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

from contracts.fact import Fact
from contracts.facts.dose_dispensing import DoseBasis, DoseConsent, DosePatientStatus
from contracts.values import Period, Reason
from mappings.codes.json_input import JsonObject
from mappings.collecting import Problems
from mappings.sources.dose_pharmacy.header import Header, fact_of, read_end, read_instant, read_start
from mappings.sources.reading import Context

PatientStatus = Literal["active", "dormant", "temporary-address", "removed", "deceased", "not-registered"]
PATIENT_STATUS: Final[Mapping[str, PatientStatus]] = MappingProxyType(
    {
        "1": "active",
        "2": "dormant",
        "3": "temporary-address",
        "4": "removed",
        "5": "deceased",
        "6": "not-registered",
    }
)
"""``VardtagarStatusEnum``: 1 Aktiv, 2 Vilande, 3 Tillfällig adress, 4 Avförd, 5 Avliden, 6 Ej registrerad."""
CONSENT: Final[Mapping[str, Literal["given", "withdrawn"]]] = MappingProxyType(
    {"dossamtycke-registrerat": "given", "dossamtycke-aterkallat": "withdrawn"}
)
BASIS: Final[Mapping[str, Literal["approved", "not-approved", "deregistered"]]] = MappingProxyType(
    {
        "dosunderlag-godkant": "approved",
        "dosunderlag-ej-godkant": "not-approved",
        "dosunderlag-avregistrerat": "deregistered",
    }
)


def read_status(message: JsonObject, _: str, header: Header | None, context: Context) -> list[Fact]:
    """Return a fact per stated status; a status is known by its kind and when it begins, so that its end may be moved."""
    facts = []
    for entry in message.children("Vardtagarstatus", required=True):
        own = Problems()
        fact = _status(entry.with_problems(own), header, context)
        message.problems.take(own)
        if fact is not None and not own:
            facts.append(fact)
    return facts


def _status(entry: JsonObject, header: Header | None, context: Context) -> Fact | None:
    code = entry.text("statuskod", required=True)
    status = None if code is None else PATIENT_STATUS.get(code)
    if code is not None and status is None:
        entry.problems.add("unknown-code", entry.at("statuskod"), f"must be one of {', '.join(PATIENT_STATUS)}")
    start, end = read_start(entry, "frantid", context), read_end(entry, "tilltid", context)
    if start is not None and end is not None and end < start:
        entry.problems.add("contradiction", entry.at("tilltid"), "lies before frantid")
    cause = entry.text("vilandestatusorsak")
    if header is None or status is None:
        return None
    begins = () if start is None else (f"{start:%Y%m%dT%H%M%SZ}",)
    source_id = "/".join((header.patient, "status", status, *begins))
    content = DosePatientStatus(
        person=header.person,
        status=status,
        period=Period(start=start, end=end),
        cause=None if cause is None else Reason(text=cause),
    )
    return fact_of(header, source_id, start, content, context)


def read_consent(message: JsonObject, event: str, header: Header | None, context: Context) -> list[Fact]:
    """Return the consent, or that it is withdrawn."""
    consent = message.child("Dossamtycke", required=True)
    occurred_at = None if consent is None else read_instant(consent, "statustidpunkt", context, required=True)
    if header is None or occurred_at is None:
        return []
    content = DoseConsent(person=header.person, status=CONSENT[event])
    return [fact_of(header, f"{header.patient}/consent", occurred_at, content, context)]


def read_basis(message: JsonObject, event: str, header: Header | None, context: Context) -> list[Fact]:
    """Return the state of the dose basis."""
    basis = message.child("Dosunderlag", required=True)
    if basis is None:
        return []
    version = basis.whole("dosunderlagsversion", required=event != "dosunderlag-avregistrerat")
    occurred_at = read_instant(basis, "statustidpunkt", context, required=True)
    if message.problems or header is None or occurred_at is None:
        return []
    content = DoseBasis(person=header.person, status=BASIS[event], basis_version=version)
    return [fact_of(header, f"{header.patient}/basis", occurred_at, content, context)]
