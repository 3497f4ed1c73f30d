"""A bucket: all records of one patient that could have to do with each other, and the lines they make.

Records share a bucket when they share a product, substance, ATC code or any id, directly or over others. Nothing in
matching looks beyond a bucket, so what a fact changes it changes there. A coarser bucket gives the same lines.

What depends on records alone (treatments, lines, where leaves belong) is made when records change; a leaf of a new
record goes straight to its line. What depends on time is kept per line until the next moment at which it may change.
"""

from collections.abc import Hashable, Iterable, Iterator, Sequence
from datetime import datetime

import msgspec

from contracts.medication_list import Finding, Unattached
from contracts.values import Identifier
from streams.reconcile.chosen import ChosenValue
from streams.reconcile.entries import Entry, identifiers_of, treatment_content
from streams.reconcile.evidence import contradict, same_drug
from streams.reconcile.findings import finding, head_findings, leaf_findings
from streams.reconcile.ids import leading, record_id
from streams.reconcile.leaves import Attacher, Leaf
from streams.reconcile.line_item import Heads, Line, Rendered, heads_of, render
from streams.reconcile.line_state import Situation
from streams.reconcile.matching import Note, Wishes, match
from streams.reconcile.policy import Rules
from streams.reconcile.profile import Profiler
from streams.reconcile.records import LATEST
from streams.reconcile.silence import line_moments, line_silences
from streams.reconcile.strands import strands
from streams.reconcile.unordered import UnorderedLines

_ROLES_OF_PLACES = frozenset({"list", "encounter"})
"""What many records of many drugs have in common, and so connects none of them."""


class LineView(msgspec.Struct, frozen=True, eq=False):
    """A line as it stands from ``since`` until ``until``, and its findings."""

    rendered: Rendered
    findings: tuple[Finding, ...]
    since: datetime
    until: datetime


class Structure(msgspec.Struct, kw_only=True, eq=False):
    """What records alone decide."""

    lines: list[Line]
    attacher: Attacher
    unordered: UnorderedLines
    notes: list[Note]
    unattached: list[Unattached]

    def all_lines(self) -> list[Line]:
        """Return the lines with orders, then those without."""
        return [*self.lines, *self.unordered.lines()]


