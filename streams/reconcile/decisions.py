"""Persons' decisions on findings: they close what they were made about, and re-open when the facts under them change.

A decision stands while every fact that its maker saw is still live, and no fact that its maker did not see speaks in its
records or on their lines. Of several decisions about one thing the latest counts. Decisions on matching hold, re-opened or
not, until somebody takes them back: taken away by themselves they would change what is one treatment.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final

import msgspec

from contracts.facts.correction import Decision
from contracts.medication_list import Finding
from contracts.values import Identifier
from streams.reconcile.chosen import ChosenValue
from streams.reconcile.findings import finding
from streams.reconcile.line_item import Rendered
from streams.reconcile.precedence import decided_at
from streams.reconcile.records import Ledger, Record

_CLOSED_BY: Final[Mapping[str, tuple[str, ...]]] = {
    "state": ("status-differs",),
    "dosage": ("dose-differs",),
    "start": ("period-differs",),
    "end": ("period-differs",),
}
"""Findings that are closed when a person has chosen a field's value."""


class Settled(msgspec.Struct, frozen=True):
    """A decision that counts: its record and content, and whether its basis is still live."""

    record: Record
    content: Decision
    live: bool


def counting(decisions: Iterable[Record], ledger: Ledger) -> list[Settled]:
    """Return the decisions that count, the latest of each subject, sorted by record."""
    latest: dict[tuple[object, ...], Record] = {}
    for record in sorted(decisions, key=_when):
        content = record.newest.content
        if isinstance(content, Decision):
            latest[_subject(content)] = record
    found = []
    for record in sorted(latest.values(), key=lambda r: r.key):
        content = record.newest.content
        if isinstance(content, Decision):
            live = all(ledger.is_live(fact) for fact in content.basis)
            found.append(Settled(record, content, live and all(key in ledger.records for key in content.records)))
    return found


def records_decided_on(decisions: Iterable[Record]) -> dict[Identifier, frozenset[Identifier]]:
    """Return, per record, the decisions about it: what one decision is about has to do with each other."""
    found: dict[Identifier, frozenset[Identifier]] = {}
    for record in decisions:
        content = record.newest.content
        for key in content.records if isinstance(content, Decision) else ():
            found[key] = found.get(key, frozenset()) | {record.key}
    return found


def chosen_values(decisions: Iterable[Settled]) -> tuple[ChosenValue, ...]:
    """Return the values that persons have chosen, on a basis that is still live; the latest decision last."""
    return tuple(
        ChosenValue(record=c.chosen, field=c.field, basis=frozenset(c.basis), fact=one.record.newest.id)
        for one in sorted(decisions, key=lambda one: _when(one.record))
        if (c := one.content).kind == "choose-value" and one.live and c.chosen is not None and c.field is not None
    )


def settle(
    found: Iterable[Finding], rendered: Sequence[Rendered], decisions: Sequence[Settled], ledger: Ledger
) -> Iterator[Finding]:
    """Yield the findings that stand, and one for each decision that no longer does."""
    lines_of = _lines_of(rendered, {key for one in decisions for key in one.content.records})
    closed: set[tuple[str, str]] = set()
    for one in decisions:
        lines = {r.item.strand: r for key in _concerned(one.content) for r in lines_of(key)}
        speaking = {ledger.records[key].newest.id for key in one.content.records if key in ledger.records}
        speaking |= {entry.record.newest.id for r in lines.values() for entry in r.line.entries}
        unseen = speaking - set(one.content.basis)
        if unseen or not one.live:
            yield finding("decision-reopened", lines, (one.record.newest.id, *unseen))
            continue
        for code in _closes(one.content):
            closed |= {(code, strand) for strand in lines}
            closed |= {(code, fact) for key in one.content.records for fact in ledger.records[key].fact_ids}
    for noticed in found:
        about = noticed.items or noticed.facts
        if not about or not all((noticed.code, name) in closed for name in about):
            yield noticed


def _concerned(content: Decision) -> tuple[Identifier, ...]:
    """Return the records whose lines a decision is about: of a chosen value the one that carries it."""
    return (content.chosen,) if content.kind == "choose-value" and content.chosen else content.records


def _closes(content: Decision) -> tuple[str, ...]:
    named = (content.finding,) if content.finding else ()
    if content.kind == "choose-value" and content.field is not None:
        return (*_CLOSED_BY.get(content.field, ()), *named)
    return named if content.kind == "accept" else ()


def _lines_of(rendered: Sequence[Rendered], wanted: set[Identifier]) -> Callable[[Identifier], list[Rendered]]:
    found: dict[Identifier, list[Rendered]] = {}
    for line in rendered:
        for record in line.line.records():
            if record.key in wanted:
                found.setdefault(record.key, []).append(line)
    return lambda key: found.get(key, [])


def _subject(content: Decision) -> tuple[object, ...]:
    matching = content.kind in {"same-treatment", "different-treatment"}
    what = "matching" if matching else content.kind
    return (what, tuple(sorted(content.records)), content.field, content.finding)


def _when(record: Record) -> tuple[object, ...]:
    fact = record.newest
    occurred, recorded, key = decided_at(fact.occurred_at, fact.recorded_at, f"{fact.source}|{fact.source_id}")
    return (recorded, occurred, key)
