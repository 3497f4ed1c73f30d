"""The given layer of a line: administrations, summarised without losing what provenance needs."""

from bisect import bisect_right
from collections.abc import Iterable
from datetime import datetime

from contracts.facts.administration import Administration
from contracts.medication_list import Layer
from streams.reconcile.leaves import Leaf
from streams.reconcile.profile import strength_text

_DONE = frozenset({"completed", "in-progress"})


class GivenSummary:
    """All administrations of one line, in order of time."""

    def __init__(self, leaves: Iterable[Leaf]) -> None:
        self.leaves = sorted(leaves, key=lambda leaf: (leaf.at, leaf.record.key))
        self._times = [leaf.at for leaf in self.leaves]
        self.given = [leaf for leaf in self.leaves if was_given(leaf)]
        self._given_times = [leaf.at for leaf in self.given]

    @property
    def latest_leaves(self) -> list[Leaf]:
        """The last administration, as a list of one, or none."""
        return self.leaves[-1:]

    def by(self, when: datetime) -> list[Leaf]:
        """Return the administrations, given or not, by ``when``."""
        return self.leaves[: bisect_right(self._times, when)]

    def given_by(self, when: datetime) -> list[Leaf]:
        """Return what was given by ``when``."""
        return self.given[: bisect_right(self._given_times, when)]

    def given_after(self, when: datetime) -> list[Leaf]:
        """Return what was given at ``when`` or later."""
        index = bisect_right(self._given_times, when)
        while index and self._given_times[index - 1] == when:
            index -= 1
        return self.given[index:]

    def next_after(self, when: datetime) -> datetime | None:
        """Return the first administration time after ``when``."""
        index = bisect_right(self._times, when)
        return self._times[index] if index < len(self._times) else None

    def layer(self, when: datetime) -> Layer | None:
        """Return the given layer at ``when``."""
        if not self.leaves:
            return None
        seen = self.by(when)
        given = self.given_by(when)
        last = seen[-1] if seen else None
        shown = given[-1] if given else (last or self.leaves[0])
        content = last.content if last else None
        return Layer(
            product=shown.profile.name,
            npl_id=shown.profile.npl_id,
            strength=strength_text(shown.profile),
            form=shown.profile.form,
            source=shown.record.key.system,
            last_at=given[-1].at if given else None,
            last_outcome=content.outcome if isinstance(content, Administration) else None,
            count=len(given),
            not_given=len(seen) - len(given),
            facts=tuple(sorted(fact for leaf in self.leaves for fact in leaf.record.fact_ids)),
        )


def was_given(leaf: Leaf) -> bool:
    """Say whether something of it was given."""
    content = leaf.content
    return isinstance(content, Administration) and content.status in _DONE
