"""The watchdog: something waits while nothing moves, and nothing was raised: the process ends and starts afresh.

It runs in a thread of its own with a client of its own, so that it sees a loop that hangs.
"""

import threading
import time
from collections.abc import Callable, Mapping

from confluent_kafka import Consumer, KafkaException, TopicPartition

from connectors.kafka.clients import reader_config
from connectors.settings import Settings
from connectors.telemetry import declare, get_logger
from streams.topology.intake.limits import IntakeLimits
from streams.topology.intake.metrics import IntakeMetrics
from streams.topology.intake.problems import IntakeCode, IntakeError
from streams.topology.intake.standing import Here, Standing, Standings

EVENTS = declare({"intake.unwatched": "ITK-105"})

_log = get_logger()


class Watch:
    """Looks at the standings, on request and every `watch_seconds` while it is started."""

    def __init__(self, settings: Settings, limits: IntakeLimits, standings: Standings, metrics: IntakeMetrics) -> None:
        self._settings = settings
        self._limits = limits
        self._standings = standings
        self._metrics = metrics
        self._asking = threading.Lock()
        self._client: Consumer | None = None
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def look(self) -> dict[Here, Standing] | None:
        """Return how each of our partitions stands; `None` when no broker answers."""
        ends = self._ends()
        if ends is None:
            _log.warning("intake.unwatched")
            return None
        standings = self._standings.look(ends, time.monotonic())
        self._metrics.looked(standings)
        return standings

    def _judge(self, standings: Mapping[Here, Standing]) -> None:
        for (topic, partition), standing in standings.items():
            if standing.still_seconds >= self._settings.watchdog_seconds:
                where = f"topic {topic} partition {partition}: at {standing.position}, {standing.lag} before the end"
                raise IntakeError(IntakeCode.STUCK, f"{where}, for {standing.still_seconds:.0f} s")

    def start(self, stop: Callable[[BaseException], None]) -> None:
        """Look again and again, in a thread; whatever that raises is given to `stop`."""
        self._thread = threading.Thread(target=self._run, args=(stop,), name="intake-watch", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Look no more."""
        self._over.set()
        if self._thread is not None:
            self._thread.join()
        with self._asking:
            if self._client is not None:
                self._client.close()
                self._client = None

    def _run(self, stop: Callable[[BaseException], None]) -> None:
        try:
            while not self._over.wait(self._limits.watch_seconds):
                self._judge(self.look() or {})
        except Exception as error:  # noqa: BLE001 - does not continue: it stops the process
            stop(error)

    def _ends(self) -> Mapping[Here, int] | None:
        ends: dict[Here, int] = {}
        with self._asking:
            if self._client is None:
                self._client = Consumer(reader_config(self._settings, "intake-watch"))
            for topic, partition in self._standings.assigned:
                try:
                    asked = TopicPartition(topic, partition)
                    ends[topic, partition] = self._client.get_watermark_offsets(
                        asked, timeout=self._limits.request_seconds
                    )[1]
                except KafkaException:
                    return None
        return ends
