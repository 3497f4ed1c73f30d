"""When whom is looked at next. Pure; monotonic seconds come in as data."""

import heapq
from itertools import count
from typing import Final

_SLACK: Final = 64


class Agenda:
    """One time per patient; setting it again replaces it."""

    def __init__(self) -> None:
        self._at: dict[str, tuple[float, int]] = {}
        self._heap: list[tuple[float, int, str]] = []
        self._order = count()

    def put(self, patient: str, at: float) -> None:
        """Look at the patient at ``at``, and at no other time."""
        entry = at, next(self._order)
        self._at[patient] = entry
        heapq.heappush(self._heap, (*entry, patient))
        if len(self._heap) > _SLACK + 2 * len(self._at):  # replaced entries are left behind
            self._heap = [one for one in self._heap if self._at.get(one[2]) == one[:2]]
            heapq.heapify(self._heap)

    def drop(self, patient: str) -> None:
        """The patient is not looked at any more."""
        self._at.pop(patient, None)

    def take(self, now: float, most: int) -> list[str]:
        """Return patients who are due, the longest first; they are off the agenda until they are put there again."""
        due: list[str] = []
        while self._heap and self._heap[0][0] <= now and len(due) < most:
            at, order, patient = heapq.heappop(self._heap)
            if self._at.get(patient) == (at, order):
                del self._at[patient]
                due.append(patient)
        return due

    def next_time(self) -> float | None:
        """Return when somebody may be due next; ``None`` when nobody is on it."""
        return self._heap[0][0] if self._heap else None
