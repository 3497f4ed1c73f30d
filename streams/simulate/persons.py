"""Synthetic persons: official test numbers (birth date, serial 980 to 989, Luhn digit) and their pseudonyms."""

import hashlib
from datetime import date, timedelta
from typing import Final

from contracts.systems import PERSONNUMMER
from contracts.values import Identifier

_FIRST_BIRTH: Final = date(1926, 1, 1)
_BIRTH_DAYS: Final = 29_220  # eighty years
_STRIDE: Final = 7_919  # prime to the number of days, so that neighbours differ in age
_SERIALS: Final = 10
MAXIMUM: Final = _BIRTH_DAYS * _SERIALS
"""How many different persons there are."""


def person_number(index: int) -> str:
    """Return the twelve-digit personnummer of person ``index``; the serials 980 to 989 belong to no living person.

    Raises ``ValueError`` when ``index`` is not in ``range(MAXIMUM)``.
    """
    if not 0 <= index < MAXIMUM:
        raise ValueError(f"persons are numbered from 0 to {MAXIMUM - 1}")
    digits = f"{birth_date(index):%Y%m%d}{980 + index // _BIRTH_DAYS}"
    return digits + str(luhn_digit(digits[2:]))


def birth_date(index: int) -> date:
    """Return the birth date of person ``index``."""
    return _FIRST_BIRTH + timedelta(days=index * _STRIDE % _BIRTH_DAYS)


def luhn_digit(digits: str) -> int:
    """Return the check digit of the nine digits of a personnummer (SKV 704; modulus 10)."""
    doubled = [int(digit) * (2 - place % 2) for place, digit in enumerate(digits)]
    return -sum(value // 10 + value % 10 for value in doubled) % 10


def person_identifier(index: int) -> Identifier:
    """Return person ``index`` as facts name it."""
    return Identifier(system=PERSONNUMMER, value=person_number(index))


def pseudonym(number: str) -> str:
    """Return the simulation's pseudonym of a person number. A real intake uses a keyed hash instead."""
    return "p-" + hashlib.sha256(number.encode()).hexdigest()[:16]
