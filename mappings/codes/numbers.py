"""Exact numbers: decimals from text, in one normal form, within limits."""

import re
from decimal import Decimal
from typing import Final

from contracts.problems import Problem

MAX_WHOLE_DIGITS: Final = 12
MAX_DECIMALS: Final = 9

_DECIMAL = re.compile(r"[+-]?(\d{1,40}(\.\d{0,40})?|\.\d{1,40})([eE][+-]?\d{1,2})?")


def read_decimal(text: str, place: str) -> Decimal | Problem:
    """Read a decimal with a point (``0.50``, ``5E-1``) exactly. Equal numbers come out alike: ``0.50`` is ``0.5``."""
    if _DECIMAL.fullmatch(text) is None or not text.isascii():
        return Problem(code="unreadable", place=place, text="write a decimal number with a point and no unit")
    return exact(Decimal(text), place)


def exact(value: Decimal, place: str) -> Decimal | Problem:
    """Return a finite decimal in its normal form, unless it has more digits than any dose or count."""
    if not value.is_finite():
        return Problem(code="unreadable", place=place, text="write a finite decimal number")
    sign, digits, exponent = value.as_tuple()
    written = "".join(map(str, digits)).lstrip("0")
    trimmed = written.rstrip("0")
    lowest = int(exponent) + len(written) - len(trimmed)
    if not trimmed:
        return Decimal(0)
    if lowest < -MAX_DECIMALS or len(trimmed) + lowest > MAX_WHOLE_DIGITS:
        return Problem(code="too-long", place=place, text="the number has more digits than a dose or a count can have")
    if lowest > 0:
        trimmed, lowest = trimmed + "0" * lowest, 0
    return Decimal((sign, tuple(map(int, trimmed)), lowest))


def read_whole(text: str, place: str) -> int | Problem:
    """Read a whole number of at most twelve digits."""
    if re.fullmatch(r"-?\d{1,12}", text) is None or not text.isascii():
        return Problem(code="unreadable", place=place, text="write a whole number")
    return int(text)
