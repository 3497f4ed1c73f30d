"""An NLL-style FHIR R4 endpoint from the client's side: headers, tokens, interactions, and what each answer means."""
