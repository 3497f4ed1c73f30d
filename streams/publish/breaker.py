"""The circuit breaker of one endpoint: when it does not answer, leave it alone, then ask with one request.

    closed --(failures_to_open in a row)--> open --(its time is over)--> half-open --(probe succeeds)--> closed
                                             ^------------------(probe fails)----'

Pure: monotonic seconds and waits come in as data.
"""

from typing import Literal

import msgspec

BreakerState = Literal["closed", "open", "half-open"]


class BreakerLimits(msgspec.Struct, frozen=True, kw_only=True):
    """``failures_to_open``: how many attempts in a row, of whichever patients, must fail."""

    failures_to_open: int = 5


class Breaker:
    """Says whether an attempt may begin. What an attempt meets is told to it."""

    def __init__(self, limits: BreakerLimits) -> None:
        self._limits = limits
        self._failures = 0
        self._opened_times = 0
        self._open_until: float | None = None
        self._probing = False

    @property
    def opened_times(self) -> int:
        """How often it opened since it last closed: what its next wait grows with."""
        return self._opened_times

    def state(self, now: float) -> BreakerState:
        """Return where it stands."""
        if self._open_until is None:
            return "closed"
        return "open" if now < self._open_until else "half-open"

    def may_begin(self, now: float) -> bool:
        """Return whether one more attempt may begin now: any in closed, one in half-open, none in open."""
        state = self.state(now)
        return state == "closed" or (state == "half-open" and not self._probing)

    def began(self, now: float) -> None:
        """An attempt begins; in half-open it is the probe."""
        self._probing = self.state(now) == "half-open"

    def succeeded(self) -> bool:
        """The endpoint answered; return whether that closed the breaker."""
        closed = self._open_until is not None
        self._failures, self._opened_times, self._open_until, self._probing = 0, 0, None, False
        return closed

    def failed(self, now: float, wait_seconds: float) -> bool:
        """The endpoint did not answer; return whether that opened the breaker, for ``wait_seconds``."""
        self._failures += 1
        state = self.state(now)
        if state == "open" or (state == "closed" and self._failures < self._limits.failures_to_open):
            return False
        self._open_until = now + wait_seconds
        self._opened_times += 1
        self._probing = False
        return True
