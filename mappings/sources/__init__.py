"""Source mappings: one package per kind of source system; ``mappings.sources.readers`` is the register."""
