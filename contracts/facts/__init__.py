"""Facts: one module per kind; the union, and how a fact gets its id, stand in ``contracts.fact``."""
