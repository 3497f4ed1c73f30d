"""Which entries are one treatment: explicit components, then inferred links, decided over the set.

Explicit links are followed transitively, also through ids that nobody has sent yet. Inferred links merge a connected
part only if nothing in it is kept apart; else only links that are mutually and uniquely the best survive; what still
holds two that are apart loses all its inferred links and gets a finding. Persons' decisions are the strongest.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from contracts.facts.correction import Decision
from contracts.values import Identifier
from streams.reconcile.entries import Entry
from streams.reconcile.evidence import LASTING_KINDS, RULE_OF, apart, closeness, disjoint, inferred, restarted
from streams.reconcile.groups import Groups
from streams.reconcile.policy import Rules
from streams.reconcile.records import Record

MOST_COMPONENTS: Final = 400
"""Beyond this many groups that could be one drug, nothing is inferred: it is a flood, and cost would grow with its square."""

Pair = tuple[Identifier, Identifier]
Link = tuple[int, tuple[object, ...]]
"""Tier, and rank among rivals."""


class Note(msgspec.Struct, frozen=True):
    """Something noticed on the way: a finding's code, the records it is about, details without personal data."""

    code: str
    records: tuple[Identifier, ...]
    detail: tuple[tuple[str, str], ...] = ()


class Matched(msgspec.Struct, kw_only=True):
    """The treatments: groups of entries; why inferred links stand; what was noticed."""

    treatments: list[list[Entry]]
    because: dict[Identifier, str]
    notes: list[Note]


class Wishes(msgspec.Struct, frozen=True):
    """What persons have decided: pairs of records that are, or are not, one treatment."""

    same: frozenset[Pair] = frozenset()
    different: frozenset[Pair] = frozenset()


def wishes(decisions: Iterable[Record]) -> Wishes:
    """Return the matching decisions; of two about the same pair, the later recorded counts."""
    said: dict[Pair, str] = {}
    ordered = sorted(decisions, key=lambda r: (r.newest.recorded_at or r.newest.received_at, r.newest.id))
    for record in ordered:
        content = record.newest.content
        if isinstance(content, Decision) and content.kind in {"same-treatment", "different-treatment"}:
            keys = sorted(content.records)
            said |= {(a, b): content.kind for i, a in enumerate(keys) for b in keys[i + 1 :]}
    return Wishes(
        frozenset(pair for pair, kind in said.items() if kind == "same-treatment"),
        frozenset(pair for pair, kind in said.items() if kind == "different-treatment"),
    )


def match(entries: Sequence[Entry], decided: Wishes, rules: Rules) -> Matched:
    """Return the treatments of the entries.

    Inference goes in three rounds, each over what the round before has settled: what lasts (out-patient orders and
    prescriptions); then in-patient orders; then statements (list rows, reports). A later round joins its entries to
    settled treatments, or to each other, and never one settled treatment to another.
    """
    if len(entries) == 1:
        return Matched(treatments=[list(entries)], because={}, notes=[])
    by_key = {entry.key: entry for entry in entries}
    notes: list[Note] = []
    explicit = _explicit(entries, decided, notes)
    components = {group[0]: [by_key[key] for key in group] for group in explicit.members()}
    because: dict[Identifier, str] = {}
    settled: dict[Identifier, list[Entry]] = {}
    for stage in _stages(components):
        if not stage:
            continue
        around = {**settled, **stage}
        if len(around) > MOST_COMPONENTS:
            settled = around
            continue
        matcher = _Inference(around, frozenset(settled), decided, rules)
        groups = Groups(around)
        for part in matcher.parts():
            for a, b, tier in matcher.links_that_stand(part, notes):
                groups.join(a, b)
                for key in (a, b):
                    because[key] = min(because.get(key, RULE_OF[tier]), RULE_OF[tier])
        settled = {group[0]: [e for root in group for e in around[root]] for group in groups.members()}
    found = [sorted(settled[root], key=lambda e: e.key) for root in sorted(settled)]
    return Matched(treatments=found, because=because, notes=sorted(set(notes), key=lambda n: (n.code, n.records)))


def _stages(components: dict[Identifier, list[Entry]]) -> list[dict[Identifier, list[Entry]]]:
    stages: list[dict[Identifier, list[Entry]]] = [{}, {}, {}]
    for root, members in components.items():
        kinds = {entry.kind for entry in members}
        number = 0 if kinds & set(LASTING_KINDS) else 1 if "inpatient_order" in kinds else 2
        stages[number][root] = members
    return stages


