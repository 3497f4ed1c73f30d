"""Units of amounts: source words to UCUM codes."""

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from contracts.values import Quantity
from mappings.codes.tables import fold, index, read_table, split

UNITS: Final[Mapping[str, str]] = MappingProxyType(
    dict(
        index(
            "units",
            ((fold(word), row["ucum"]) for row in read_table("units") for word in (*split(row["words"]), row["ucum"])),
        )
    )
)
"""Folded word -> UCUM code."""


def ucum(word: str) -> str | None:
    """Return the UCUM code of a unit word (``MG``, ``tabletter``, ``IE``), ``None`` for a word that no row names."""
    return UNITS.get(fold(word))


def quantity(value: Decimal, word: str) -> Quantity:
    """Return the amount with the unit's UCUM code where it is known, else with the source's own word."""
    return Quantity(value=value, unit=ucum(word) or word)
