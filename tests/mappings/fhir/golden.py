"""Goldens of the FHIR mapping: a folder per case, named by a sentence.

``prescription.json`` or ``dispense.json`` is what our records say, ``terms.json`` what the endpoint adds, ``resource.json``
or ``problems.json`` what becomes of it. ``python -m tests.mappings.fhir.golden`` writes the last two anew; a change of
theirs is a commit of its own.
"""

from datetime import datetime
from pathlib import Path

import msgspec

from contracts.facts.dispense import Dispense
from contracts.medication_list import StandingPrescription
from contracts.values import Identifier
from mappings.fhir.exact_json import JsonObject, write_json
from mappings.fhir.medication_dispense import Handover, medication_dispense
from mappings.fhir.medication_request import (
    ContainedPatient,
    KnownPatient,
    NotExpressible,
    Subject,
    Terms,
    medication_request,
)

FOLDER = Path(__file__).parent / "goldens"


class CaseTerms(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``terms.json``: ``patient`` is a logical id, or ``person`` one without."""

    patient: str | None = None
    person: Identifier | None = None
    issued: datetime | None = None
    replaces: str | None = None
    record: str = ""
    handed_over: datetime | None = None

    @property
    def subject(self) -> Subject:
        """Who the patient is at the endpoint."""
        if self.person is not None:
            return ContainedPatient(self.person)
        return KnownPatient(self.patient or "")


def cases() -> list[Path]:
    """Every case there is."""
    return sorted(path for path in FOLDER.iterdir() if path.is_dir())


def mapped(case: Path) -> JsonObject | NotExpressible:
    """What the mapping makes of a case."""
    terms = msgspec.json.decode((case / "terms.json").read_bytes(), type=CaseTerms)
    dispense = case / "dispense.json"
    if dispense.exists():
        content = msgspec.json.decode(dispense.read_bytes(), type=Dispense)
        handover = Handover(record=terms.record, subject=terms.subject, handed_over=terms.handed_over)
        return medication_dispense(content, handover)
    standing = msgspec.json.decode((case / "prescription.json").read_bytes(), type=StandingPrescription)
    return medication_request(standing, Terms(subject=terms.subject, issued=terms.issued, replaces=terms.replaces))


def written(result: JsonObject | NotExpressible) -> tuple[str, str]:
    """The name and the text of the golden that a result is. Decimals keep their digits."""
    if isinstance(result, NotExpressible):
        return "problems.json", _pretty(msgspec.json.encode(result.problems))
    return "resource.json", _pretty(write_json(result))


def _pretty(document: bytes) -> str:
    return msgspec.json.format(document, indent=2).decode() + "\n"


if __name__ == "__main__":
    for folder in cases():
        name, text = written(mapped(folder))
        (folder / name).write_text(text, encoding="utf-8")
