"""Problems: what is wrong with a message, coded, with its place. Codes are never reused; retired ones stay."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from contracts.values import Value

PROBLEM_CODES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "missing": "A value that the mapping cannot do without is not there.",
        "unreadable": "A value is there but does not have the shape its place demands.",
        "unknown-code": "A coded value is in no table known for its place.",
        "contradiction": "Two values of the message cannot both be true.",
        "unsupported": "A message, segment or variant that the mapping does not read; nothing of it was used.",
        "person-invalid": "The person identifier is of no known kind, or its date or check digit is wrong.",
        "time-impossible": "A local time that does not exist (spring change) or a time that cannot be.",
        "time-ambiguous": "A local time that exists twice (autumn change) and nothing in the message tells which.",
        "too-long": "A text or list is longer than its place allows; it is never cut.",
        "duplicate-key": "A JSON object names the same key twice; which one is meant cannot be known.",
        "future": "The source says that it recorded this later than it was received.",
    }
)


class Problem(Value, frozen=True, order=True, kw_only=True):
    """One problem of a message.

    ``code`` is in ``PROBLEM_CODES``; ``place`` is in the message's own terms (``ORC-9``, an XPath, a JSON path); ``text``
    says in English what to do. It never quotes a value that may be personal.
    """

    code: str
    place: str
    text: str
