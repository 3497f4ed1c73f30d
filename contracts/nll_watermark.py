"""How far what NLL holds of a patient has been read. The value of ``medlist.nll-watermark.v1``; a cache, made anew by reading."""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from contracts.values import Value


class NllWatermark(Value, frozen=True, kw_only=True):
    """``nll_patient`` is the patient's logical id there, ``list_version`` that of the list when it was last read whole.

    ``versions``: ``MedicationRequest/f-1`` -> the version that was passed on, ours too, which is not passed on.
    ``theirs``: those of ours of which somebody else's version was passed on.
    ``confirmed``: a later reading at the same list version found the same, so this version need not be read again.
    """

    patient: str
    nll_patient: str
    list_version: int
    read_at: datetime
    versions: Mapping[str, str] = {}
    confirmed: bool = False
    theirs: tuple[str, ...] = ()


_encoder = msgspec.json.Encoder(order="deterministic")


def encode_watermark(watermark: NllWatermark) -> bytes:
    """Return the canonical bytes."""
    return _encoder.encode(watermark)


def decode_watermark(data: bytes) -> NllWatermark:
    """Read them back. Raises ``msgspec.DecodeError`` for anything else."""
    return msgspec.json.decode(data, type=NllWatermark)
