"""What of a resource is clinical: a version that differs from the one before only in the rest changed nothing."""

from decimal import Decimal
from typing import Final

from connectors.nll_sandbox.vocabulary import (
    CHAIN,
    PRESCRIBER_CONTACT,
    PRESCRIPTION_FORMAT,
    REGISTRATION_BASIS,
    WORKPLACE,
)
from mappings.fhir.exact_json import JsonObject

NOT_CLINICAL: Final = frozenset(
    {"id", "meta", "text", "contained", "identifier", "intent", "requester", "recorder", "authoredOn", "detectedIssue"}
)
"""Top-level elements about the record and its makers, not about the treatment."""

_NOT_CLINICAL_EXTENSIONS: Final = frozenset(
    {CHAIN, REGISTRATION_BASIS, PRESCRIPTION_FORMAT, PRESCRIBER_CONTACT, WORKPLACE}
)

_UNORDERED: Final = frozenset({"extension", "coding"})


def same_treatment(one: JsonObject, other: JsonObject) -> bool:
    """Whether two versions say the same about the treatment; 0.5 and 0.50 are the same dose."""
    return _clinical(one) == _clinical(other)


def _clinical(resource: JsonObject) -> object:
    return {
        name: _plain(name, value)
        for name, value in resource.items()
        if name not in NOT_CLINICAL and value not in (None, [], {})
    }


def _is_about_the_record(item: object) -> bool:
    return isinstance(item, dict) and item.get("url") in _NOT_CLINICAL_EXTENSIONS


def _plain(name: str, value: object) -> object:
    if isinstance(value, dict):
        return {key: _plain(key, item) for key, item in value.items() if key != "id"}
    if isinstance(value, list):
        plain = [_plain("", item) for item in value if not _is_about_the_record(item)]
        return sorted(plain, key=repr) if name in _UNORDERED else plain
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return Decimal(value).normalize()
    return value
