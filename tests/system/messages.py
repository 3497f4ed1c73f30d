"""Vendors' messages for made-up patients: what a hospital sends, in the documented shape, one prescription each."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from contracts.sources import DEFAULT_SOURCES
from contracts.values import Identifier
from streams.simulate.persons import person_identifier

HOSPITAL_TOPIC: Final = next(source.topic for source in DEFAULT_SOURCES if source.id == "hospital")

_PRESCRIPTION: Final = Path(__file__).with_name("prescription.hl7").read_text(encoding="utf-8").replace("\n", "\r")


def person(index: int) -> Identifier:
    """Made-up person `index`."""
    return person_identifier(index)


def prescription(index: int, order: str, at: datetime, version: int = 0) -> bytes:
    """A hospital's prescription for person `index`; `version` above 0 changes an earlier one of the same `order`."""
    value = person(index).value
    local = at.astimezone(UTC) + timedelta(hours=1)
    text = "1 depottablett varje morgon" + (f", ändring {version}" if version else "")
    return _PRESCRIPTION.format(
        sent=f"{local:%Y%m%d%H%M%S}",
        day=f"{local:%Y%m%d}",
        message=f"{order}-{version}",
        person=value,
        born=value[:8],
        order=order,
        control="XO" if version else "NW",
        text=text,
    ).encode()
