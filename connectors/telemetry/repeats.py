"""What says the same again: written once, then counted, and written again with that count only after a while.

A library that tries again tells so each time, ten times a second for each of its tasks while a broker is away. The lines say
nothing new, and bury those that do.
"""

import threading
from collections import OrderedDict
from typing import Final

AGAIN_SECONDS: Final = 30.0
KNOWN_MOST: Final = 1_000


class Repeats:
    """Knows what was said, and how often since it was last written. Monotonic seconds come in as data. For any thread."""

    def __init__(self) -> None:
        self._lock = threading.RLock()  # what Python throws away in between, here too, may have its say
        self._known: OrderedDict[bytes, tuple[float, int]] = OrderedDict()

    def left_out(self, said: bytes, now: float) -> int | None:
        """Return how many like this were left out since one was written, if this is to be written; else `None`, and count it."""
        with self._lock:
            written_at, count = self._known.pop(said, (None, 0))
            if written_at is not None and now - written_at < AGAIN_SECONDS:
                self._known[said] = written_at, count + 1
                return None
            self._known[said] = now, 0
            if len(self._known) > KNOWN_MOST:
                self._known.popitem(last=False)
            return count
