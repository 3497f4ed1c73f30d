"""Rolls (dosrulle): one dose supply per row."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final

import msgspec

from contracts.fact import Fact
from contracts.facts.correction import Retraction
from contracts.facts.dose_dispensing import DoseSupply, RollStatus
from contracts.values import Identifier, Period
from mappings.codes.json_input import JsonObject
from mappings.collecting import Problems
from mappings.sources.dose_pharmacy.header import Header, fact_of, read_end, read_instant, read_start
from mappings.sources.dose_pharmacy.products import (
    read_dose_unit,
    read_prescription_reference,
    read_product,
    read_schedule,
)
from mappings.sources.reading import Context

STATUS_OF: Final[Mapping[str, RollStatus]] = MappingProxyType(
    {
        "dosproduktion-fryst": "frozen",
        "dosrulle-producerad": "produced",
        "dosrulle-skickad": "dispatched",
        "dosrulle-mottagen": "received",
        "dosrulle-returnerad": "returned",
        "dosrulle-indragen": "withdrawn",
    }
)
"""Event -> status of the roll."""
CANCELLED: Final = "dosrulle-makulerad"
"""The event that says that a roll was reported by mistake."""
MOST_ROWS: Final = 200


class Roll(msgspec.Struct, frozen=True, kw_only=True):
    """What all rows of a roll share."""

    roll: str
    occurred_at: datetime
    period: Period
    basis_version: int | None


def read_roll(message: JsonObject, event: str, header: Header | None, context: Context) -> list[Fact]:
    """Return a dose supply per readable row of the roll; a broken row does not hide the others."""
    element = message.child("Dosrulle", required=True)
    if element is None:
        return []
    shared = Problems()
    read = _roll(element.with_problems(shared), event, context)
    element.problems.take(shared)
    roll = None if shared else read
    rows = element.children("rader", required=True)
    if len(rows) > MOST_ROWS:
        element.problems.add("too-long", element.at("rader"), f"has more than {MOST_ROWS} rows")
    ids = [row.text("radid") for row in rows]
    if len({row_id for row_id in ids if row_id}) < len([row_id for row_id in ids if row_id]):
        element.problems.add("contradiction", element.at("rader"), "two rows have the same radid")
        return []
    facts = []
    for row in rows[:MOST_ROWS]:
        own = Problems()
        fact = _row(row.with_problems(own), event, (header, roll), context)
        element.problems.take(own)
        if fact is not None and not own:
            facts.append(fact)
    return facts


def _roll(element: JsonObject, event: str, context: Context) -> Roll | None:
    roll = element.text("rullid", required=True)
    occurred_at = read_instant(element, "statustidpunkt", context, required=True)
    period = Period() if event == CANCELLED else _period(element, context)
    basis_version = element.whole("dosunderlagsversion")
    if roll is None or occurred_at is None or period is None:
        return None
    return Roll(roll=roll, occurred_at=occurred_at, period=period, basis_version=basis_version)


def _period(element: JsonObject, context: Context) -> Period | None:
    """Return the time that the pouches cover: from the first through the last dose day."""
    start = read_start(element, "forstadosdag", context, required=True)
    end = read_end(element, "sistadosdag", context, required=True)
    if start is None or end is None:
        return None
    if end <= start:
        element.problems.add("contradiction", element.at("sistadosdag"), "lies before the first dose day")
        return None
    return Period(start=start, end=end)


def _row(row: JsonObject, event: str, shared: tuple[Header | None, Roll | None], context: Context) -> Fact | None:
    header, roll = shared
    row_id = row.text("radid", required=True)
    if event == CANCELLED:
        return _taken_back(row_id, header, roll, context)
    medication = read_product(row)
    references = read_prescription_reference(row)
    dosage = read_schedule(row, read_dose_unit(row))
    if header is None or roll is None or row_id is None or medication is None:
        return None
    content = DoseSupply(
        person=header.person,
        medication=medication,
        references=references,
        roll=Identifier(system=context.source.id, value=roll.roll),
        status=STATUS_OF[event],
        period=roll.period,
        dosage=dosage,
        basis_version=roll.basis_version,
    )
    return fact_of(header, row_source_id(roll.roll, row_id), roll.occurred_at, content, context)


def row_source_id(roll: str, row: str) -> str:
    """Return the source id of a row."""
    return f"{roll}/{row}"


def _taken_back(row_id: str | None, header: Header | None, roll: Roll | None, context: Context) -> Fact | None:
    if header is None or roll is None or row_id is None:
        return None
    source_id = row_source_id(roll.roll, row_id)
    content = Retraction(person=header.person, target=Identifier(system=context.source.id, value=source_id))
    return fact_of(header, f"{source_id}/retraction", None, content, context)
