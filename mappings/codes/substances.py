"""Common substances: ATC code, INN, Swedish name. Used to name things; never to add a code that a message lacks."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import msgspec

from mappings.codes.tables import fold, read_table

_ATC = re.compile(r"[A-Z]\d{2}[A-Z]([A-Z](\d{2})?)?")
_COMBINED = " + "


class SubstanceRow(msgspec.Struct, frozen=True, kw_only=True):
    """One ATC code with its substances (INN, lower case) and the Swedish name."""

    atc: str
    substances: tuple[str, ...]
    swedish: str


SUBSTANCES: Final[Mapping[str, SubstanceRow]] = MappingProxyType(
    {
        row["atc"]: SubstanceRow(
            atc=row["atc"], substances=tuple(row["substance"].split(_COMBINED)), swedish=row["swedish"]
        )
        for row in read_table("substances")
    }
)
"""ATC code -> substances."""

_BY_WORD: Mapping[str, str] = {
    fold(word): row.substances[0]
    for row in SUBSTANCES.values()
    if len(row.substances) == 1
    for word in (row.swedish, row.substances[0])
}


def is_atc(code: str) -> bool:
    """Tell whether a text has the shape of an ATC code of level 3, 4 or 5 (four, five or seven characters)."""
    return _ATC.fullmatch(code) is not None


def substance_from_word(word: str) -> str | None:
    """Return the INN (lower case, English) of a Swedish or English substance name, ``None`` for an unknown one."""
    return _BY_WORD.get(fold(word))
