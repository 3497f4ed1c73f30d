"""Pure translation, no I/O: raw messages to facts, lists to FHIR resources, code tables. Imports contracts only."""
