"""Lines of leaves that no order explains: one product each, no gap longer than the rules allow.

Which leaves are one line depends on the set alone: leaves of one product, in order of time, are cut where a gap is too long.
A new leaf that lies within a line's reach joins it; only one that closes a gap between two lines makes them one.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from streams.reconcile.ids import first_recorded, record_id
from streams.reconcile.leaves import Leaf
from streams.reconcile.line_item import Line
from streams.reconcile.policy import Rules
from streams.reconcile.profile import Profile
from streams.reconcile.records import Record

_Product = tuple[object, ...]


class _Run:
    """One line, from its first to its last leaf, named by the leaf that was recorded first."""

    def __init__(self, leaf: Leaf) -> None:
        self.first = self.last = leaf.at
        self.leading: Record = leaf.record
        name = record_id(leaf.record.key)
        self.line = Line(name, name, (), None)
        self.line.add(leaf)

    def add(self, leaf: Leaf) -> None:
        self.first, self.last = min(self.first, leaf.at), max(self.last, leaf.at)
        if first_recorded(leaf.record) < first_recorded(self.leading):
            self.leading = leaf.record
            self.line.treatment = self.line.strand = record_id(leaf.record.key)
        self.line.add(leaf)

    def reaches(self, when: datetime, gap: timedelta) -> bool:
        return self.first - gap <= when <= self.last + gap


class UnorderedLines:
    """All such lines of a bucket."""

    def __init__(self, rules: Rules) -> None:
        self._gap = timedelta(days=rules.matching.unordered_gap_days)
        self._runs: dict[_Product, list[_Run]] = {}

    def add(self, leaf: Leaf) -> list[Line]:
        """Take a leaf in; return the lines that changed, or are no more."""
        runs = self._runs.setdefault(_same_line(leaf.profile), [])
        near = [run for run in runs if run.reaches(leaf.at, self._gap)]
        if not near:
            runs.append(_Run(leaf))
            return []
        changed = [run.line for run in near]
        near[0].add(leaf)
        for run in near[1:]:
            for other in run.line.leaves():
                near[0].add(other)
            runs.remove(run)
        return changed

    def lines(self) -> Iterator[Line]:
        """Return the lines."""
        return (run.line for runs in self._runs.values() for run in runs)


def _same_line(profile: Profile) -> _Product:
    what: object = profile.substances or profile.atc or profile.npl_id or profile.codes
    return (what, profile.atc, profile.form_group, profile.route)
