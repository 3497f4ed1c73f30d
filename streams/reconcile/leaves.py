"""Leaves: administrations, dispenses, dose rolls. They attach to a line; they never connect two treatments.

An explicit reference counts first, unless its substances contradict it. Without one, a leaf goes to the one line of
which the product evidence and the time agree best; a tie between treatments attaches to none and is a finding.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from contracts.facts.administration import Administration
from contracts.facts.base import TreatmentContent
from contracts.facts.dispense import Dispense
from contracts.facts.dose_dispensing import DosePackageOrder, DoseSupply
from contracts.values import Identifier
from streams.reconcile.entries import Entry, references_of, treatment_content
from streams.reconcile.evidence import STATEMENT_KINDS, disjoint, product_tier, same_drug
from streams.reconcile.matching import Note
from streams.reconcile.policy import Kind, Rules
from streams.reconcile.profile import Profile, Profiler
from streams.reconcile.records import EARLIEST, Record

_REFERENCE_ROLES = frozenset({"order", "prescription", "chain", "plan"})
_DONE = frozenset({"completed", "in-progress"})
_LEAVES = (("what", "supplied or given"),)
KIND_OF_LEAF: Final[Mapping[type[TreatmentContent], Kind]] = {
    Administration: "administration",
    DoseSupply: "dose_supply",
    Dispense: "dispense",
    DosePackageOrder: "dispense",
}
NO_TARGETS: Final[frozenset[Identifier]] = frozenset()
_VAGUE = 60
"""Rank of a leaf that names the substance and route but no form."""


class Leaf(msgspec.Struct, frozen=True, gc=False, eq=False):
    """One administration, dispense or roll row. ``at`` is when it happened, or when its pouches begin.

    ``content`` is the newest one. ``given``: something of it was given to the patient.
    """

    record: Record
    content: TreatmentContent
    kind: Kind
    profile: Profile
    at: datetime
    targets: frozenset[Identifier]
    given: bool


class Place(msgspec.Struct, frozen=True, gc=False):
    """Where a leaf belongs: the index of a line, or none and why; the rule; what was noticed."""

    line: int | None
    rule: str
    notes: tuple[Note, ...] = ()


def make_leaf(record: Record, profile: Profiler) -> Leaf:
    """Return the leaf of a supply or administration record."""
    content = treatment_content(record.newest)
    references = content.references if len(record.versions) == 1 else references_of(record)
    return Leaf(
        record=record,
        content=content,
        kind=KIND_OF_LEAF[type(content)],
        profile=profile(content.medication, content.route),
        at=_time(record, content),
        targets=frozenset([r.target for r in references if r.role in _REFERENCE_ROLES]) if references else NO_TARGETS,
        given=isinstance(content, Administration) and content.status in _DONE,
    )


def _time(record: Record, content: TreatmentContent) -> datetime:
    fact = record.newest
    if isinstance(content, DoseSupply) and content.period.start is not None:
        return content.period.start
    planned = content.planned_at if isinstance(content, Administration) else None
    return fact.occurred_at or planned or fact.recorded_at or EARLIEST


class _Fit(msgspec.Struct, frozen=True, gc=False):
    """A line that a product fits, through one of its entries, and when."""

    line: int
    begins: datetime
    ends: datetime
    ends_late: datetime
    rank: tuple[object, ...]


class Attacher:
    """Finds the line of a leaf among the lines (strands) of a patient's treatments."""

    def __init__(self, lines: Sequence[Sequence[Entry]], treatment_of: Sequence[int], rules: Rules) -> None:
        self._lines = lines
        self._treatment_of = treatment_of
        self._rules = rules
        self._after = timedelta(days=rules.matching.after_stop_days)
        self._owner: dict[Identifier, int] = {}
        self._hub: dict[Identifier, set[int]] = {}
        self._by_token: dict[object, set[int]] = {}
        self._contradictions: dict[tuple[int, int], tuple[Profile, bool]] = {}
        self._fits: dict[tuple[int, str], tuple[Profile, list[_Fit]]] = {}
        for index, line in enumerate(lines):
            for entry in line:
                for identifier in entry.identifiers:
                    self._owner[identifier] = index
                for hub in entry.hubs:
                    self._hub.setdefault(hub, set()).add(index)
                for token in entry.profile.tokens:
                    self._by_token.setdefault(token, set()).add(index)

    def place(self, leaf: Leaf) -> Place:
        """Return where the leaf belongs."""
        notes: list[Note] = []
        if leaf.targets:
            explicit = self._explicit(leaf, notes)
            if explicit is not None:
                return Place(explicit, "REFERENCE", tuple(notes))
        if not leaf.profile.matchable or not leaf.profile.tokens:
            return Place(None, "free-text", tuple(notes))
        ranked = self._ranked(leaf)
        if not ranked:
            return Place(None, "no-order", tuple(notes))
        best = [line for rank, line in ranked if rank == ranked[0][0]]
        if len(best) == 1:
            return Place(best[0], "PRODUCT_AND_TIME", tuple(notes))
        notes.append(Note("ambiguous-match", tuple(sorted(self._lines[line][0].key for line in best)), _LEAVES))
        return Place(None, "ambiguous", tuple(notes))

    def _explicit(self, leaf: Leaf, notes: list[Note]) -> int | None:
        found: set[int] = set()
        refused = False
        for target in leaf.targets:
            owner = self._owner.get(target)
            for index in (owner,) if owner is not None else self._hub.get(target, ()):
                if self._contradicts(index, leaf.profile):
                    refused = True
                else:
                    found.add(index)
        if refused:
            notes.append(Note("reference-contradicts-substance", (leaf.record.key,)))
        if len(found) <= 1:
            return next(iter(found), None)
        if len({self._treatment_of[index] for index in found}) > 1:
            notes.append(Note("reference-to-several", (leaf.record.key,)))
            return None
        ranked = [(rank, line) for rank, line in self._ranked(leaf) if line in found]
        if ranked and (len(ranked) == 1 or ranked[0][0] < ranked[1][0]):
            return ranked[0][1]
        return None

    def _contradicts(self, index: int, profile: Profile) -> bool:
        key = (index, id(profile))
        known = self._contradictions.get(key)
        if known is None:
            known = (profile, any(disjoint(e.profile, profile) for e in self._lines[index]))
            self._contradictions[key] = known
        return known[1]

    def _ranked(self, leaf: Leaf) -> list[tuple[tuple[object, ...], int]]:
        """Return the lines a leaf may belong to, the best first, each with its rank (smaller is better)."""
        best: dict[int, tuple[object, ...]] = {}
        for fit in self._fits_of(leaf.profile, leaf.record.key.system):
            if not fit.begins <= leaf.at <= fit.ends_late:
                continue
            rank = (leaf.at > fit.ends, *fit.rank)
            if fit.line not in best or rank < best[fit.line]:
                best[fit.line] = rank
        return sorted((rank, line) for line, rank in best.items())

    def _fits_of(self, profile: Profile, source: str) -> list["_Fit"]:
        known = self._fits.get((id(profile), source))
        if known is not None:
            return known[1]
        lines = {line for token in profile.tokens for line in self._by_token.get(token, ())}
        fits = [
            fit for line in sorted(lines) for e in self._lines[line] if (fit := self._fit(profile, source, line, e))
        ]
        self._fits[id(profile), source] = (profile, fits)
        return fits

    def _fit(self, profile: Profile, source: str, line: int, entry: Entry) -> "_Fit | None":
        """Return how well a product fits an entry; ``None``: not at all.

        The brand does not decide between two lines of one drug: pharmacies and wards exchange brands, and a line may not
        tell its own. A statement tells of the time until it was made, not of what came after.
        """
        tier = product_tier(entry.profile, profile)
        if tier is None and _vaguely_same(entry.profile, profile):
            tier = _VAGUE
        if tier is None or entry.never_valid:
            return None
        tolerance = self._rules.tolerance
        ends = _plus(min(entry.end, entry.said_at) if entry.kind in STATEMENT_KINDS else entry.end, tolerance)
        return _Fit(
            line,
            _minus(entry.start, tolerance),
            ends,
            max(ends, _plus(ends, self._after)),
            (tier == _VAGUE, entry.profile.strengths != profile.strengths, entry.source != source),
        )


def _vaguely_same(a: Profile, b: Profile) -> bool:
    routes = a.route is not None and a.route == b.route
    return a.matchable and b.matchable and same_drug(a, b) and not disjoint(a, b) and routes and b.form_group is None


def _plus(when: datetime, delta: timedelta) -> datetime:
    try:
        return when + delta
    except OverflowError:
        return when


def _minus(when: datetime, delta: timedelta) -> datetime:
    try:
        return when - delta
    except OverflowError:
        return when
