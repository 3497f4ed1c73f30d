"""What source mappings of FHIR R4 JSON share: resources of a message, data types, drugs, dosage."""
