"""NLL: prescriptions and dispensings as they stand there, FHIR R4 (profile: ``README.md`` beside this file)."""

from typing import Final

from mappings.codes.json_input import root_object
from mappings.collecting import Problems
from mappings.sources.fhir_r4.readings import gather
from mappings.sources.fhir_r4.resources import read_resources
from mappings.sources.nll.dispenses import read_nll_dispense
from mappings.sources.nll.prescriptions import read_prescription
from mappings.sources.reading import Context, Message, Reading

DISPENSE: Final = "MedicationDispense"
PRESCRIPTION: Final = "MedicationRequest"


def read(message: Message, context: Context) -> Reading:
    """Read one message: a prescription or a dispensing, with its Patient. Total: facts, problems or both."""
    problems = Problems()
    kind = _kind(message.value)
    resources = read_resources(message.value, kind, problems)
    reader = read_nll_dispense if kind == DISPENSE else read_prescription
    return gather([(resource, reader(resource, context)) for resource in resources], problems)


def _kind(data: bytes) -> str:
    """What the message is about: its first resource decides; whatever is wrong is told when it is read."""
    root = root_object(data, Problems())
    if root is None:
        return PRESCRIPTION
    bodies = [entry.child("resource") for entry in root.children("entry")]
    kinds = [body.text("resourceType") for body in (root, *bodies) if body is not None]
    return (
        DISPENSE if next((one for one in kinds if one in {DISPENSE, PRESCRIPTION}), None) == DISPENSE else PRESCRIPTION
    )
