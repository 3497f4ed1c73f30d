"""The given layer of a line: administrations, summarised without losing what provenance needs.

Taking one in, and asking how many there were by a time, cost the same however many there are.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from datetime import datetime

from contracts.facts.administration import Administration
from contracts.medication_list import Layer
from contracts.values import Identifier
from streams.reconcile.leaves import Leaf
from streams.reconcile.ordered import put
from streams.reconcile.profile import strength_text

_Slot = tuple[datetime, Identifier, Leaf]


class GivenSummary:
    """All administrations of one line, in order of time."""

    def __init__(self) -> None:
        self._all: list[_Slot] = []
        self._given: list[_Slot] = []
        self._by_source: dict[str, list[datetime]] = {}

    def add(self, leaf: Leaf) -> None:
        """Take one more in."""
        slot = (leaf.at, leaf.record.key, leaf)
        put(self._all, slot, _order)
        put(self._by_source.setdefault(leaf.record.key.system, []), leaf.at, _itself)
        if leaf.given:
            put(self._given, slot, _order)

    def __bool__(self) -> bool:
        return bool(self._all)

    def leaves(self) -> Iterable[Leaf]:
        """Return all of them, in order of time."""
        return (leaf for _, _, leaf in self._all)

    def last_of_all(self) -> Leaf | None:
        """Return the last one, whenever."""
        return self._all[-1][2] if self._all else None

    def last(self, when: datetime) -> Leaf | None:
        """Return the last one by ``when``, given or not."""
        index = bisect_right(self._all, when, key=_time)
        return self._all[index - 1][2] if index else None

    def last_by_source(self, when: datetime) -> Iterator[tuple[str, datetime]]:
        """Yield when each source last told of one by ``when``, given or not."""
        for source, times in self._by_source.items():
            index = bisect_right(times, when)
            if index:
                yield source, times[index - 1]

    def last_given(self, when: datetime) -> Leaf | None:
        """Return the last one that was given by ``when``."""
        index = bisect_right(self._given, when, key=_time)
        return self._given[index - 1][2] if index else None

    def first_given(self, when: datetime, *, ordered: bool) -> Leaf | None:
        """Return the first one given by ``when``; with ``ordered`` false only one that no directive covers."""
        for at, _, leaf in self._given:
            if at > when:
                return None
            if ordered or not (isinstance(leaf.content, Administration) and leaf.content.directive):
                return leaf
        return None

    def given_between(self, start: datetime, end: datetime) -> tuple[Leaf, Leaf] | None:
        """Return the first and the last given in ``[start, end]``, or ``None``."""
        low, high = bisect_left(self._given, start, key=_time), bisect_right(self._given, end, key=_time)
        return (self._given[low][2], self._given[high - 1][2]) if low < high else None

    def next_after(self, when: datetime) -> datetime | None:
        """Return the first administration time after ``when``."""
        index = bisect_right(self._all, when, key=_time)
        return self._all[index][0] if index < len(self._all) else None

    def layer(self, when: datetime) -> Layer | None:
        """Return the given layer at ``when``."""
        if not self._all:
            return None
        seen = bisect_right(self._all, when, key=_time)
        count = bisect_right(self._given, when, key=_time)
        given = self._given[count - 1][2] if count else None
        last = self._all[seen - 1][2] if seen else None
        shown = given or last or self._all[0][2]
        content = last.content if last else None
        facts = {fact for leaf in (given, last) if leaf is not None for fact in leaf.record.fact_ids}
        return Layer(
            product=shown.profile.name,
            npl_id=shown.profile.npl_id,
            strength=strength_text(shown.profile),
            form=shown.profile.form,
            source=shown.record.key.system,
            last_at=given.at if given else None,
            last_outcome=content.outcome if isinstance(content, Administration) else None,
            count=count,
            not_given=seen - count,
            facts=tuple(sorted(facts)),
        )


def _order(slot: _Slot) -> tuple[datetime, Identifier]:
    return slot[0], slot[1]


def _time(slot: _Slot) -> datetime:
    return slot[0]


def _itself(at: datetime) -> datetime:
    return at
