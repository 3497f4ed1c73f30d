"""JSON with decimals kept to the letter: ``0.50`` read is ``0.50`` written (FHIR R4, json.html, primitive decimal)."""

from decimal import Decimal
from typing import Any, Final

import msgspec

JsonObject = dict[str, Any]
"""One JSON object: texts, exact numbers (int or Decimal), booleans, lists and objects."""

_DECODER: Final = msgspec.json.Decoder(float_hook=Decimal)
_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")
_ORDERED: Final = msgspec.json.Encoder(decimal_format="number", order="deterministic")


def read_json(raw: bytes) -> Any:
    """Return the value of a JSON document, numbers with a fraction as ``Decimal``. Raises ``msgspec.DecodeError``."""
    return _DECODER.decode(raw)


def write_json(value: object) -> bytes:
    """Return the JSON document of a value, decimals as numbers with the digits they have."""
    return _ENCODER.encode(value)


def canonical_json(value: object) -> bytes:
    """Return one document per value whatever the order of its keys, for digests and comparisons."""
    return _ORDERED.encode(value)
