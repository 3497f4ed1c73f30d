"""Not more than so many requests a second: evenly, without bursts, whoever asks."""

import asyncio
from collections.abc import Callable


class Pace:
    """Gives turns ``1 / per_second`` apart. ``monotonic`` gives seconds that only rise."""

    def __init__(self, per_second: float, monotonic: Callable[[], float]) -> None:
        self._apart = 1.0 / per_second
        self._monotonic = monotonic
        self._next = 0.0

    async def turn(self) -> None:
        """Wait for a turn."""
        now = self._monotonic()
        at = max(now, self._next)
        self._next = at + self._apart
        if at > now:
            await asyncio.sleep(at - now)
