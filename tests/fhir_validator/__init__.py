"""An independent FHIR R4 validator for tests: HAPI FHIR in a process of its own, offline, with our definitions."""
