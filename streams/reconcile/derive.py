"""The list as a function of the set of facts, the two times, the rules and the product knowledge. The reference.

``derive`` is what everything else must agree with, byte for byte: the incremental state, a rebuild, an offline run.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from contracts.fact import Fact
from contracts.facts.base import TreatmentContent
from contracts.facts.list_statement import ListStatement
from contracts.facts.prescribing import Prescription
from contracts.medication_list import Finding, MedicationList, Unattached, Withdrawn
from contracts.values import Identifier
from streams.reconcile import blocks
from streams.reconcile.decisions import settle
from streams.reconcile.dose import step_boundaries
from streams.reconcile.entries import Entry, make_entries
from streams.reconcile.evidence import contradict, same_drug
from streams.reconcile.findings import confirmed_at, finding, line_findings, pair_findings
from streams.reconcile.given import GivenSummary, was_given
from streams.reconcile.ids import leading, record_id
from streams.reconcile.leaves import Attacher, Leaf, Place, make_leaf, unordered
from streams.reconcile.line_item import Line, Rendered, dosage_of, render
from streams.reconcile.line_state import Situation, line_state
from streams.reconcile.matching import Matched, Note, match, wishes
from streams.reconcile.policy import Rules
from streams.reconcile.products import ProductKnowledge
from streams.reconcile.profile import Profiler
from streams.reconcile.records import Book, Record, put_together
from streams.reconcile.strands import strands
from streams.reconcile.supply import Supplies
from streams.reconcile.timeline import boundaries, stays

REASONS_BY_TYPE = {
    "medlist.encounter.v1": "encounter",
    "medlist.block.v1": "block",
    "medlist.identity-link.v1": "identity",
    "medlist.decision.v1": "decision",
    "medlist.retraction.v1": "retraction",
    "medlist.list-statement.v1": "list-statement",
    "medlist.dose-patient-status.v1": "dose-patient-status",
    "medlist.dose-consent.v1": "dose-consent",
    "medlist.dose-basis.v1": "dose-basis",
}
"""Why a fact that is not about one treatment stands under ``unattached``."""


class Reconciler:
    """Rules and product knowledge, bound once; ``derive`` is a pure function of the rest."""

    def __init__(self, rules: Rules, knowledge: ProductKnowledge) -> None:
        self.rules = rules
        self.profile = Profiler(knowledge, rules.form_group)

    def derive(
        self, patient: str, facts: Iterable[Fact], valid_at: datetime, known_at: datetime | None = None
    ) -> MedicationList:
        """Return the patient's list as of ``valid_at``, from the facts received by ``known_at`` (``None``: all)."""
        book = put_together(facts, self.rules, known_at)
        return _Derivation(self, patient, book, valid_at).the_list()


