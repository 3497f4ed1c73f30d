"""Pharmacies: FHIR R4 MedicationDispense, alone or in a Bundle (profile: ``README.md`` beside this file)."""

from typing import Final

from mappings.collecting import Problems
from mappings.sources.fhir_r4.readings import gather
from mappings.sources.fhir_r4.resources import read_resources
from mappings.sources.pharmacy.dispenses import read_dispense
from mappings.sources.reading import Context, Message, Reading

KIND: Final = "MedicationDispense"


def read(message: Message, context: Context) -> Reading:
    """Read one message. Total: every input gives facts, problems or both; each entry of a Bundle stands for itself."""
    problems = Problems()
    resources = read_resources(message.value, KIND, problems)
    return gather([(resource, read_dispense(resource, context)) for resource in resources], problems)
