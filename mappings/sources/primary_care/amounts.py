"""Amounts of RIVTA dosages: dose intervals, frequencies, spans of time.

``PQIntervalType`` has a low and a high limit, each optional; a single amount is written as either or as both.
"""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType
from typing import Final

import msgspec

from contracts.values import PeriodUnit, Quantity
from mappings.codes.numbers import exact
from mappings.codes.schedules import LONGEST_DURATION_DAYS, MOST_TIMES
from mappings.codes.units import quantity
from mappings.sources.primary_care.xml_input import Element

PERIOD_UNITS: Final[Mapping[str, PeriodUnit]] = MappingProxyType(
    {
        **dict.fromkeys(("h", "tim", "timme", "timmar"), "h"),
        **dict.fromkeys(("d", "dag", "dagar", "dygn", "dgr"), "d"),
        **dict.fromkeys(("wk", "v", "vecka", "veckor"), "wk"),
        **dict.fromkeys(("mo", "mån", "månad", "månader"), "mo"),
    }
)
"""Words for spans of time: UCUM codes and the Swedish words that sources write -> FHIR ``Timing.repeat.periodUnit``."""

_RATE_UNIT = re.compile(r"(?:(?:1|ggr|gånger|gång)?\s*(?:/|per)\s*)?([a-zåäö]+?)(?:-1)?")
_DAYS_PER_WEEK = 7
_HOURS_PER_DAY = 24


class Interval(msgspec.Struct, frozen=True, kw_only=True):
    """An amount with a low and, if it is no single amount, a high limit; ``low`` is ``None`` for *up to*."""

    low: Quantity | None
    high: Quantity | None = None

    @property
    def single(self) -> Quantity | None:
        """The amount, unless it is an interval."""
        return self.low if self.high is None else None

    @property
    def most(self) -> Quantity | None:
        """The largest amount that it allows."""
        return self.high or self.low


class Rate(msgspec.Struct, frozen=True, kw_only=True):
    """How often: ``times`` per ``period`` ``unit``."""

    times: int
    period: Decimal
    unit: PeriodUnit


def read_interval(element: Element | None) -> Interval | None:
    """Return the amount of a ``PQIntervalType``."""
    if element is None:
        return None
    low, high, unit = element.decimal("low"), element.decimal("high"), element.text("unit", required=True)
    if low is None and high is None:
        element.problems.add("missing", element.at("low"), "state the low limit, the high limit, or both")
    if any(limit is not None and limit < 0 for limit in (low, high)):
        element.problems.add("unreadable", element.place, "an amount is not negative")
        return None
    if low is not None and high is not None and low > high:
        element.problems.add("contradiction", element.place, "the low limit is above the high limit")
        return None
    if unit is None or (low is None and high is None):
        return None
    return Interval(
        low=None if low is None else quantity(low, unit),
        high=None if high is None or high == low else quantity(high, unit),
    )


def read_rate(element: Element | None) -> Rate | None:
    """Return a frequency (``3`` ``/d``; ``0.5`` ``/d`` is once in two days)."""
    value, unit = _value_and_unit(element, _rate_word)
    if element is None or value is None or unit is None:
        return None
    ratio = Fraction(value)
    if ratio <= 0 or max(ratio.numerator, ratio.denominator) > MOST_TIMES:
        element.problems.add("unreadable", element.at("value"), "write how often, as a number between 0.001 and 1000")
        return None
    return Rate(times=ratio.numerator, period=Decimal(ratio.denominator), unit=unit)


def read_span(element: Element | None) -> tuple[Decimal, PeriodUnit] | None:
    """Return a span of time (``PQType``: ``3`` ``d``)."""
    value, unit = _value_and_unit(element, lambda word: word)
    if element is None or value is None or unit is None:
        return None
    if not 0 < value <= LONGEST_DURATION_DAYS:
        element.problems.add("unreadable", element.at("value"), "a span of time is above 0 and within a hundred years")
        return None
    return value, unit


def whole_days(value: Decimal, unit: PeriodUnit) -> int | None:
    """Return a span in days, or ``None`` when it is no whole number of days, or longer than a hundred years."""
    days = {
        "d": Fraction(value),
        "wk": Fraction(value) * _DAYS_PER_WEEK,
        "h": Fraction(value) / _HOURS_PER_DAY,
        "mo": None,
    }[unit]
    return int(days) if days is not None and days.denominator == 1 and days <= LONGEST_DURATION_DAYS else None


def period_unit_of(word: str) -> PeriodUnit | None:
    """Return the unit of time that a word means, ``None`` for any other word."""
    return PERIOD_UNITS.get(word.casefold().strip(" ."))


def times(amount: Quantity, factor: int, place: str) -> Quantity | None:
    """Return an amount taken several times, or ``None`` when the product is beyond any dose."""
    product = exact(amount.value * factor, place)
    return Quantity(value=product, unit=amount.unit) if isinstance(product, Decimal) else None


def _value_and_unit(element: Element | None, word_of: Callable[[str], str]) -> tuple[Decimal | None, PeriodUnit | None]:
    if element is None:
        return None, None
    value, text = element.decimal("value", required=True), element.text("unit", required=True)
    if text is None:
        return value, None
    unit = period_unit_of(word_of(text.casefold().strip()))
    if unit is None:
        element.problems.add("unknown-code", element.at("unit"), "use a unit of time: h, d, wk or mo")
    return value, unit


def _rate_word(text: str) -> str:
    found = _RATE_UNIT.fullmatch(text)
    return found[1] if found else text