class Bucket:
    """One bucket of a patient's records."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._entries: dict[Identifier, Entry] = {}
        self._leaves: dict[Identifier, Leaf] = {}
        self.tokens: set[Hashable] = set()
        self._structure: Structure | None = None
        self._chosen: tuple[ChosenValue, ...] = ()
        self._views: dict[int, LineView] = {}
        self._heads: dict[int, Heads] = {}
        self._head_findings: dict[int, tuple[Finding, ...]] = {}
        self._note_findings: tuple[Finding, ...] | None = None

    def put(self, made: Entry | Leaf, *, fresh: bool) -> None:
        """Take what was made of a record in, in place of an earlier state of it. ``fresh``: it was not known before."""
        key = made.record.key
        if isinstance(made, Entry):
            self._leaves.pop(key, None)
            self._entries[key] = made
            self.rebuild()
            return
        if not fresh:
            self._entries.pop(key, None)
            self.rebuild()
        self._leaves[key] = made
        if self._structure is not None:
            self._attach(self._structure, made)

    def drop(self, key: Identifier) -> None:
        """Take a record out."""
        self._entries.pop(key, None)
        self._leaves.pop(key, None)
        self.rebuild()

    def __len__(self) -> int:
        return len(self._entries) + len(self._leaves)

    def keys(self) -> Iterator[Identifier]:
        """Return the keys of all records."""
        yield from self._entries
        yield from self._leaves

    def absorb(self, other: "Bucket") -> None:
        """Take over all records and tokens of another bucket."""
        self._entries |= other._entries  # noqa: SLF001  # of the same class
        self._leaves |= other._leaves  # noqa: SLF001
        self.tokens |= other.tokens
        self.rebuild()

    def rebuild(self) -> None:
        """Forget what was made of the records."""
        self._structure = None
        self.forget_views()

    def forget_views(self) -> None:
        """Forget what was made for a time."""
        for kept in (self._views, self._heads, self._head_findings):
            kept.clear()
        self._note_findings = None

    def structure(self, decided: Wishes) -> Structure:
        """Return the lines of the bucket's records."""
        if self._structure is None:
            self._structure = self._make(decided)
        return self._structure

    def _make(self, decided: Wishes) -> Structure:
        entries = [self._entries[key] for key in sorted(self._entries)]
        matched = match(entries, decided, self._rules)
        lines: list[Line] = []
        strand_lists: list[Sequence[Entry]] = []
        treatment_of: list[int] = []
        for index, members in enumerate(matched.treatments):
            treatment = record_id(leading(e.record for e in members).key)
            for strand in strands(members, self._rules):
                because = min((matched.because[e.key] for e in strand if e.key in matched.because), default=None)
                name = record_id(leading(e.record for e in strand).key)
                lines.append(Line(treatment, name, strand, because))
                strand_lists.append(strand)
                treatment_of.append(index)
        made = Structure(
            lines=lines,
            attacher=Attacher(strand_lists, treatment_of, self._rules),
            unordered=UnorderedLines(self._rules),
            notes=list(matched.notes),
            unattached=[],
        )
        for leaf in sorted(self._leaves.values(), key=_time):
            self._attach(made, leaf)
        _relate(made.lines)
        return made

    def _attach(self, made: Structure, leaf: Leaf) -> None:
        place = made.attacher.place(leaf)
        if place.notes:
            made.notes += place.notes
            self._note_findings = None
        if place.line is not None:
            line = made.lines[place.line]
            line.add(leaf)
            self._views.pop(id(line), None)
        elif place.rule == "no-order":
            self._forget(made.unordered.add(leaf))
        else:
            made.unattached += [Unattached(fact=fact, reason=place.rule) for fact in leaf.record.fact_ids]

    def _forget(self, lines: Iterable[Line]) -> None:
        for line in lines:
            for kept in (self._views, self._heads, self._head_findings):
                kept.pop(id(line), None)

    def views(self, now: Situation, decided: Wishes) -> list[LineView]:
        """Return the lines as they stand."""
        if now.chosen != self._chosen:
            self._chosen = now.chosen
            self.forget_views()
        return [self._view(line, now) for line in self.structure(decided).all_lines()]

    def _view(self, line: Line, now: Situation) -> LineView:
        view = self._views.get(id(line))
        if view is not None and view.since <= now.when < view.until:
            return view
        heads = self._heads.get(id(line))
        stands = heads is not None and heads.since <= now.when < heads.until and heads.used == line.used
        if heads is None or not stands or not line.entries:
            heads = self._heads[id(line)] = heads_of(line, now)
            self._head_findings.pop(id(line), None)
        rendered = render(line, heads, now)
        found = self._head_findings.get(id(line))
        if found is None:
            found = self._head_findings[id(line)] = tuple(head_findings(rendered, now))
        until = min((m for m in _leaf_moments(rendered, now) if m > now.when), default=LATEST)
        findings = (*found, *leaf_findings(rendered, now), *line_silences(rendered, now))
        view = LineView(rendered, findings, now.when, min(until, heads.until))
        self._views[id(line)] = view
        return view

    def note_findings(self, decided: Wishes) -> tuple[Finding, ...]:
        """Return what was noticed while records were matched."""
        made = self.structure(decided)
        if not made.notes:
            return ()
        if self._note_findings is None:
            self._note_findings = tuple(self._find(made))
        return self._note_findings

    def _find(self, made: Structure) -> Iterator[Finding]:
        keys = {key for note in made.notes for key in note.records}
        strand_of = {r.key: line.strand for line in made.all_lines() for r in line.records() if r.key in keys}
        for note in sorted(set(made.notes), key=lambda n: (n.code, n.records)):
            noticed = [one for key in note.records if (one := self._entries.get(key) or self._leaves.get(key))]
            facts = [fact for one in noticed for fact in one.record.fact_ids]
            yield finding(
                note.code, [strand_of[key] for key in note.records if key in strand_of], facts, dict(note.detail)
            )


def _leaf_moments(line: Rendered, now: Situation) -> Iterator[datetime]:
    yield from line.line.supplies.moments_after(now.when)
    following = line.line.given.next_after(now.when)
    if following is not None:
        yield following
    yield from line_moments(line, now)


def _time(leaf: Leaf) -> datetime:
    return leaf.at


def _relate(lines: Sequence[Line]) -> None:
    """Link lines of one treatment, and lines of the same drug in another form or by another route."""
    for a in lines:
        a.related = tuple(
            sorted(b.strand for b in lines if b is not a and (a.treatment == b.treatment or _other_form(a, b)))
        )


def _other_form(a: Line, b: Line) -> bool:
    if not a.entries or not b.entries:
        return False
    pa, pb = a.entries[0].profile, b.entries[0].profile
    return same_drug(pa, pb) and contradict(pa, pb)


def tokens_of(made: Entry | Leaf, profile: Profiler) -> frozenset[Hashable]:
    """Return everything that may connect a record to another: its ids, its links, its products, in all its versions."""
    found: frozenset[Hashable] = made.profile.tokens
    for fact in made.record.versions:
        content = treatment_content(fact)
        if len(made.record.versions) > 1:
            found |= profile(content.medication, content.route).tokens
        if content.references:
            found = found.union([r.target for r in content.references if r.role not in _ROLES_OF_PLACES])
    if isinstance(made, Entry):
        return found | made.identifiers
    return found or identifiers_of(made.record)
