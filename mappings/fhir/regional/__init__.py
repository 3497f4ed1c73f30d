"""The whole list as FHIR R4: the regional superset of what NLL holds (orders of wards, administrations, findings).

One collection Bundle per list version. A List names the lines in their order; a line is a MedicationStatement, and what it
is derived from stands beside it, one resource per layer. It is no FHIR document: nobody attests it, and a list has no time
of its own. Everything here is ours alone: no national guide describes it (``contracts/fhir/README.md``).
"""

from mappings.fhir.regional.bundle import Edition, list_version, regional_bundle

__all__ = ["Edition", "list_version", "regional_bundle"]
