"""Pure translation without I/O: vendor messages to facts, the list to FHIR."""
