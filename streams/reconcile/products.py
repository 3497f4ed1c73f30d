"""Product knowledge comes in through this port; without it, evidence degrades to unknown, never to a guess."""

from collections.abc import Mapping
from typing import Protocol

import msgspec

from contracts.values import Ingredient


class Product(Protocol):
    """What a product register says about one NPL id."""

    @property
    def name(self) -> str:
        """Name as in the register."""
        ...

    @property
    def atc(self) -> str | None:
        """ATC code, seven characters."""
        ...

    @property
    def ingredients(self) -> tuple[Ingredient, ...]:
        """Active substances with strengths."""
        ...

    @property
    def form(self) -> str | None:
        """Form slug."""
        ...

    @property
    def route(self) -> str | None:
        """Route slug."""
        ...

    @property
    def substitution_group(self) -> str | None:
        """Substitution group (utbytesgrupp)."""
        ...


class ProductKnowledge(msgspec.Struct, frozen=True, kw_only=True):
    """Products by NPL id, and the substances of single-substance and combination ATC codes."""

    products: Mapping[str, Product] = {}
    atc_substances: Mapping[str, tuple[str, ...]] = {}


NOTHING_KNOWN = ProductKnowledge()
