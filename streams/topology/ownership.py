"""Which partitions are ours. Pure bookkeeping; the hooks of the rebalance drive it.

Rules: a partition is owned only while its restore is complete. When partitions are revoked they are parked; the next
generation may keep a parked partition as it is, because nobody can have owned it in between. After a longer absence it
is read back like any other. Were we ever wrong about that, the newer owner's fence would end us before harm is done.
"""

from collections.abc import Collection, Iterable, Mapping

import msgspec

from streams.topology.partition import OwnedPartition

NO_GENERATION = -1


class Handover(msgspec.Struct, frozen=True):
    """What a new assignment means: partitions kept as they are, those to read back, and those given up."""

    generation: int
    kept: Mapping[int, OwnedPartition]
    wanted: tuple[int, ...]
    given_up: tuple[OwnedPartition, ...]


class Ownership:
    """The partitions of this worker, by number."""

    def __init__(self) -> None:
        self._owned: dict[int, OwnedPartition] = {}
        self._parked: dict[int, OwnedPartition] = {}
        self._generation = NO_GENERATION
        self.restored = False
        """Whether an assignment (be it of nothing) is complete."""
        self.restoring = False
        """Whether one is being taken over; that has a limit of its own."""

    @property
    def owned(self) -> Mapping[int, OwnedPartition]:
        """The partitions that are ours and complete."""
        return self._owned

    @property
    def parked(self) -> Mapping[int, OwnedPartition]:
        """The partitions that were ours and may be kept by the next assignment."""
        return self._parked

    def park(self) -> tuple[OwnedPartition, ...]:
        """Partitions are revoked: nothing is owned until the next assignment is complete. Returns those given up."""
        given_up = _retire(self._parked.values())
        self._parked = self._owned
        self._owned = {}
        self.restored = False
        for partition in self._parked.values():
            partition.parked = True
            partition.forget_received()
        return given_up

    def hand_over(self, generation: int, numbers: Collection[int]) -> Handover:
        """A new assignment has come."""
        before = self._owned | self._parked
        self._owned, self._parked = {}, {}
        self.restored, self.restoring = False, True
        next_in_line = generation == self._generation + 1
        kept = {n: before[n] for n in numbers if next_in_line and n in before and not before[n].retired}
        for partition in kept.values():
            partition.parked = False
            partition.forget_received()
        return Handover(
            generation=generation,
            kept=kept,
            wanted=tuple(sorted(set(numbers) - set(kept))),
            given_up=_retire(partition for n, partition in before.items() if n not in kept),
        )

    def complete(self, handover: Handover, restored: Mapping[int, OwnedPartition]) -> None:
        """The assignment stands and is read back: from here on these are ours."""
        self._owned = {**handover.kept, **restored}
        self._generation = handover.generation
        self.restored, self.restoring = True, False

    def supersede(self, handover: Handover, restored: Mapping[int, OwnedPartition]) -> tuple[OwnedPartition, ...]:
        """A newer assignment came meanwhile: nothing of this one counts. Returns what is given up."""
        self.restoring = False
        return _retire([*handover.kept.values(), *restored.values()])


def _retire(partitions: Iterable[OwnedPartition]) -> tuple[OwnedPartition, ...]:
    retired = tuple(partitions)
    for partition in retired:
        partition.retired = True
    return retired