class _Derivation:
    def __init__(self, by: Reconciler, patient: str, book: Book, when: datetime) -> None:
        self._by = by
        self._patient = patient
        self._book = book
        self._now = Situation(when, stays(book.encounters), by.rules)
        self._unattached: list[Unattached] = []
        self._notes: list[Note] = []
        self._facts_of: dict[Identifier, tuple[str, ...]] = {}

    def the_list(self) -> MedicationList:
        book = self._book
        counting = blocks.in_force(book.blocks, self._now.when)
        shown = blocks.split([*book.heads, *book.supplies, *book.doses], counting)
        heads = set(book.heads)
        entries = make_entries([r for r in shown.open if r in heads], self._by.profile)
        leaves = [make_leaf(r, self._by.profile) for r in shown.open if r not in heads]
        matched = match(entries, wishes(book.decisions), self._by.rules)
        self._notes += matched.notes
        lines = self._lines(matched, leaves)
        rendered = [render(line, line_state(line.entries, line.used, self._now), self._now) for line in lines]
        found = [*self._findings(rendered), *self._book_findings(shown.blocked)]
        for record, _ in shown.blocked:
            self._unattached += [Unattached(fact=fact, reason="blocked") for fact in record.fact_ids]
        self._set_aside()
        settled = settle(found, rendered, book.decisions)
        return MedicationList(
            patient=self._patient,
            rules=self._by.rules.identity,
            person=self._person(),
            items=tuple(sorted((r.item for r in rendered), key=lambda i: (i.treatment, i.strand))),
            findings=tuple(sorted(settled, key=lambda f: (f.code, f.items, f.facts, f.key))),
            unattached=tuple(sorted(self._unattached, key=lambda u: u.fact)),
            withdrawn=self._withdrawn(shown.blocked),
            next_change_at=self._next_change(rendered),
        )

    def _lines(self, matched: Matched, leaves: Sequence[Leaf]) -> list[Line]:
        groups = [strands(treatment, self._by.rules) for treatment in matched.treatments]
        flat = [(index, strand) for index, treatment in enumerate(groups) for strand in treatment]
        attacher = Attacher([strand for _, strand in flat], [index for index, _ in flat], self._by.rules)
        placed: dict[int, list[Leaf]] = {}
        unordered_leaves: list[Leaf] = []
        for leaf in leaves:
            place = attacher.place(leaf)
            self._notes += place.notes
            self._put(leaf, place, placed, unordered_leaves)
        lines = []
        for number, (index, strand) in enumerate(flat):
            treatment = record_id(leading(e.record for e in matched.treatments[index]).key)
            because = min((matched.because[e.key] for e in strand if e.key in matched.because), default=None)
            lines.append(_line(treatment, strand, placed.get(number, []), because))
        lines += [
            _line(record_id(leading(leaf.record for leaf in group).key), [], group, None)
            for group in unordered(unordered_leaves, self._by.rules)
        ]
        for line in lines:
            for record in _records(line):
                self._facts_of[record.key] = record.fact_ids
        return _related(lines)

    def _put(self, leaf: Leaf, place: Place, placed: dict[int, list[Leaf]], unordered_leaves: list[Leaf]) -> None:
        if place.line is not None:
            placed.setdefault(place.line, []).append(leaf)
        elif place.rule == "no-order":
            unordered_leaves.append(leaf)
        else:
            self._facts_of[leaf.record.key] = leaf.record.fact_ids
            self._unattached += [Unattached(fact=fact, reason=place.rule) for fact in leaf.record.fact_ids]

    def _findings(self, rendered: Sequence[Rendered]) -> Iterator[Finding]:
        for line in rendered:
            yield from line_findings(line, self._now)
        yield from pair_findings(rendered)
        strand_of = {record.key: line.item.strand for line in rendered for record in _records(line.line)}
        for note in sorted(set(self._notes), key=lambda n: (n.code, n.records)):
            facts = [fact for key in note.records for fact in self._facts_of.get(key, ())]
            items = [strand_of[key] for key in note.records if key in strand_of]
            yield finding(note.code, items, facts, dict(note.detail))
        yield from self._left_out(rendered)

    def _left_out(self, rendered: Sequence[Rendered]) -> Iterator[Finding]:
        """A complete list statement, the newest by now, leaves out a line that goes on."""
        statements = [
            record
            for record in self._book.others
            if isinstance(record.newest.content, ListStatement)
            and record.newest.content.complete
            and record.newest.occurred_at is not None
            and record.newest.occurred_at <= self._now.when
        ]
        if not statements:
            return
        newest = max(statements, key=lambda r: (r.newest.occurred_at, r.key))
        made = newest.newest.occurred_at
        for line in rendered:
            on_it = any(e.statement == newest.key for e in line.line.entries)
            older = any(v.decided[0] <= made for v in line.state.pool) if made else False
            if line.item.state in {"active", "paused"} and not on_it and older:
                yield finding("off-the-list", (line.item.strand,), (newest.newest.id, *line.item.facts[:1]))

    def _book_findings(self, blocked: Sequence[tuple[Record, str]]) -> Iterator[Finding]:
        if blocked:
            yield finding("blocked-information", (), sorted({block for _, block in blocked}))
        for group in self._book.disputed:
            yield finding("versions-disputed", (), group)
        for fact in self._book.foreign_retractions:
            yield finding("foreign-retraction", (), (fact.id,))
        for record in self._book.links:
            yield finding("identity-in-doubt", (), record.fact_ids)

    def _set_aside(self) -> None:
        book = self._book
        for record in [*book.encounters, *book.blocks, *book.links, *book.decisions, *book.others]:
            reason = REASONS_BY_TYPE[record.newest.type]
            self._unattached += [Unattached(fact=fact, reason=reason) for fact in record.fact_ids]
        self._unattached += [Unattached(fact=fact.id, reason="retraction") for fact in book.retractions]

    def _withdrawn(self, blocked: Sequence[tuple[Record, str]]) -> tuple[Withdrawn, ...]:
        found: dict[Identifier, Withdrawn] = {}
        speaking = {r.key for r in self._book.heads}
        for fact, by in self._book.retracted:
            key = Identifier(system=fact.source, value=fact.source_id)
            if isinstance(fact.content, Prescription) and key not in speaking:
                found[key] = _withdraw(fact, "retracted", by)
        for record, by in blocked:
            if isinstance(record.newest.content, Prescription):
                found[record.key] = _withdraw(record.newest, "blocked", by)
        return tuple(found[key] for key in sorted(found))

    def _person(self) -> Identifier | None:
        facts = [
            record.newest
            for shelf in (self._book.heads, self._book.supplies, self._book.doses, self._book.others)
            for record in shelf
            if record.newest.patient == self._patient
        ]
        persons = sorted({fact.content.person for fact in facts})
        return persons[0] if persons else None

    def _next_change(self, rendered: Sequence[Rendered]) -> datetime | None:
        later = [moment for moment in self._moments(rendered) if moment > self._now.when]
        return min(later, default=None)

    def _moments(self, rendered: Sequence[Rendered]) -> Iterator[datetime]:
        yield from blocks.boundaries(self._book.blocks)
        for stay in self._now.stays:
            yield stay.start
            if stay.end is not None:
                yield stay.end
        limits = self._by.rules
        for line in rendered:
            for entry in line.line.entries:
                yield from boundaries(entry.record)
            for voice in line.state.voices:
                yield from step_boundaries(dosage_of(voice), voice.standing.start)
            yield from line.line.supplies.boundaries()
            yield from (leaf.at for leaf in line.line.supplies.leaves)
            following = line.line.given.next_after(self._now.when)
            if following is not None:
                yield following
            yield from wake_moments(line, self._now, limits)


