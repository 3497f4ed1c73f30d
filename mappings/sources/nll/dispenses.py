"""NLLMedicationDispense and NLLDispensePaperPrescription: as pharmacies tell them, under the id that NLL gave them."""

from contracts.fact import Fact
from contracts.systems import NLL_DISPENSE
from mappings.sources.fhir_r4.resources import Resource
from mappings.sources.nll.records import nll_id
from mappings.sources.pharmacy.dispenses import read_dispense
from mappings.sources.reading import Context


def read_nll_dispense(resource: Resource, context: Context) -> Fact | None:
    """Return the fact of one dispensing, or note in it why there is none."""
    return read_dispense(resource, context, nll_id(resource, NLL_DISPENSE))