def _explicit(entries: Sequence[Entry], decided: Wishes, notes: list[Note]) -> Groups[Identifier]:
    """Join what sources link.

    A link between disjoint substances is not used; an entry whose substances are unknown joins only where it cannot
    bridge two groups. Two that a person has set apart stay apart: where others would tie them together all the same,
    sources' links count for neither of them, and what belongs to which is a finding.
    """
    keys = {entry.key for entry in entries}
    noticed: list[Note] = []
    known = _join(entries, frozenset(), decided, noticed)
    torn = frozenset(
        key for a, b in decided.different if {a, b} <= keys and known.find(a) == known.find(b) for key in (a, b)
    )
    if torn:
        noticed = [Note("ambiguous-match", tuple(sorted(torn)))]
        known = _join(entries, torn, decided, noticed)
    notes += noticed
    return known


def _join(
    entries: Sequence[Entry], alone: frozenset[Identifier], decided: Wishes, notes: list[Note]
) -> Groups[Identifier]:
    """Join entries through the ids that they share, leaving those in ``alone`` by themselves."""
    hubs: dict[Identifier, list[Entry]] = {}
    known = Groups(e.key for e in entries)
    linked = [entry for entry in entries if entry.key not in alone]
    vague = Groups(e.key for e in linked)
    for entry in linked:
        for hub in entry.hubs:
            hubs.setdefault(hub, []).append(entry)
    for hub in sorted(hubs):
        members = hubs[hub]
        if len(members) == 1:
            continue
        classes = _agreeing([e for e in members if e.profile.substances])
        for group in classes:
            _join_undecided(known, group, decided)
        vague.join_all(e.key for e in members if not e.profile.substances)
        if len(classes) > 1:
            notes.append(Note("reference-contradicts-substance", tuple(sorted(e.key for e in members))))
    _join_vague(linked, hubs, (known, vague), notes)
    linkable = {entry.key for entry in linked}
    for a, b in sorted(decided.same):
        if a in linkable and b in linkable:
            known.join(a, b)
    return known


def _agreeing(members: Sequence[Entry]) -> list[list[Entry]]:
    """Return classes of members that share substances, directly or over another."""
    if all(e.profile.substances == members[0].profile.substances for e in members):
        return [list(members)] if members else []
    groups = Groups(range(len(members)))
    for i, a in enumerate(members):
        for j in range(i + 1, len(members)):
            if not disjoint(a.profile, members[j].profile):
                groups.join(i, j)
    return [[members[i] for i in group] for group in groups.members()]


def _join_undecided(groups: Groups[Identifier], members: Sequence[Entry], decided: Wishes) -> None:
    if not decided.different:
        groups.join_all(e.key for e in members)
        return
    keys = sorted(e.key for e in members)
    for i, a in enumerate(keys):
        for b in keys[i + 1 :]:
            if (a, b) not in decided.different:
                groups.join(a, b)


def _join_vague(
    entries: Sequence[Entry],
    hubs: dict[Identifier, list[Entry]],
    groups: tuple[Groups[Identifier], Groups[Identifier]],
    notes: list[Note],
) -> None:
    known, vague = groups
    by_key = {entry.key: entry for entry in entries}
    for group in vague.members():
        members = [by_key[key] for key in group if not by_key[key].profile.substances]
        if not members:
            continue
        targets = {
            known.find(other.key) for e in members for hub in e.hubs for other in hubs[hub] if other.profile.substances
        }
        if len(targets) > 1:
            notes.append(Note("reference-to-several", tuple(e.key for e in members)))
        else:
            known.join_all([*(e.key for e in members), *targets])


