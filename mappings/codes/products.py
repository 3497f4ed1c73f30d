"""A small product table for tests and the demo: what a product register (VARA) would tell about an NPL id.

Mappings do not use it: a fact carries what its message said. The reconciler asks it through its product port.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Final

import msgspec

from contracts.values import Ingredient, Quantity
from mappings.codes.tables import TableError, read_table

_INGREDIENT = re.compile(r"(?P<substance>.+?) (?P<value>\d+(\.\d+)?) (?P<unit>[^/ ]+)(/(?P<per>[^/ ]+))?")
_TIME_UNITS = frozenset({"h", "min", "d"})


class ProductRow(msgspec.Struct, frozen=True, kw_only=True):
    """One product (läkemedelsprodukt), as a register describes it.

    ``form`` and ``route`` are slugs; ``substitution_group`` is what the product may be exchanged within (utbytesgrupp);
    ``dose_unit`` is the UCUM code of what a dosage counts as one.
    """

    npl_id: str
    name: str
    atc: str
    ingredients: tuple[Ingredient, ...]
    form: str
    route: str
    dose_unit: str
    substitution_group: str | None = None


def load_products() -> Mapping[str, ProductRow]:
    """Return NPL id -> product. Raises ``TableError`` when the committed table contradicts itself."""
    products: dict[str, ProductRow] = {}
    for row in read_table("products"):
        if row["npl_id"] in products:
            raise TableError(f"products.csv names {row['npl_id']} twice")
        products[row["npl_id"]] = ProductRow(
            npl_id=row["npl_id"],
            name=row["name"],
            atc=row["atc"],
            ingredients=tuple(_ingredient(part) for part in row["ingredients"].split(" + ")),
            form=row["form"],
            route=row["route"],
            dose_unit=row["dose_unit"],
            substitution_group=row["substitution_group"] or None,
        )
    return MappingProxyType(products)


def _ingredient(text: str) -> Ingredient:
    match = _INGREDIENT.fullmatch(text)
    if match is None:
        raise TableError(f"products.csv has an unreadable ingredient {text!r}")
    unit, per = match["unit"], match["per"]
    if per in _TIME_UNITS:  # a rate (a patch gives 25 ug/h) is a unit of its own, not an amount per amount
        unit, per = f"{unit}/{per}", None
    return Ingredient(
        substance=match["substance"],
        strength=Quantity(value=Decimal(match["value"]), unit=unit),
        per=None if per is None else Quantity(value=Decimal(1), unit=per),
    )


PRODUCTS: Final[Mapping[str, ProductRow]] = load_products()
"""NPL id -> product."""
