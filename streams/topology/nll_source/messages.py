"""From what NLL holds to messages of the source ``nll`` (``mappings/sources/nll/README.md``). Pure.

One message per version of a resource: the resource as it is there, its Patient, the Medication that it refers to. What bears
our record's id we registered ourselves: it is no message, unless the version is somebody else's (``streams.publish.writes``); then
the id that its source gave the record stands in place of ours, so that it meets that record. Once such a version was passed on,
every later one is that we did not write (it may be changed back), and the one by which we close it: else the other's word would
stay on the list. A reference to it gets the id that its source gave the record, so
that a dispensing of it, or a prescription that replaces it, meets that record.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final

import msgspec

from contracts.systems import PERSONNUMMER
from mappings.fhir.elements import child, identifiers, objects, text_at
from mappings.fhir.exact_json import JsonObject, write_json
from mappings.fhir.vocabulary import RECORD
from mappings.sources.fhir_r4.elements import SOURCE_PREFIX
from streams.publish.writes import CLOSED, Writes, is_ours, wrote
from streams.topology.nll_source.roster import Patient

_REFERENCES: Final = ("authorizingPrescription", "priorPrescription")


class Outgoing(msgspec.Struct, frozen=True, kw_only=True):
    """One message; ``name`` is ``MedicationRequest/f-1``."""

    name: str
    version: str
    value: bytes


class News(msgspec.Struct, frozen=True, kw_only=True):
    """What of a patient's resources is new: messages, how many are our own, and the newest versions of all that were seen.

    ``lagging``: the endpoint showed a version older than one that was passed on. ``theirs``: those of ours of which somebody else's
    version was passed on.
    """

    messages: tuple[Outgoing, ...]
    echoes: int
    versions: dict[str, str]
    lagging: bool = False
    theirs: tuple[str, ...] = ()


class Before(msgspec.Struct, frozen=True, kw_only=True):
    """What was passed on before: versions by name, and those of ours of which somebody else's version was."""

    versions: Mapping[str, str] = {}
    theirs: Collection[str] = ()


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
        self._writes: Writes | None = None
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

    def news(self, before: Before, writes: Callable[[], Writes] = Writes) -> News:
        """Return what is to be passed on, given what was before; ``writes`` tells of our own, and is asked where it matters."""
        known, theirs = before.versions, set(before.theirs)
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
                if not self._is_anothers(resource, writes, before=name in theirs):
                    echoes += 1
                    continue
                theirs.add(name)
            messages.append(Outgoing(name=name, version=version, value=self._message(resource)))
        return News(
            messages=tuple(messages),
            echoes=echoes,
            versions=versions,
            lagging=lagging,
            theirs=tuple(sorted(theirs & versions.keys())),
        )

    def _is_anothers(self, resource: JsonObject, writes: Callable[[], Writes], *, before: bool) -> bool:
        """Whether a version of a prescription of ours that a list shows is to be told as another's word.

        ``before``: whether one was already.
        """
        if name_of(resource) not in self._ours or wrote(resource, Writes()):
            return False
        if self._writes is None:
            self._writes = writes()
        if before and (text_at(resource, "status") in CLOSED or not wrote(resource, self._writes)):
            return True
        return is_ours(resource, self._writes) is False

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
        if (known := self._record(resource)) is not None:
            named = [one for one in objects(resource.get("identifier")) if one.get("system") != RECORD]
            linked["identifier"] = [*named, _named_by_source(known)]
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
        return reference | {"identifier": _named_by_source(known)}

    def _record(self, resource: JsonObject) -> tuple[str, str] | None:
        return next(
            (self._patient.records[one] for one in identifiers(resource, RECORD) if one in self._patient.records), None
        )


def _named_by_source(known: tuple[str, str]) -> JsonObject:
    source, source_id = known
    return {"system": f"{SOURCE_PREFIX}{source}", "value": source_id}
