"""How far a rebuild is, over all partitions, and how long it will take. Pure; monotonic seconds come in as data."""

from collections.abc import Collection

from streams.topology.rebuilding.partition import Step

READING_SHARE = 0.15
"""The share of the work that is reading and grouping; the rest is folding. Only the time left depends on it."""


class Progress:
    """Takes steps of partitions in any order; `begun` is the moment of the start."""

    def __init__(self, partitions: Collection[int], begun: float) -> None:
        self._steps: dict[int, Step | None] = dict.fromkeys(partitions)
        self._done: set[int] = set()
        self._begun = begun

    def step(self, step: Step) -> None:
        """A partition has come further."""
        self._steps[step.number] = step

    def done(self, number: int) -> None:
        """A partition is finished."""
        self._done.add(number)

    @property
    def facts(self) -> int:
        """Facts read so far."""
        return sum(step.facts for step in self._steps.values() if step is not None)

    @property
    def share(self) -> float:
        """How much is done, from 0 to 1."""
        if not self._steps:
            return 1.0
        return sum(1.0 if number in self._done else _share(step) for number, step in self._steps.items()) / len(
            self._steps
        )

    def seconds_left(self, now: float) -> float | None:
        """A guess from the pace so far; `None` before there is one."""
        share = self.share
        return (now - self._begun) / share * (1 - share) if share > 0 else None

    def text(self, now: float) -> str:
        """One line for people."""
        left = self.seconds_left(now)
        rate = self.facts / max(now - self._begun, 0.001)
        told = "" if left is None else f", about {left:.0f} s left"
        return f"{self.share:4.0%}  {self.facts:,} facts read ({rate:,.0f}/s), {len(self._done)} of {len(self._steps)} partitions done{told}"


def _share(step: Step | None) -> float:
    if step is None:
        return 0.0
    reading = step.read / step.records if step.records else 1.0
    folding = step.folded / step.facts if step.facts else 0.0
    return READING_SHARE * reading + (1 - READING_SHARE) * folding
