"""Strands: the lines of a treatment. Parallel members of one chain (1 mg + 5 mg warfarin) stay separate lines.

Two entries of one source and kind that are in force at the same time, and of which neither replaces the other, cannot
be one line. Where there are none, the treatment is one line. Else lines grow from the strongest ties first: explicit
links between two records, the same product, the same strength; never across entries that are parallel.
"""

from collections.abc import Callable, Sequence

from contracts.values import Identifier
from streams.reconcile.entries import Entry
from streams.reconcile.evidence import held_at_once
from streams.reconcile.groups import Groups
from streams.reconcile.policy import Rules

_REPLACING_ROLES = frozenset({"predecessor", "successor"})
_DIRECT_ROLES = _REPLACING_ROLES | {"order", "prescription"}


def replacements(entries: Sequence[Entry]) -> dict[Identifier, list[Entry]]:
    """Return, per replaced record, the entries that replace it (a cancelled one replaces nothing).

    Who replaces a prescription replaces the order behind it, too: each further prescription counts as a new decision
    (RIVTA GetMedicationHistory TKB).
    """
    if not any(reference.role in _REPLACING_ROLES for entry in entries for reference in entry.references):
        return {}
    owners = {identifier: entry.key for entry in entries for identifier in entry.identifiers}
    by_key = {entry.key: entry for entry in entries}
    replaced: dict[Identifier, set[Identifier]] = {}
    for entry in entries:
        for reference in entry.references:
            other = owners.get(reference.target)
            if other is None or other == entry.key:
                continue
            if reference.role == "predecessor":
                replaced.setdefault(other, set()).add(entry.key)
            elif reference.role == "successor":
                replaced.setdefault(entry.key, set()).add(other)
    for old, new in _orders_behind(entries, replaced):
        replaced.setdefault(old, set()).add(new)
    return {
        key: [by_key[by] for by in sorted(keys) if not by_key[by].never_valid] for key, keys in sorted(replaced.items())
    }


def _orders_behind(
    entries: Sequence[Entry], replaced: dict[Identifier, set[Identifier]]
) -> list[tuple[Identifier, Identifier]]:
    """Return pairs of an order whose prescription was replaced, and the order (or prescription) that came instead."""
    order_of: dict[Identifier, Identifier] = {}
    orders = {entry.key for entry in entries if entry.kind == "outpatient_order"}
    for entry in entries:
        for reference in entry.references:
            if reference.role == "order" and reference.target in orders and entry.kind == "prescription":
                order_of[entry.key] = reference.target
            elif reference.role == "prescription" and entry.key in orders:
                order_of[reference.target] = entry.key
    return [
        (order_of[old], order_of.get(new, new))
        for old, news in replaced.items()
        for new in news
        if old in order_of and order_of[old] != order_of.get(new, new)
    ]


def strands(entries: Sequence[Entry], rules: Rules) -> list[list[Entry]]:
    """Return the lines of one treatment, each sorted by key."""
    if len(entries) == 1:
        return [list(entries)]
    parallel = _parallel(entries, rules)
    by_key = {entry.key: entry for entry in entries}
    groups = Groups(by_key)
    if not parallel:
        return [sorted(entries, key=lambda e: e.key)]
    for tied in (_directly_linked(entries), _same_product, _same_strength):
        _grow(groups, entries, parallel, tied)
    return [[by_key[key] for key in group] for group in groups.members()]


def _parallel(entries: Sequence[Entry], rules: Rules) -> set[tuple[Identifier, Identifier]]:
    replaced = replacements(entries)
    pairs = set()
    for i, a in enumerate(entries):
        for b in entries[i + 1 :]:
            follows = b in replaced.get(a.key, ()) or a in replaced.get(b.key, ())
            if not follows and held_at_once(a, b, rules):
                pairs |= {(a.key, b.key), (b.key, a.key)}
    return pairs


def _grow(
    groups: Groups[Identifier],
    entries: Sequence[Entry],
    parallel: set[tuple[Identifier, Identifier]],
    tied: Callable[[Entry, Entry], bool],
) -> None:
    """Join groups that are tied to each other alone; a group tied to two that cannot be one line stays out."""
    members = {group[0]: group for group in groups.members()}
    by_key = {entry.key: entry for entry in entries}
    ties = [
        (x, y)
        for x in members
        for y in members
        if x < y and any(tied(by_key[a], by_key[b]) for a in members[x] for b in members[y])
    ]
    tentative = Groups(members)
    for x, y in ties:
        tentative.join(x, y)
    for part in tentative.members():
        keys = [key for root in part for key in members[root]]
        if not any((a, b) in parallel for a in keys for b in keys):
            groups.join_all(part)


def _directly_linked(entries: Sequence[Entry]) -> Callable[[Entry, Entry], bool]:
    names = {entry.key: entry.identifiers for entry in entries}
    targets = {entry.key: {r.target for r in entry.references if r.role in _DIRECT_ROLES} for entry in entries}

    def tied(a: Entry, b: Entry) -> bool:
        return bool(names[a.key] & names[b.key] or targets[a.key] & names[b.key] or targets[b.key] & names[a.key])

    return tied


def _same_product(a: Entry, b: Entry) -> bool:
    return a.profile.npl_id is not None and a.profile.npl_id == b.profile.npl_id


def _same_strength(a: Entry, b: Entry) -> bool:
    return bool(a.profile.strengths) and a.profile.strengths == b.profile.strengths
