"""JSON in and out with decimals kept to the letter: ``0.50`` read is ``0.50`` written (FHIR R4, json.html#decimal)."""

from decimal import Decimal
from typing import Any, Final

import msgspec

JsonObject = dict[str, Any]
"""One JSON object: texts, exact numbers (int or Decimal), booleans, lists and objects."""

_DECODER: Final = msgspec.json.Decoder(float_hook=Decimal)
_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")


def read_json(raw: bytes) -> Any:
    """The value of a JSON document, every number with a fraction as ``Decimal``; ``msgspec.DecodeError`` if it is none."""
    return _DECODER.decode(raw)


def write_json(value: object) -> bytes:
    """The JSON document of a value, decimals as the numbers they were read as."""
    return _ENCODER.encode(value)


def copy_json(value: JsonObject) -> JsonObject:
    """A deep copy that shares nothing with the original."""
    copied = read_json(write_json(value))
    assert isinstance(copied, dict)  # noqa: S101 - an object stays an object
    return copied
