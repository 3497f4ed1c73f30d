"""What a product is, for matching and comparing: from the message's own words first, then from product knowledge."""

from collections.abc import Hashable, Mapping
from decimal import Decimal

import msgspec

from contracts.values import Identifier, Ingredient, Medication
from streams.reconcile.products import ProductKnowledge

Strength = tuple[str, Decimal, str]
"""Substance, amount, unit, per dose unit (or per the unit that the amount names, ``mg/ml``)."""


class Profile(msgspec.Struct, frozen=True, gc=False):
    """What is known of a product. ``None`` and empty mean unknown, and unknown never equals anything."""

    name: str | None
    npl_id: str | None
    codes: frozenset[Identifier]
    group: str | None
    atc: str | None
    substances: frozenset[str]
    strengths: tuple[Strength, ...]
    form: str | None
    form_group: str | None
    route: str | None
    matchable: bool
    tokens: frozenset[Hashable]
    """Everything by which it may be found to be the same drug as another."""


class Profiler:
    """Profiles of medications under one product knowledge and one table of form groups; remembers what it made."""

    def __init__(self, knowledge: ProductKnowledge, form_group: Mapping[str, str]) -> None:
        self._knowledge = knowledge
        self._form_group = form_group
        self._made: dict[tuple[Medication, str | None], Profile] = {}

    def __call__(self, medication: Medication, route: str | None) -> Profile:
        """Return the profile of a medication that is given by ``route`` (a slug, or ``None``: not said)."""
        key = (medication, route)
        made = self._made.get(key)
        if made is None:
            if len(self._made) > _REMEMBERED:
                self._made.clear()
            made = self._made[key] = self._make(medication, route)
        return made

    def _make(self, said: Medication, route: str | None) -> Profile:
        product = self._knowledge.products.get(said.npl_id) if said.npl_id else None
        atc = said.atc or (product.atc if product else None)
        ingredients = said.ingredients or (product.ingredients if product else ())
        substances = frozenset(i.substance for i in ingredients)
        if not substances and atc:
            substances = frozenset(self._knowledge.atc_substances.get(atc, ()))
        if product and not all(i.strength for i in ingredients):
            ingredients = product.ingredients
        form = said.form or (product.form if product else None)
        group = product.substitution_group if product else None
        tokens = frozenset((*substances, *said.local_codes, said.npl_id, group, atc)) - {None}
        return Profile(
            name=said.text or (product.name if product else None),
            npl_id=said.npl_id,
            codes=frozenset(said.local_codes),
            group=group,
            atc=atc,
            substances=substances,
            strengths=tuple(sorted(s for i in ingredients if (s := _strength(i)))),
            form=form,
            form_group=self._form_group.get(form, form) if form else None,
            route=route or (product.route if product else None),
            matchable=said.kind not in {"free-text", "extempore"},
            tokens=tokens,
        )


_REMEMBERED = 50_000


def _strength(ingredient: Ingredient) -> Strength | None:
    if ingredient.strength is None:
        return None
    value, unit = to_base(ingredient.strength.value, ingredient.strength.unit)
    if ingredient.per is not None:
        per_value, per_unit = to_base(ingredient.per.value, ingredient.per.unit)
        if not per_value:
            return None
        value, unit = value / per_value, f"{unit}/{per_unit}"
    return (ingredient.substance, value.normalize(), unit)


_BASE = {
    "g": (Decimal(1000), "mg"),
    "mg": (Decimal(1), "mg"),
    "ug": (Decimal("0.001"), "mg"),
    "mcg": (Decimal("0.001"), "mg"),
    "ng": (Decimal("0.000001"), "mg"),
    "kg": (Decimal(1000000), "mg"),
    "l": (Decimal(1000), "ml"),
    "L": (Decimal(1000), "ml"),
    "dl": (Decimal(100), "ml"),
    "cl": (Decimal(10), "ml"),
    "ml": (Decimal(1), "ml"),
    "mL": (Decimal(1), "ml"),
}


def to_base(value: Decimal, unit: str) -> tuple[Decimal, str]:
    """Return the amount in the base unit of its kind (mg, ml); other units stay as they are. Exact."""
    factor, base = _BASE.get(unit, (Decimal(1), unit))
    return value * factor, base


def strength_text(profile: Profile) -> str | None:
    """Return the strength in words, substances in alphabetical order (``50 mg``, ``20 mg + 12.5 mg``)."""
    return " + ".join(f"{value:f} {unit}" for _, value, unit in profile.strengths) or None
