"""Blocks (spärr): what they cover is taken out before anything is matched, so that nothing of it can shine through.

A block counts from its newest version, whatever time is asked for (fail closed); it ends when it is lifted or when its
period is over. A block on a record covers all that sources link to that record (NLL handbook TA36: the whole chain).
A block on a source or unit covers what that source or unit wrote, and what only follows from it: its dispenses, rolls and
administrations, and a prescription of the same source that names no unit of its own.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

import msgspec

from contracts.facts.base import TreatmentContent
from contracts.facts.person import Block
from contracts.values import Identifier, Practitioner
from streams.reconcile.entries import LINKING_ROLES, identifiers_of, references_of
from streams.reconcile.groups import Groups
from streams.reconcile.records import HEAD_TYPES, Record

_FOLLOWING_ROLES = frozenset({"order", "prescription", "plan"})


class Split(msgspec.Struct, frozen=True):
    """Records that may be shown, and blocked ones with the id of the block's fact."""

    open: list[Record]
    blocked: list[tuple[Record, str]]


def in_force(blocks: Iterable[Record], when: datetime) -> list[tuple[Block, str]]:
    """Return the blocks that count at ``when``."""
    found = []
    for record in blocks:
        content = record.newest.content
        if not isinstance(content, Block) or content.status == "lifted":
            continue
        if content.period.end is None or when < content.period.end:
            found.append((content, record.newest.id))
    return found


def boundaries(blocks: Iterable[Record]) -> Iterator[datetime]:
    """Return the moments at which a block ends by itself."""
    for record in blocks:
        content = record.newest.content
        if isinstance(content, Block) and content.status == "set" and content.period.end is not None:
            yield content.period.end


def split(records: Sequence[Record], blocks: Sequence[tuple[Block, str]]) -> Split:
    """Return which records are covered by a block."""
    if not blocks:
        return Split(list(records), [])
    reach = _Reach(records) if any(block.scope == "record" for block, _ in blocks) else None
    opened: list[Record] = []
    covered: list[tuple[Record, str]] = []
    for record in records:
        by = sorted(fact for block, fact in blocks if _covers(block, record, reach))
        if by:
            covered.append((record, by[0]))
        else:
            opened.append(record)
    return _with_followers(opened, covered)


def _with_followers(opened: list[Record], covered: list[tuple[Record, str]]) -> Split:
    """Return the split with what refers to covered records, and to no open one, covered as well."""
    for follows in (_is_shadow, _is_leaf):
        named = {identifier: by for record, by in covered for identifier in identifiers_of(record)}
        sources = {identifier: record.key.system for record, _ in covered for identifier in identifiers_of(record)}
        free = {identifier for record in opened for identifier in identifiers_of(record)}
        still: list[Record] = []
        for record in opened:
            targets = {r.target for r in references_of(record) if r.role in _FOLLOWING_ROLES}
            hit = sorted(targets & named.keys())
            if hit and not targets & free and follows(record, {sources[target] for target in hit}):
                covered.append((record, named[hit[0]]))
            else:
                still.append(record)
        opened = still
    return Split(opened, covered)


def _is_shadow(record: Record, sources: set[str]) -> bool:
    """Say whether an order or prescription is another face of a covered one: of its source, with no unit of its own."""
    content = record.newest.content
    if not isinstance(content, HEAD_TYPES) or record.key.system not in sources:
        return False
    return not any(True for scope in ("care-unit", "care-giver") for _ in _organisations(content, scope))


def _is_leaf(record: Record, _: set[str]) -> bool:
    return not isinstance(record.newest.content, HEAD_TYPES)


def _covers(block: Block, record: Record, reach: "_Reach | None") -> bool:
    if block.scope == "all":
        return True
    if block.target is None:
        return True
    if block.scope == "source":
        return record.key.system == block.target.value
    if block.scope == "record":
        return reach is not None and reach.linked(block.target, record.key)
    units = {unit for fact in record.versions for unit in _organisations(fact.content, block.scope)}
    return any(unit.value == block.target.value for unit in units)


def _organisations(content: object, scope: str) -> Iterator[Identifier]:
    for name in ("prescriber", "performer"):
        who: Practitioner | None = getattr(content, name, None)
        if who is not None:
            unit = who.care_unit if scope == "care-unit" else who.care_giver
            if unit is not None:
                yield unit


class _Reach:
    """Which records sources link to each other, directly or over others."""

    def __init__(self, records: Sequence[Record]) -> None:
        names: dict[Record, set[Identifier]] = {}
        for record in records:
            if isinstance(record.newest.content, TreatmentContent):
                linked = {r.target for r in references_of(record) if r.role in LINKING_ROLES}
                names[record] = set(identifiers_of(record)) | linked
        self._groups = Groups({identifier for group in names.values() for identifier in group})
        for group in names.values():
            self._groups.join_all(sorted(group))
        self._known = {identifier for group in names.values() for identifier in group}

    def linked(self, a: Identifier, b: Identifier) -> bool:
        return a == b or (a in self._known and b in self._known and self._groups.find(a) == self._groups.find(b))
