"""Vendors' messages for made-up patients: what a hospital sends, in the documented shape, one prescription each."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from contracts.sources import DEFAULT_SOURCES
from contracts.values import Identifier
from streams.reconcile.ids import record_id
from streams.simulate.persons import person_identifier

HOSPITAL_TOPIC: Final = next(source.topic for source in DEFAULT_SOURCES if source.id == "hospital")


def _template(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8").replace("\n", "\r")


_PRESCRIPTION: Final = _template("prescription.hl7")
_ADMINISTRATION: Final = _template("administration.hl7")


def person(index: int) -> Identifier:
    """Made-up person `index`."""
    return person_identifier(index)


def prescription_record(order: str) -> str:
    """The id of the record that a prescription's messages are versions of."""
    return record_id(Identifier(system="hospital", value=f"ORD-{order}/prescription"))


def dosage_text(version: int) -> str:
    """The dosage as the prescription's `version` states it."""
    return "1 depottablett varje morgon" + (f", ändring {version}" if version else "")


def prescription(index: int, order: str, at: datetime, version: int = 0) -> bytes:
    """A hospital's prescription for person `index`; `version` above 0 changes an earlier one of the same `order`."""
    told = {"message": f"{order}-{version}", "control": "XO" if version else "NW", "text": dosage_text(version)}
    return _filled(_PRESCRIPTION, index, order, at, told)


def administration(index: int, order: str, at: datetime, number: int) -> bytes:
    """A hospital's note that person `index` was given the `number`-th dose of an `order`."""
    return _filled(_ADMINISTRATION, index, order, at, {"message": f"{order}-{number}", "number": str(number)})


def _filled(template: str, index: int, order: str, at: datetime, told: Mapping[str, str]) -> bytes:
    value = person(index).value
    local = at.astimezone(UTC) + timedelta(hours=1)
    return template.format(
        sent=f"{local:%Y%m%d%H%M%S}", day=f"{local:%Y%m%d}", person=value, born=value[:8], order=order, **told
    ).encode()
