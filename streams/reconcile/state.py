"""The state of one patient: rows of facts, written only when they changed. A cache of the facts, never more.

One row per record; administrations, which are many and small, share one row per day. A row holds its facts in order of
id, so that equal sets of facts have equal rows, whatever the order they came in.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from contracts.envelope import decode_batch, encode_batch
from contracts.fact import Fact
from contracts.facts.administration import Administration
from contracts.values import Identifier
from streams.reconcile.ids import record_id

UNDATED: Final = "undated"


def row_of(fact: Fact) -> str:
    """Return the name of the row that a fact stands in; a function of the fact alone."""
    if isinstance(fact.content, Administration):
        when = fact.occurred_at or fact.content.planned_at or fact.recorded_at
        return f"d|{when.date().isoformat() if when else UNDATED}"
    return f"r|{record_id(Identifier(system=fact.source, value=fact.source_id))}"


class PatientState:
    """All facts of one patient, by row."""

    def __init__(self, rows: Mapping[str, bytes] | None = None) -> None:
        self._rows: dict[str, dict[str, Fact]] = {
            name: {fact.id: fact for fact in decode_batch(value)} for name, value in (rows or {}).items()
        }

    def facts(self) -> Iterable[Fact]:
        """Return every fact once."""
        for row in self._rows.values():
            yield from row.values()

    def add(self, facts: Iterable[Fact]) -> set[str]:
        """Take facts in; return the names of the rows that changed.

        A fact that is known already changes nothing, unless it turns out to have been received earlier.
        """
        changed = set()
        for fact in facts:
            name = row_of(fact)
            row = self._rows.setdefault(name, {})
            known = row.get(fact.id)
            if known is None or fact.received_at < known.received_at:
                row[fact.id] = fact
                changed.add(name)
        return changed

    def encode(self, name: str) -> bytes:
        """Return the bytes of a row."""
        row = self._rows[name]
        return encode_batch(row[key] for key in sorted(row))
