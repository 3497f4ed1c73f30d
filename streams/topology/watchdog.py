"""The watchdog: input waits while our position stands still, or no assignment comes to an end: the process ends.

It is the answer to every fault that raises nothing: a fetcher that stopped, a consumer that fell out of its group, an
flow that stands still, a lost tail. The restart fetches anew. A broker that is slow or away is none of them; which is which:

- No broker answers, or not within `connectors.kafka.ends.GIVE_UP_SECONDS`: nothing is concluded, and every clock starts anew once one does.
- One partition has no leader: nothing is concluded of that one.
- A broker answers, input waits, and our position moves, however slowly: the broker, or we, are slow. The lag tells it.
- A broker answers, input waits, and our position has not moved for `watchdog_seconds`: we are stuck.
- The event loop has not turned, since a batch was being applied: nobody could move, and every clock starts anew; how long that may
  take is its guard's to judge (`streams.topology.threads`). Else a batch that takes longer than `watchdog_seconds` would be applied
  again with every start, and never stored.
- A broker answers, and there has been no assignment for `assignment_seconds`: we fell out of the group.
- The client that asks says nothing at all for `hung_seconds`, neither an answer nor that there is none: it hangs.
"""

import asyncio
import time
from collections.abc import Mapping
from typing import Final

from connectors.telemetry import declare, get_logger
from streams.topology.heard import while_heard
from streams.topology.metrics import EngineMetrics
from streams.topology.ownership import Ownership
from streams.topology.problems import EngineCode, EngineError
from streams.topology.progress import Progress, Standing
from streams.topology.settings import EngineSettings
from streams.topology.wakeups import wall_clock
from streams.topology.watermarks import Watermarks

EVENTS: Final = declare(
    {
        "watchdog.blinded": "ENG-102",
        "watchdog.recovered": "ENG-105",
        "partition.stalled": "ENG-103",
        "partition.leaderless": "ENG-106",
        "partition.led": "ENG-107",
    }
)

_log = get_logger()


class Watchdog:
    """Looks every `watch_seconds`, and raises when nothing moves."""

    def __init__(
        self, settings: EngineSettings, ownership: Ownership, watermarks: Watermarks, metrics: EngineMetrics
    ) -> None:
        self._ownership = ownership
        self._watermarks = watermarks
        self._limits = settings.limits
        self._stuck_seconds = settings.connection.watchdog_seconds
        self._metrics = metrics
        self.progress = Progress()
        self._unready_since: float | None = None
        self._blind = False
        self._shown: set[int] = set()
        """Partitions that there are figures of: of one whose end nobody tells the last ones stand."""
        self._leaderless: set[int] = set()

    async def run(self) -> None:
        """Look for ever; raises `EngineError` when something is stuck."""
        while True:
            await self.look()
            due = time.monotonic() + self._limits.watch_seconds
            await asyncio.sleep(self._limits.watch_seconds)
            now = time.monotonic()
            if now > due + self._limits.watch_seconds:
                self.progress.blinded(now)

    async def close(self) -> None:
        """Close the client that asks."""
        await self._watermarks.close()

    async def look(self) -> None:
        """Look once. Raises `EngineError` when something is stuck."""
        try:
            standings = await while_heard(self.observe(), self._watermarks.heard, self._limits.hung_seconds)
        except TimeoutError as exc:
            raise EngineError(EngineCode.STUCK, f"asking for the ends of partitions: {exc}") from exc
        self._tell(blind=standings is None)
        if standings is None:
            self._unready_since = None
            self.progress.blinded(time.monotonic())
            return
        self._require_ready(time.monotonic())
        for standing in standings.values():
            self._judge(standing)

    async def observe(self) -> Mapping[int, Standing] | None:
        """Where every owned partition stands now; `None` when the broker does not answer."""
        ends = await self._watermarks.ends(list(self._ownership.owned))
        if ends is None:
            return None
        owned = self._ownership.owned
        standings = self.progress.look(owned, ends, time.monotonic())
        self._tell_leaderless(owned.keys() - ends.keys())
        for number in self._shown - owned.keys():
            self._metrics.forget(number)
        self._shown = (self._shown & owned.keys()) | standings.keys()
        for standing in standings.values():
            self._metrics.progress(standing, self._oldest_seconds(standing))
        return standings

    def _tell(self, *, blind: bool) -> None:
        """Once when no broker answers any more, and once when one does."""
        before, self._blind = self._blind, blind
        if blind and not before:
            _log.warning("watchdog.blinded")
        elif before and not blind:
            _log.info("watchdog.recovered")

    def _tell_leaderless(self, now: set[int]) -> None:
        """Once when nobody tells any more where a partition ends, though others are told of, and once when somebody does."""
        before, self._leaderless = self._leaderless, now
        for number in sorted(now - before):
            _log.warning("partition.leaderless", partition=number)
        for number in sorted((before - now) & self._ownership.owned.keys()):
            _log.info("partition.led", partition=number)

    def _oldest_seconds(self, standing: Standing) -> float:
        """The age of the oldest record that waits: by its own time where it was fetched, and no younger than we know it."""
        owned = self._ownership.owned.get(standing.partition)
        if not standing.lag or owned is None or owned.oldest_at is None:
            return standing.behind_seconds
        return max(wall_clock().timestamp() - owned.oldest_at, standing.behind_seconds)

    def _judge(self, standing: Standing) -> None:
        if standing.still_seconds >= self._limits.watch_seconds:
            self._metrics.stalled(standing.partition)
            _log.warning("partition.stalled", partition=standing.partition, seconds=round(standing.still_seconds, 1))
        if standing.still_seconds >= self._stuck_seconds:
            where = f"partition {standing.partition}: at {standing.position} of {standing.end}"
            raise EngineError(EngineCode.STUCK, f"{where} for {standing.still_seconds:.0f} s")

    def _require_ready(self, now: float) -> None:
        if self._ownership.restored or self._ownership.restoring:
            self._unready_since = None
            return
        if self._unready_since is None:
            self._unready_since = now
        unready_seconds = now - self._unready_since
        if unready_seconds >= self._limits.assignment_seconds:
            raise EngineError(EngineCode.STUCK, f"no assignment for {unready_seconds:.0f} s")
