"""FHIR R4 resources of the list; the only place that knows ``fhir.resources``."""