def wake_moments(line: Rendered, now: Situation, rules: Rules) -> Iterator[datetime]:
    """Return the moments at which silence becomes a finding."""
    seen = line.line.given.by(now.when)
    if seen:
        yield seen[-1].at + timedelta(hours=rules.findings.not_given_after_hours, microseconds=1)
    since = confirmed_at(line, now)
    if since is not None:
        yield since + timedelta(days=rules.lifecycle.unconfirmed_after_days, microseconds=1)


def _withdraw(fact: Fact, reason: str, by: str) -> Withdrawn:
    content = fact.content
    identifiers = content.identifiers if isinstance(content, TreatmentContent) else ()
    return Withdrawn(
        record=record_id(Identifier(system=fact.source, value=fact.source_id)),
        source=fact.source,
        source_id=fact.source_id,
        reason="retracted" if reason == "retracted" else "blocked",
        because=(by,),
        identifiers=identifiers,
    )


def _line(treatment: str, strand: Sequence[Entry], leaves: Sequence[Leaf], because: str | None) -> Line:
    doses = [leaf for leaf in leaves if leaf.kind == "administration"]
    supplies = [leaf for leaf in leaves if leaf.kind != "administration"]
    records = [*(e.record for e in strand), *(leaf.record for leaf in leaves)]
    names: dict[Identifier, Identifier] = {hub: e.key for e in strand for hub in e.hubs}
    used = {
        names[t] for leaf in leaves if was_given(leaf) or leaf.kind == "dispense" for t in leaf.targets if t in names
    }
    return Line(
        treatment=treatment,
        strand=record_id(leading(records).key),
        entries=tuple(strand),
        supplies=Supplies(supplies),
        given=GivenSummary(doses),
        used=frozenset(used),
        facts=tuple(sorted(fact for record in records for fact in record.fact_ids)),
        joined_by=because,
    )


def _records(line: Line) -> Iterator[Record]:
    yield from (entry.record for entry in line.entries)
    yield from (leaf.record for leaf in line.supplies.leaves)
    yield from (leaf.record for leaf in line.given.leaves)


def _related(lines: list[Line]) -> list[Line]:
    """Link lines of the same drug in another form or by another route, and lines of one treatment."""
    for a in lines:
        related = {b.strand for b in lines if b is not a and (a.treatment == b.treatment or _other_form(a, b))}
        if related:
            a.related = tuple(sorted(related))
    return lines


def _other_form(a: Line, b: Line) -> bool:
    if not a.entries or not b.entries:
        return False
    pa, pb = a.entries[0].profile, b.entries[0].profile
    return same_drug(pa, pb) and contradict(pa, pb)
