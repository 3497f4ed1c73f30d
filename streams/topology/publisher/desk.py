"""The desk: which patient's list is next. Pure; monotonic seconds come in as data.

Rules.
- One attempt per patient at a time, ``parallel`` patients at the same time, first come first served.
- A newer list of a patient replaces the one that waits; the replaced one is done with. It does not touch the attempt under
  way, but comes right after it.
- An attempt that failed waits for its time, unless a newer list came meanwhile: that one is due at once.
"""

import heapq
from collections.abc import Iterable
from itertools import count
from typing import Final

import msgspec

from contracts.publication import Done
from streams.publish.execute import Job

_SLACK: Final = 64


class Place(msgspec.Struct, frozen=True):
    """Where a list's record stands, and in which of our turns with that partition it was taken.

    ``counted``: it was taken in the log's order, so that its offset is to be committed; not so where a person asked for it.
    """

    partition: int
    offset: int
    turn: int = 0
    counted: bool = True


class Task(msgspec.Struct):
    """One list on its way: where it stands in the log, what it asks for, and what has been tried.

    ``erased``: the patient's list was removed for good while it was under way.
    """

    patient: str
    place: Place
    job: Job
    wanted: str
    failures: int = 0
    done: tuple[Done, ...] = ()
    told: tuple[str, ...] | None = None
    erased: bool = False


class Desk:
    """Everything that waits or is under way in this process."""

    def __init__(self, parallel: int) -> None:
        self._parallel = parallel
        self._waiting: dict[str, Task] = {}
        self._flying: dict[str, Task] = {}
        self._due: list[tuple[float, int, Task]] = []
        self._order = count()

    @property
    def waiting(self) -> int:
        """How many patients wait."""
        return len(self._waiting)

    @property
    def flying(self) -> int:
        """How many patients are being worked on."""
        return len(self._flying)

    def arrived(self, task: Task, now: float) -> Place | None:
        """A list came; return the place of the waiting one that it replaces, which is thereby done with."""
        replaced = self._waiting.get(task.patient)
        self._wait(task, now)
        return None if replaced is None else replaced.place

    def forget(self, patient: str) -> Place | None:
        """The patient's list is gone; return the place of the one that waited, which is thereby done with."""
        if patient in self._flying:
            self._flying[patient].erased = True
        gone = self._waiting.pop(patient, None)
        return None if gone is None else gone.place

    def knows(self, patient: str) -> bool:
        """Return whether a list of the patient waits or is under way."""
        return patient in self._waiting or patient in self._flying

    def next_due(self, now: float) -> Task | None:
        """Return a task to begin now, and count it as under way; ``None`` when none is due or all hands are full."""
        put_back = []
        found: Task | None = None
        while self._due and self._due[0][0] <= now and found is None and len(self._flying) < self._parallel:
            entry = heapq.heappop(self._due)
            task = entry[2]
            if self._waiting.get(task.patient) is not task:
                continue  # replaced or dropped
            if task.patient in self._flying:
                put_back.append(entry)
                continue
            del self._waiting[task.patient]
            self._flying[task.patient] = found = task
        for entry in put_back:
            heapq.heappush(self._due, entry)
        return found

    def ended(self, task: Task) -> None:
        """The attempt is over, and the task with it."""
        del self._flying[task.patient]

    def try_again(self, task: Task, at: float) -> bool:
        """The attempt is over; the task waits until ``at``. Return False when a newer list took its place."""
        del self._flying[task.patient]
        if task.patient in self._waiting:
            return False
        self._wait(task, at)
        return True

    def drop_partitions(self, partitions: Iterable[int]) -> None:
        """Forget what waits of partitions that are no longer ours."""
        gone = set(partitions)
        for patient in [name for name, task in self._waiting.items() if task.place.partition in gone]:
            del self._waiting[patient]

    def flying_of(self, partitions: Iterable[int]) -> int:
        """Return how many attempts of these partitions are under way."""
        wanted = set(partitions)
        return sum(task.place.partition in wanted for task in self._flying.values())

    def next_time(self) -> float | None:
        """Return when something may be due next; ``None`` when nothing waits."""
        return self._due[0][0] if self._due else None

    def _wait(self, task: Task, at: float) -> None:
        self._waiting[task.patient] = task
        heapq.heappush(self._due, (at, next(self._order), task))
        if len(self._due) > _SLACK + 2 * len(self._waiting):  # replaced tasks are left behind
            self._due = [entry for entry in self._due if self._waiting.get(entry[2].patient) is entry[2]]
            heapq.heapify(self._due)
