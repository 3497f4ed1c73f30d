"""Whole packages ordered beside the pouches (beställning av originalförpackning): ``BestallningsinfoResponse``."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

from contracts.fact import Fact
from contracts.facts.dose_dispensing import DosePackageOrder
from mappings.codes.json_input import JsonObject
from mappings.collecting import Problems
from mappings.sources.dose_pharmacy.header import Header, fact_of, read_instant
from mappings.sources.dose_pharmacy.products import (
    read_amount,
    read_dose_unit,
    read_prescription_reference,
    read_product,
)
from mappings.sources.reading import Context

ORDER_STATUS: Final[Mapping[str, Literal["received", "rejected", "dispatched", "cancelled"]]] = MappingProxyType(
    {"1": "received", "2": "rejected", "3": "dispatched", "4": "cancelled"}
)
"""``BestallningsStatusEnum``: 1 Mottagen, 2 Avvisad, 3 Expedierad, 4 Avbeställd. 5 (all) only asks a question."""


def read_orders(message: JsonObject, _: str, header: Header | None, context: Context) -> list[Fact]:
    """Return a fact per readable order row."""
    facts = []
    for row in message.children("Bestallningsrader", required=True):
        own = Problems()
        fact = _order(row.with_problems(own), header, context)
        message.problems.take(own)
        if fact is not None and not own:
            facts.append(fact)
    return facts


def _order(row: JsonObject, header: Header | None, context: Context) -> Fact | None:
    order, row_id = row.text("bestallningsid", required=True), row.text("radid")
    code = row.text("bestallningsstatus", required=True)
    status = None if code is None else ORDER_STATUS.get(code)
    if code is not None and status is None:
        row.problems.add("unknown-code", row.at("bestallningsstatus"), f"must be one of {', '.join(ORDER_STATUS)}")
    occurred_at = read_instant(row, "statustidpunkt", context, required=True)
    medication, references = read_product(row), read_prescription_reference(row)
    packages = row.whole("antalforpackningar")
    if packages is not None and packages < 1:
        row.problems.add("unreadable", row.at("antalforpackningar"), "must be at least 1")
    unit = read_dose_unit(row) if "maxdygnsdos" in row else None
    max_per_day, acute = read_amount(row, "maxdygnsdos", unit), row.flag("akutbestallning")
    if header is None or order is None or status is None or occurred_at is None or medication is None:
        return None
    content = DosePackageOrder(
        person=header.person,
        medication=medication,
        references=references,
        status=status,
        packages=packages,
        acute=acute,
        max_per_day=max_per_day,
    )
    source_id = order if row_id is None else f"{order}/{row_id}"
    return fact_of(header, source_id, occurred_at, content, context)
