"""The watchdog: something waits while nothing moves, and nothing was raised: the process ends and starts afresh.

It runs in a thread of its own with a client of its own, so that it sees a loop that hangs. What it concludes:

- No broker answers: nothing. The time that a position stands still counts anew from when one does.
- One partition has no leader: nothing of that one.
- A broker answers, something waits, and the position moves, however slowly: nothing. The broker is slow.
- A broker answers, something waits, and the position has not moved for `watchdog_seconds`: the loop is stuck.
- The watchdog's own client says nothing at all, or its thread is gone: a guard, which asks nobody, ends the process.
"""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Final

from confluent_kafka import Consumer

from connectors.kafka.clients import reader_config
from connectors.kafka.ends import known_ends
from connectors.settings import Settings
from connectors.telemetry import declare, get_logger
from streams.topology.heard import Heard
from streams.topology.intake.limits import IntakeLimits
from streams.topology.intake.metrics import IntakeMetrics
from streams.topology.intake.problems import IntakeCode, IntakeError
from streams.topology.intake.standing import Here, Standing, Standings
from streams.topology.threads import Guard

EVENTS: Final = declare({"intake.unwatched": "ITK-105", "intake.watched": "ITK-106"})

HUNG_SECONDS: Final = 90.0
"""How long the client may say nothing, neither an answer nor that there is none: longer than any one question to a broker."""
LEAVE_SECONDS: Final = 5.0
"""How long a stop waits for a question under way; what still hangs then goes with the process."""

_log = get_logger()


class Watch:
    """Looks at the standings, on request and every `watch_seconds` while it is started."""

    def __init__(self, settings: Settings, limits: IntakeLimits, standings: Standings, metrics: IntakeMetrics) -> None:
        self._settings = settings
        self._limits = limits
        self._standings = standings
        self._metrics = metrics
        self._asking = threading.Lock()
        self._asked_at = 0.0
        self._answer: Mapping[Here, int] | None = None
        self._client: Consumer | None = None
        self._heard = Heard()
        self._blind = False
        self._over = threading.Event()
        self._thread: threading.Thread | None = None
        self._guard: Guard | None = None

    def look(self) -> dict[Here, Standing] | None:
        """Return how each of our partitions stands; `None` when no broker answers."""
        ends = self._ends()
        self._tell(blind=ends is None)
        if ends is None:
            self._standings.blinded(time.monotonic())
            return None
        standings = self._standings.look(ends, time.monotonic())
        self._metrics.looked(standings)
        return standings

    def _tell(self, *, blind: bool) -> None:
        """Once when no broker answers any more, and once when one does."""
        before, self._blind = self._blind, blind
        if blind and not before:
            _log.warning("intake.unwatched")
        elif before and not blind:
            _log.info("intake.watched")

    def _judge(self, standings: Mapping[Here, Standing]) -> None:
        for (topic, partition), standing in standings.items():
            if standing.still_seconds >= self._settings.watchdog_seconds:
                where = f"topic {topic} partition {partition}: at {standing.position}, {standing.lag} before the end"
                raise IntakeError(IntakeCode.STUCK, f"{where}, for {standing.still_seconds:.0f} s")

    def start(self, stop: Callable[[BaseException], object]) -> None:
        """Look again and again, in a thread; whatever that raises, and that it looks no more, is given to `stop`."""
        self._heard()
        self._thread = threading.Thread(target=self._run, args=(stop,), name="intake-watch", daemon=True)
        self._thread.start()
        self._guard = Guard("intake-guard", self._fault, stop)
        self._guard.start()

    def close(self) -> None:
        """Look no more."""
        self._over.set()
        if self._guard is not None:
            self._guard.close()
        if self._thread is not None:
            self._thread.join(LEAVE_SECONDS)
        if self._asking.acquire(timeout=LEAVE_SECONDS):
            try:
                if self._client is not None:
                    self._client.close()
                    self._client = None
            finally:
                self._asking.release()

    def _fault(self) -> IntakeError | None:
        """What is wrong with the watchdog itself."""
        if self._over.is_set():
            return None
        if self._thread is not None and not self._thread.is_alive():
            return IntakeError(IntakeCode.STUCK, "the watchdog's thread has ended")
        if self._heard.silent_seconds > HUNG_SECONDS:
            return IntakeError(IntakeCode.STUCK, f"the watchdog's client has said nothing for {HUNG_SECONDS:.0f} s")
        return None

    def _run(self, stop: Callable[[BaseException], object]) -> None:
        try:
            while not self._over.wait(self._limits.watch_seconds):
                self._heard()
                self._judge(self.look() or {})
        except Exception as error:  # noqa: BLE001 - does not continue: it stops the process
            self._over.set()
            stop(error)

    def _ends(self) -> Mapping[Here, int] | None:
        """Where the partitions end, never older than the question; all who come while one is under way share the next."""
        came_at = time.monotonic()
        with self._asking:
            if self._asked_at <= came_at:
                self._asked_at = time.monotonic()
                self._answer = self._ask()
            return self._answer

    def _ask(self) -> Mapping[Here, int] | None:
        if self._client is None:
            self._client = Consumer(reader_config(self._settings, "intake-watch"))
        ours = self._standings.assigned
        found = known_ends(self._client, sorted(ours), self._heard, seconds=self._limits.request_seconds)
        return found if found or not ours else None
