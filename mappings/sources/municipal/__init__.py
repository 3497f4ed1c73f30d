"""Municipal signing lists: FHIR R4 MedicationAdministration, alone or in a Bundle (profile: ``README.md`` beside this file)."""

from typing import Final

from mappings.collecting import Problems
from mappings.sources.fhir_r4.readings import gather
from mappings.sources.fhir_r4.resources import read_resources
from mappings.sources.municipal.administrations import read_administration
from mappings.sources.reading import Context, Message, Reading

KIND: Final = "MedicationAdministration"


def read(message: Message, context: Context) -> Reading:
    """Read one message. Total: every input gives facts, problems or both; each entry of a Bundle stands for itself."""
    problems = Problems()
    resources = read_resources(message.value, KIND, problems)
    return gather([(resource, read_administration(resource, context)) for resource in resources], problems)
