"""Routes of administration (administreringsvägar): slug, HL7 table 0162, SNOMED CT, Swedish words."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import msgspec

from mappings.codes.tables import fold, index, read_table, split


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """One route: ``slug`` is what facts carry; the first of ``snomed`` and ``words`` is the one to write."""

    slug: str
    hl7: tuple[str, ...]
    snomed: tuple[str, ...]
    words: tuple[str, ...]

    @property
    def swedish(self) -> str:
        """The Swedish word."""
        return self.words[0]


ROUTES: Final[Mapping[str, Route]] = MappingProxyType(
    {
        row["slug"]: Route(
            slug=row["slug"], hl7=split(row["hl7"]), snomed=split(row["snomed"]), words=split(row["words"])
        )
        for row in read_table("routes")
    }
)
"""Slug -> route."""

_BY_HL7 = index("routes", ((code, route.slug) for route in ROUTES.values() for code in route.hl7))
_BY_SNOMED = index("routes", ((code, route.slug) for route in ROUTES.values() for code in route.snomed))
_BY_WORD = index(
    "routes", ((fold(word), route.slug) for route in ROUTES.values() for word in (*route.words, route.slug))
)


def route_from_hl7(code: str) -> str | None:
    """Return the slug of an HL7 table 0162 code, ``None`` for one that no row names."""
    return _BY_HL7.get(code.strip().upper())


def route_from_snomed(code: str) -> str | None:
    """Return the slug of a SNOMED CT concept id, ``None`` for one that no row names."""
    return _BY_SNOMED.get(code.strip())


def route_from_word(word: str) -> str | None:
    """Return the slug of a Swedish or English word, ``None`` for one that no row names."""
    return _BY_WORD.get(fold(word))
