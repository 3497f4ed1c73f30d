"""The second net: whatever looks like the number of a person is cut out of a line before it is written.

Personnummer and samordningsnummer (ten or twelve digits, with `-` or `+` before the last four, or without) and
reservnummer (a date and four characters of which some are letters). No check digit is asked for in texts: a mistyped
number is a person's number all the same. Ids made of 32 or 64 hexadecimal digits, and uuids, are left alone.
"""

import re
from collections.abc import Mapping
from typing import Final

REDACTED: Final = "[redacted]"

_HEXADECIMAL_ID: Final = re.compile(
    r"(?<![0-9A-Za-z])([0-9a-f]{64}|[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})(?![0-9A-Za-z])"
)
_DATE = r"(?:\d{2})?\d{2}(?:0\d|1[0-2])(?:[0-2]\d|3[01]|[6-8]\d|9[01])"
_NUMBER: Final = re.compile(
    r"\d{10,}"  # no text of ours has ten digits in a row
    r"|(?<!\d)(?:\d{8}|\d{6})[-+\u2010-\u2015\u2212 ]\d{4}(?!\d)"
    rf"|(?<!\d){_DATE}[-+ ]?(?=[0-9A-Za-z]{{0,3}}[A-Za-z])[0-9A-Za-z]{{4}}(?![0-9A-Za-z])"
)
_CENTURIES: Final = ("18", "19", "20")
_WITH_CENTURY: Final = 12
_WITHOUT_CENTURY: Final = 10


def redact(value: object) -> object:
    """The value with every person-like number replaced by `[redacted]`; looks into lists and mappings."""
    match value:
        case str():
            return _redact_text(value)
        case int() | float():
            whole = value == value // 1 and _is_person_number(str(int(value)))
            return REDACTED if whole else value
        case list() | tuple():
            return [redact(one) for one in value]
        case Mapping():
            return {_redact_text(str(name)): redact(one) for name, one in value.items()}
        case _:
            return value


def _redact_text(text: str) -> str:
    parts: list[str] = []
    end = 0
    for kept in _HEXADECIMAL_ID.finditer(text):
        parts += (_NUMBER.sub(REDACTED, text[end : kept.start()]), kept.group())
        end = kept.end()
    parts.append(_NUMBER.sub(REDACTED, text[end:]))
    return "".join(parts)


def _is_person_number(digits: str) -> bool:
    """A number may be a count, so here the date and the check digit (Luhn over the last ten) decide."""
    if len(digits) == _WITH_CENTURY:
        if not digits.startswith(_CENTURIES):
            return False
    elif len(digits) != _WITHOUT_CENTURY:
        return False
    if re.fullmatch(_DATE, digits[:-4]) is None:
        return False
    doubled = (int(digit) * (2 - index % 2) for index, digit in enumerate(digits[-10:]))
    return sum(number // 10 + number % 10 for number in doubled) % 10 == 0
