"""Persons' decisions on findings: they close what they were made about, and re-open when the facts under them change."""

from collections.abc import Iterable, Iterator, Sequence

from contracts.facts.correction import Decision
from contracts.medication_list import Finding
from streams.reconcile.findings import finding
from streams.reconcile.ids import record_id
from streams.reconcile.line_item import Rendered
from streams.reconcile.records import Record


def settle(found: Iterable[Finding], rendered: Sequence[Rendered], decisions: Iterable[Record]) -> Iterator[Finding]:
    """Yield the findings that stand, and one for each decision that no longer does.

    A decision stands while every fact that its maker saw is still live and speaks on the lines concerned, and no other
    order or prescription has come to them since.
    """
    accepted: set[tuple[str, str]] = set()
    lines_by_record = {record: r for r in rendered for record in r.item.records}
    for record in decisions:
        content = record.newest.content
        if not isinstance(content, Decision):
            continue
        about = [lines_by_record[i] for key in content.records if (i := record_id(key)) in lines_by_record]
        speaking = {fact for r in about for e in r.line.entries for fact in (e.record.newest.id,)}
        if not about or not speaking <= set(content.basis):
            strands = sorted({r.item.strand for r in about})
            yield finding("decision-reopened", strands, (record.newest.id, *sorted(speaking - set(content.basis))))
        elif content.kind == "accept" and content.finding is not None:
            accepted |= {(content.finding, r.item.strand) for r in about}
    for one in found:
        if not one.items or not all((one.code, strand) in accepted for strand in one.items):
            yield one
