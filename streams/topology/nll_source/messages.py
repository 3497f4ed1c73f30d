"""From what NLL holds to messages of the source ``nll`` (``mappings/sources/nll/README.md``). Pure.

One message per version of a resource: the resource as it is there, its Patient, the Medication that it refers to. What bears
our record's id we registered ourselves: it is no message. A reference to it gets the id that its source gave the record, so
that a dispensing of it, or a prescription that replaces it, meets that record.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from contracts.systems import PERSONNUMMER
from mappings.fhir.elements import child, identifiers, objects, text_at
from mappings.fhir.exact_json import JsonObject, write_json
from mappings.fhir.vocabulary import RECORD
from mappings.sources.fhir_r4.elements import SOURCE_PREFIX
from streams.topology.nll_source.roster import Patient

_REFERENCES: Final = ("authorizingPrescription", "priorPrescription")


class Outgoing(msgspec.Struct, frozen=True, kw_only=True):
    """One message; ``name`` is ``MedicationRequest/f-1``."""

    name: str
    version: str
    value: bytes


class News(msgspec.Struct, frozen=True, kw_only=True):
    """What of a patient's resources is new: messages, how many are our own, and the newest versions of all that were seen.

    ``lagging``: the endpoint showed a version older than one that was passed on.
    """

    messages: tuple[Outgoing, ...]
    echoes: int
    versions: dict[str, str]
    lagging: bool = False


def name_of(resource: JsonObject) -> str | None:
    """Return ``Type/id``."""
    kind, name = text_at(resource, "resourceType"), text_at(resource, "id")
    return None if kind is None or name is None else f"{kind}/{name}"


def version_of(resource: JsonObject) -> str | None:
    """Return ``meta.versionId``."""
    return text_at(child(resource, "meta"), "versionId")


def medication_of(resource: JsonObject) -> str | None:
    """Return the id of the Medication that a resource refers to outside itself."""
    reference = text_at(child(resource, "medicationReference"), "reference") or ""
    return reference.removeprefix("Medication/") if reference.startswith("Medication/") else None


def _is_older(version: str, than: str) -> bool:
    """Versions are whole numbers that rise; of any other two nobody can tell."""
    return all(one.isascii() and one.isdigit() for one in (version, than)) and int(version) < int(than)


class Reader:
    """Knows a patient, everything that was read of the patient, and the Medications that it refers to."""

    def __init__(
        self, patient: Patient, nll_patient: str, resources: Sequence[JsonObject], medications: Mapping[str, JsonObject]
    ) -> None:
        self._patient = patient
        self._resources = resources
        self._medications = medications
        self._subject: JsonObject = {
            "resourceType": "Patient",
            "id": nll_patient,
            "identifier": [{"system": PERSONNUMMER, "value": patient.number}],
        }
        self._ours = {
            name: known
            for one in resources
            if (name := name_of(one)) is not None and (known := self._record(one)) is not None
        }

    def news(self, known: Mapping[str, str]) -> News:
        """Return what is to be passed on, given the versions that were passed on before."""
        messages: list[Outgoing] = []
        versions: dict[str, str] = {}
        echoes, lagging = 0, False
        for resource in self._resources:
            name, version = name_of(resource), version_of(resource)
            if name is None or version is None:
                continue  # nothing could be known again by
            passed = known.get(name)
            if passed is not None and _is_older(version, passed):
                versions[name], lagging = passed, True
                continue
            versions[name] = version
            if passed == version:
                continue
            if identifiers(resource, RECORD):
                echoes += 1
                continue
            messages.append(Outgoing(name=name, version=version, value=self._message(resource)))
        return News(messages=tuple(messages), echoes=echoes, versions=versions, lagging=lagging)

    def _message(self, resource: JsonObject) -> bytes:
        entries = [self._linked(resource), self._subject]
        medication = self._medications.get(medication_of(resource) or "")
        if medication is not None:
            entries.append(medication)
        bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in entries]}
        return write_json(bundle)

    def _linked(self, resource: JsonObject) -> JsonObject:
        """The resource, with the source's own id where it refers to a prescription of ours."""
        linked = dict(resource)
        for element in _REFERENCES:
            stated = resource.get(element)
            if isinstance(stated, dict):
                linked[element] = self._with_identifier(stated)
            elif stated is not None:
                linked[element] = [self._with_identifier(one) for one in objects(stated)]
        return linked

    def _with_identifier(self, reference: JsonObject) -> JsonObject:
        known = self._ours.get(text_at(reference, "reference") or "")
        if known is None:
            return reference
        source, source_id = known
        return reference | {"identifier": {"system": f"{SOURCE_PREFIX}{source}", "value": source_id}}

    def _record(self, resource: JsonObject) -> tuple[str, str] | None:
        return next(
            (self._patient.records[one] for one in identifiers(resource, RECORD) if one in self._patient.records), None
        )
