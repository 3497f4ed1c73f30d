"""Faults on purpose: each switch strikes with its own probability, from its own seeded sequence.

latency            wait before anything else
too_many_requests  429 with Retry-After
server_error       5xx, nothing done
expire_token       every issued token is forgotten, this request gets 401
version_conflict   writes: 409 or 412, nothing stored
stale_read         reads see the patient as before the last write
drop_after_commit  the write is stored, the connection closes without an answer
error_after_commit the write is stored, the answer is 5xx
"""

import random
from collections.abc import Mapping
from typing import Final, Literal

import msgspec

from connectors.nll_sandbox.outcomes import Issue, Refusal

FaultName = Literal[
    "latency",
    "too_many_requests",
    "server_error",
    "expire_token",
    "version_conflict",
    "stale_read",
    "drop_after_commit",
    "error_after_commit",
]


class Switch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How often a fault strikes (0 to 1), and its details.

    ``seconds`` of latency, ``status`` of a refusal, ``retry_after`` seconds told with a 429.
    """

    probability: float
    seconds: float = 0.05
    status: int | None = None
    retry_after: int = 1

    def __post_init__(self) -> None:
        if not 0 <= self.probability <= 1:
            raise ValueError("probability lies between 0 and 1")


class FaultPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which switches are on, and the seed of their sequences."""

    seed: int = 0
    switches: Mapping[FaultName, Switch] = {}


class Drawn(msgspec.Struct, frozen=True, kw_only=True):
    """What strikes one request."""

    latency_seconds: float = 0.0
    refusal: Refusal | None = None
    expires_tokens: bool = False
    stale_read: bool = False
    drops: bool = False
    late_error: Refusal | None = None


NOTHING: Final = Drawn()
_STATUS: Final[Mapping[str, int]] = {"server_error": 503, "version_conflict": 412, "error_after_commit": 502}


class Faults:
    """The switches, and how often each has struck."""

    def __init__(self) -> None:
        self.plan = FaultPlan()
        self.struck: dict[str, int] = {}
        self._sequences: dict[str, random.Random] = {}

    def switch(self, plan: FaultPlan) -> None:
        """Use another plan; sequences begin anew."""
        self.plan = plan
        self.struck = {}
        self._sequences = {name: random.Random(f"{plan.seed}:{name}") for name in plan.switches}  # noqa: S311 - tests

    def draw(self, *, writes: bool) -> Drawn:
        """What strikes the next request."""
        if not self.plan.switches:
            return NOTHING
        on = {name for name in self.plan.switches if self._strikes(name, writes=writes)}
        refusing = ("too_many_requests", "server_error", "expire_token", "version_conflict")
        first = next((name for name in refusing if name in on), None)
        if first is not None:
            on -= {"drop_after_commit", "error_after_commit", "stale_read", *refusing} - {first}
        for name in on:
            self.struck[name] = self.struck.get(name, 0) + 1
        return Drawn(
            latency_seconds=self.plan.switches["latency"].seconds if "latency" in on else 0.0,
            refusal=None if first is None else self._refusal(first),
            expires_tokens=first == "expire_token",
            stale_read="stale_read" in on,
            drops="drop_after_commit" in on,
            late_error=self._refusal("error_after_commit") if "error_after_commit" in on else None,
        )

    def _strikes(self, name: FaultName, *, writes: bool) -> bool:
        only_writes = name in {"version_conflict", "drop_after_commit", "error_after_commit"}
        if (only_writes and not writes) or (name == "stale_read" and writes):
            return False
        return self._sequences[name].random() < self.plan.switches[name].probability

    def _refusal(self, name: FaultName) -> Refusal:
        switch = self.plan.switches[name]
        status = switch.status or _STATUS.get(name, 503)
        match name:
            case "too_many_requests":
                issue = Issue(code="too-many-requests", kind="throttled", text="Too many requests; wait.")
                return Refusal(429, (issue,), {"Retry-After": str(switch.retry_after)})
            case "expire_token":
                issue = Issue(code="token-expired", kind="login", text="The token has expired; fetch a new one.")
                return Refusal(401, (issue,), {"WWW-Authenticate": 'Bearer error="invalid_token"'})
            case "version_conflict":
                text = "The resource has changed since it was read; read it again."
                return Refusal(status, (Issue(code="version-stale", kind="conflict", text=text),))
            case _:
                return Refusal(status, (Issue(code="unavailable", kind="transient", text="Try again later."),))
