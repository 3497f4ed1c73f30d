"""The state of one patient as rows, written only when they changed. A cache of the facts, never more.

One row per record; administrations, which are many and small, share one row per day. A row holds its facts in order of
id, so that equal sets of facts have equal rows, whatever the order they came in.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from contracts.envelope import decode_batch, encode_batch
from contracts.fact import Fact
from contracts.facts.administration import Administration
from contracts.values import Identifier
from streams.reconcile.derive import Reconciler
from streams.reconcile.ids import record_id

UNDATED: Final = "undated"


def row_of(fact: Fact) -> str:
    """Return the name of the row that a fact stands in; a function of the fact alone."""
    if isinstance(fact.content, Administration):
        when = fact.occurred_at or fact.content.planned_at or fact.recorded_at
        return f"d|{when.date().isoformat() if when else UNDATED}"
    return f"r|{record_id(Identifier(system=fact.source, value=fact.source_id))}"


class PatientState:
    """A patient whose facts are kept in rows."""

    def __init__(self, name: str, reconciler: Reconciler, rows: Mapping[str, bytes] | None = None) -> None:
        self.patient = reconciler.patient(name)
        self._rows: dict[str, set[str]] = {}
        for value in (rows or {}).values():
            self.add(decode_batch(value))

    def add(self, facts: Iterable[Fact]) -> set[str]:
        """Take facts in; return the names of the rows that changed.

        A fact that is known already changes nothing, unless it turns out to have been received earlier.
        """
        changed = set()
        for fact in facts:
            before = self.patient.ledger.get(fact.id)
            self.patient.add((fact,))
            if self.patient.ledger.get(fact.id) is not before:
                name = row_of(fact)
                self._rows.setdefault(name, set()).add(fact.id)
                changed.add(name)
        return changed

    def encode(self, name: str) -> bytes:
        """Return the bytes of a row."""
        return encode_batch(self.patient.ledger[key] for key in sorted(self._rows[name]))

    def rows(self) -> dict[str, bytes]:
        """Return all rows."""
        return {name: self.encode(name) for name in sorted(self._rows)}
