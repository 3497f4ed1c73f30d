"""The product knowledge that every command reconciles with: the committed tables, behind the reconciler's port."""

from functools import cache

from mappings.codes.products import load_products
from mappings.codes.substances import SUBSTANCES
from streams.reconcile.derive import Reconciler
from streams.reconcile.policy import Rules, default_rules
from streams.reconcile.products import ProductKnowledge


@cache
def product_knowledge() -> ProductKnowledge:
    """Return the tables of ``mappings/codes``."""
    return ProductKnowledge(
        products=load_products(), atc_substances={atc: row.substances for atc, row in SUBSTANCES.items()}
    )


def reconciler(rules: Rules | None = None) -> Reconciler:
    """Return a reconciler with the given rules, or the package's own."""
    return Reconciler(rules or default_rules(), product_knowledge())