class _Inference:
    """Inferred links between components. Two that are ``settled`` are never joined."""

    def __init__(
        self,
        components: dict[Identifier, list[Entry]],
        settled: frozenset[Identifier],
        decided: Wishes,
        rules: Rules,
    ) -> None:
        self._components = components
        self._settled = settled
        self._decided = decided
        self._rules = rules
        self._links: dict[Pair, Link] = {}
        self._apart: dict[Pair, bool] = {}
        for a, b in self._candidates():
            link = self._best_link(a, b)
            if link is not None and not self._kept_apart_by_person(a, b):
                self._links[a, b] = link

    def _candidates(self) -> list[Pair]:
        """Return pairs of components that share a product, code, group, ATC code or substance."""
        buckets: dict[object, set[Identifier]] = {}
        for root, entries in self._components.items():
            for e in entries:
                for token in e.profile.tokens:
                    buckets.setdefault(token, set()).add(root)
        pairs = {(a, b) for roots in buckets.values() if len(roots) > 1 for a in roots for b in roots if a < b}
        return sorted((a, b) for a, b in pairs if not (a in self._settled and b in self._settled))

    def _best_link(self, a: Identifier, b: Identifier) -> Link | None:
        best: Link | None = None
        for left in self._components[a]:
            for right in self._components[b]:
                tier = inferred(left, right, self._rules)
                if tier is not None:
                    link = (tier, closeness(left, right, tier))
                    if best is None or link[1] < best[1]:
                        best = link
        return best

    def _kept_apart_by_person(self, a: Identifier, b: Identifier) -> bool:
        different = self._decided.different
        return bool(different) and any(
            (min(x.key, y.key), max(x.key, y.key)) in different
            for x in self._components[a]
            for y in self._components[b]
        )

    def _is_apart(self, a: Identifier, b: Identifier) -> bool:
        pair = (a, b) if a < b else (b, a)
        if pair not in self._apart:
            left, right = self._components[pair[0]], self._components[pair[1]]
            both_settled = pair[0] in self._settled and pair[1] in self._settled
            self._apart[pair] = both_settled or self._kept_apart_by_person(*pair) or apart(left, right, self._rules)
        return self._apart[pair]

    def parts(self) -> list[list[Identifier]]:
        """Return the parts that inferred links connect, of two components and more."""
        return [part for part in self._parts(self._components, self._links) if len(part) > 1]

    @staticmethod
    def _parts(roots: Iterable[Identifier], links: Iterable[Pair]) -> list[list[Identifier]]:
        groups = Groups(roots)
        for a, b in links:
            groups.join(a, b)
        return groups.members()

    def _torn(self, part: Sequence[Identifier]) -> bool:
        """Say whether a part holds two that are apart, or entries of one source and kind with a gap between them."""
        if any(self._is_apart(a, b) for i, a in enumerate(part) for b in part[i + 1 :]):
            return True
        by_kind: dict[tuple[str, str], set[Identifier]] = {}
        for root in part:
            for e in self._components[root]:
                if e.kind in LASTING_KINDS and not e.never_valid:
                    by_kind.setdefault((e.source, e.kind), set()).add(root)
        return any(len(roots) > 1 and not self._goes_over(roots) for roots in by_kind.values())

    def _goes_over(self, roots: set[Identifier]) -> bool:
        """Say whether the components follow each other without a gap, by their source's own stops and starts."""
        groups = Groups(roots)
        for a in roots:
            for b in roots:
                if a < b and not restarted(self._components[a], self._components[b], self._rules):
                    groups.join(a, b)
        return len(groups.members()) == 1

    def links_that_stand(
        self, part: Sequence[Identifier], notes: list[Note]
    ) -> list[tuple[Identifier, Identifier, int]]:
        """Return the links of a part that may be used."""
        inside = set(part)
        links = {pair: link for pair, link in self._links.items() if pair[0] in inside}
        if not self._torn(part):
            return [(a, b, tier) for (a, b), (tier, _) in sorted(links.items())]
        clusters = Groups(part)
        standing = []
        while chosen := self._mutual(clusters, links):
            for a, b in chosen:
                clusters.join(a, b)
                standing.append((a, b, links[a, b][0]))
        unsure = {
            key
            for a, b in links
            if clusters.find(a) is not clusters.find(b) and not self._is_apart(a, b)
            for key in (a, b)
        }
        if unsure:
            notes.append(Note("ambiguous-match", tuple(sorted(unsure))))
        return standing

    def _mutual(self, clusters: Groups[Identifier], links: Mapping[Pair, Link]) -> list[Pair]:
        """Return the links between clusters that both ends prefer to every other, without a tie.

        Clusters that hold members which are apart are never joined, so no round can bring two apart ones together.
        """
        members = {group[0]: group for group in clusters.members()}
        between: dict[Pair, tuple[tuple[object, ...], Pair]] = {}
        barred: set[Pair] = set()
        for (a, b), (_, rank) in sorted(links.items()):
            x, y = sorted((clusters.find(a), clusters.find(b)))
            if x == y or (x, y) in barred:
                continue
            if (x, y) not in between and self._barred(members[x], members[y]):
                barred.add((x, y))
                continue
            if (x, y) not in between or rank < between[x, y][0]:
                between[x, y] = (rank, (a, b))
        best: dict[Identifier, Pair | None] = {}
        for key in members:
            mine = sorted((rank, pair) for pair, (rank, _) in between.items() if key in pair)
            tied = len(mine) > 1 and mine[0][0] == mine[1][0]
            best[key] = None if not mine or tied else mine[0][1]
        return [between[pair][1] for pair in sorted(between) if best[pair[0]] == best[pair[1]] == pair]

    def _barred(self, left: Sequence[Identifier], right: Sequence[Identifier]) -> bool:
        if any(self._is_apart(a, b) for a in left for b in right):
            return True
        entries = [[e for root in side for e in self._components[root]] for side in (left, right)]
        return restarted(entries[0], entries[1], self._rules)
