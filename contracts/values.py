"""Value types that facts and lists share: identifiers, quantities, products, dosage, periods.

Every value is immutable, exact (decimals, never floats) and carries what the message itself said; nothing is looked
up or defaulted here. ``None`` means *the source did not say*.
"""

from datetime import datetime
from decimal import Decimal
from typing import Literal

import msgspec


class Value(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True, gc=False):
    """Base of all value types: frozen, keyword only, unknown fields refused."""


class Identifier(Value, frozen=True, order=True, kw_only=True):
    """An id and the system that issued it (FHIR R4 ``Identifier``)."""

    system: str
    value: str


class Quantity(Value, frozen=True, kw_only=True):
    """An exact amount and its unit: a UCUM code where the source's unit could be read, else the source's own word."""

    value: Decimal
    unit: str


class Period(Value, frozen=True, kw_only=True):
    """Half-open interval ``[start, end)``: ``end`` is the first instant that does not belong; ``None`` is unknown or open."""

    start: datetime | None = None
    end: datetime | None = None


class Ingredient(Value, frozen=True, kw_only=True):
    """One active substance (INN in lower case) and its strength, per ``per`` or, without it, per dose unit (a tablet)."""

    substance: str
    strength: Quantity | None = None
    per: Quantity | None = None


MedicationKind = Literal["registered", "licence", "extempore", "merchandise", "free-text"]


class Medication(Value, frozen=True, kw_only=True):
    """What a message says about the product (läkemedel). Codes and words stand side by side; none is derived from another.

    ``form`` and the route elsewhere are slugs of ``mappings/codes``; ``form_text`` keeps the source's word.
    ``kind`` ``free-text`` means that only ``text`` identifies it: such an entry is never matched automatically.
    """

    kind: MedicationKind
    text: str | None = None
    npl_id: str | None = None
    npl_pack_id: str | None = None
    article_number: str | None = None
    local_codes: tuple[Identifier, ...] = ()
    atc: str | None = None
    ingredients: tuple[Ingredient, ...] = ()
    form: str | None = None
    form_text: str | None = None
    strength_text: str | None = None


PeriodUnit = Literal["h", "d", "wk", "mo"]


class DosageStep(Value, frozen=True, kw_only=True):
    """One step of a structured dosage (doseringssteg), after FHIR R4 ``Timing.repeat``.

    Same ``sequence``: parallel; rising ``sequence``: one after the other. ``frequency`` doses per ``period``
    ``period_unit``. ``cycle_days`` with ``days_in_cycle`` (1-based) tells the days of a cycle on which it is taken
    (NOD: periodlängd, dagIPeriod). ``as_needed``: vid behov. ``dose_high`` makes the dose an interval.
    """

    sequence: int = 1
    dose: Quantity | None = None
    dose_high: Quantity | None = None
    as_needed: bool = False
    frequency: int | None = None
    period: Decimal | None = None
    period_unit: PeriodUnit | None = None
    times_of_day: tuple[str, ...] = ()
    weekdays: tuple[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], ...] = ()
    cycle_days: int | None = None
    days_in_cycle: tuple[int, ...] = ()
    duration_days: int | None = None
    once: bool = False
    text: str | None = None


class Dosage(Value, frozen=True, kw_only=True):
    """Dosage (dosering): the words that the patient reads, the structured steps, and the most per day."""

    text: str | None = None
    steps: tuple[DosageStep, ...] = ()
    max_per_day: Quantity | None = None


class Practitioner(Value, frozen=True, kw_only=True):
    """Who decided or acted, by code only: names of staff are not needed on the list and so not kept."""

    identifiers: tuple[Identifier, ...] = ()
    profession: str | None = None
    care_unit: Identifier | None = None
    care_giver: Identifier | None = None


ReferenceRole = Literal["chain", "predecessor", "successor", "order", "prescription", "list", "encounter", "plan"]


class Reference(Value, frozen=True, order=True, kw_only=True):
    """What another record is to this one. ``target.system`` is the issuer of the id: a source id or a global system."""

    role: ReferenceRole
    target: Identifier


class Reason(Value, frozen=True, kw_only=True):
    """A coded or worded reason (ordinationsorsak, utsättningsorsak, reason not given)."""

    code: Identifier | None = None
    text: str | None = None
