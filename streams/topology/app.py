"""The reconciler's worker: the one place where the engine's parts meet faust.

Faust deals partitions out and paces the records, which our own client reads; it holds no tables, declares no topics, serves nothing, and
commits nothing.
"""

import asyncio
import logging
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import faust
from faust.sensors import Sensor
from mode import Service

from connectors.kafka.clients import SESSION_SECONDS
from streams.topology.consumer import ReadingConsumer
from streams.topology.core import CoreFactory, Tick
from streams.topology.credentials import faust_credentials
from streams.topology.failstop import FailStop
from streams.topology.flow import RecordFlow
from streams.topology.health import HealthServer
from streams.topology.metrics import EngineMetrics
from streams.topology.ownership import Ownership
from streams.topology.problems import EngineCode, EngineError
from streams.topology.reading import FactReader
from streams.topology.rebalance import Rebalance
from streams.topology.settings import EngineSettings
from streams.topology.threads import LOOK_SECONDS, Guard
from streams.topology.wakeups import WakeUps
from streams.topology.watchdog import Watchdog
from streams.topology.watermarks import Watermarks

FAUST_FETCH_BYTES = 4096
"""Faust's own client begins to fetch between an assignment and our pausing it, once the state is read back."""

POOL_THREADS = 64
"""For blocking calls of librdkafka, one per partition at most; made on demand."""


class BackgroundWork(Protocol):
    """Runs until cancelled, then closes what it opened."""

    async def run(self) -> None:
        """Work for ever; what it raises ends the process."""
        ...

    async def close(self) -> None:
        """Close clients."""
        ...


class Companions(Service):
    """What runs beside the stream, from before the first assignment until after the last write."""

    def __init__(
        self, settings: EngineSettings, health: HealthServer, work: Sequence[BackgroundWork], stop: FailStop
    ) -> None:
        super().__init__()
        self._settings = settings
        self._health = health
        self._work = work
        self._stop = stop
        self._tasks: list[asyncio.Task[None]] = []
        self._beat = time.monotonic()
        self._guard = Guard("engine-guard", self.fault, stop)

    def fault(self) -> EngineError | None:
        """What is wrong with the event loop, in which the watchdog turns too: seen from a thread beside it."""
        still = time.monotonic() - self._beat
        if still <= self._settings.limits.blocked_seconds:
            return None
        return EngineError(EngineCode.STUCK, f"the event loop has not turned for {still:.0f} s")

    async def on_start(self) -> None:
        """Listen, watch, wake; and be watched."""
        connection = self._settings.connection
        await self._stop.guard(self._health.start(connection.health_host, connection.health_port))
        self._tasks = [asyncio.create_task(self._stop.guard(work.run())) for work in self._work]
        self._tasks.append(asyncio.create_task(self._turn()))
        self._guard.start()

    async def on_stop(self) -> None:
        """Stop all of it."""
        self._guard.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for work in self._work:
            await work.close()
        await self._health.stop()

    async def _turn(self) -> None:
        while True:
            self._beat = time.monotonic()
            await asyncio.sleep(LOOK_SECONDS)


class SendErrorSensor(Sensor):
    """Faust only logs a record that it could not send, and goes on; we do not."""

    def __init__(self, stop: FailStop) -> None:
        super().__init__()
        self._stop = stop

    def on_send_error(self, producer: Any, exc: BaseException, state: Any) -> None:  # noqa: ARG002 -- faust's signature
        """Faust could not send: end the process."""
        self._stop(EngineError(EngineCode.SEND_FAILED, type(exc).__name__))


class ReconcilerWorker(faust.Worker):
    """Faust's worker, with a limit on how long a stop may take, and deaf to the signals that would show patients' data."""

    def __init__(
        self,
        app: faust.App,
        companions: Companions,
        settings: EngineSettings,
        subscribe: Callable[[], None],
        stop: FailStop,
    ) -> None:
        super().__init__(
            app, companions, loop=asyncio.new_event_loop(), quiet=True, override_logging=False, redirect_stdouts=False
        )
        self._subscribe = subscribe
        self.spinner = None  # would write control characters to standard output
        self.deadline = threading.Timer(
            settings.limits.shutdown_seconds, stop, [EngineError(EngineCode.SHUTDOWN_TIMEOUT, "the worker hung")]
        )
        self.deadline.daemon = True

    def install_signal_handlers(self) -> None:
        """As faust's worker, but for two: it would print the local variables of all threads, and wait in a debugger."""
        super().install_signal_handlers()
        for number in (signal.SIGUSR1, signal.SIGUSR2):
            self.loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_IGN)

    async def on_first_start(self) -> None:
        """Subscribe, before faust's own parts start."""
        await super().on_first_start()
        self._subscribe()

    async def stop(self) -> None:
        """Stop everything, in time or at once."""
        if not self.deadline.is_alive():
            self.deadline.start()
        await super().stop()


def create_worker(
    settings: EngineSettings, core_factory: CoreFactory, tick: Tick, stop: FailStop | None = None
) -> ReconcilerWorker:
    """Put the worker together; nothing runs or connects yet.

    `core_factory` makes the empty core of a partition, by its number; `tick` the record that tells a partition the time.
    """
    stop = stop or FailStop()
    for library in ("faust", "mode", "aiokafka", "streams.topology"):
        logging.getLogger(library).setLevel(logging.WARNING)  # below, they log keys and values
    metrics, ownership = EngineMetrics(), Ownership()
    pool = ThreadPoolExecutor(POOL_THREADS, thread_name_prefix="kafka")
    app = create_app(settings)
    reader = FactReader(settings)
    app.transport.Consumer = partial(
        ReadingConsumer, reader=reader, ownership=ownership, fact_topic=settings.fact_topic, stop=stop
    )
    app.sensors.add(SendErrorSensor(stop))
    connect_rebalance(app, settings, Rebalance(settings, ownership, core_factory, pool, metrics), reader, stop)
    subscribe = connect_records(app, settings, RecordFlow(ownership, settings.limits, pool, stop, metrics), stop)
    watchdog = Watchdog(settings, ownership, Watermarks(settings), metrics)
    work: list[BackgroundWork] = [watchdog]
    if settings.wake_ups:
        work.append(WakeUps(settings, ownership, tick, pool, metrics))
    health = HealthServer(ownership, watchdog, metrics)
    return ReconcilerWorker(app, Companions(settings, health, work, stop), settings, subscribe, stop)


def create_app(settings: EngineSettings) -> faust.App:
    """Faust, with everything off that we do not want; each value spelled out, also where it is the default."""
    client = settings.connection.kafka_client()
    return faust.App(
        settings.group,
        broker=[f"kafka://{address}" for address in str(client["bootstrap.servers"]).split(",")],
        broker_credentials=faust_credentials(client),
        broker_session_timeout=SESSION_SECONDS,
        broker_heartbeat_interval=SESSION_SECONDS / 5,
        broker_commit_interval=1.0,
        broker_max_poll_interval=1000.0,
        broker_rebalance_timeout=60.0,
        processing_guarantee="at_least_once",
        consumer_auto_offset_reset="earliest",  # irrelevant: that client is paused
        consumer_group_instance_id=settings.connection.instance_id,
        store="memory://",
        table_standby_replicas=1,  # keeps faust's own assignor, which all runs were measured with
        topic_allow_declare=False,
        topic_disable_leader=True,
        stream_wait_empty=False,
        consumer_max_fetch_size=FAUST_FETCH_BYTES,
        web_enabled=False,
        autodiscover=False,
        datadir=Path(tempfile.gettempdir()) / "medlist-faust",  # faust makes it; nothing is ever written there
    )


def connect_rebalance(
    app: faust.App, settings: EngineSettings, rebalance: Rebalance, reader: FactReader, stop: FailStop
) -> None:
    """Hang the taking over and giving up of partitions into faust's signals."""

    async def revoked(*_: Any, **__: Any) -> None:
        await stop.guard(reader.go_on({}))
        await stop.guard(rebalance.revoked())

    async def complete(*_: Any, **__: Any) -> None:
        numbers = {tp.partition for tp in app.consumer.assignment() if tp.topic == settings.fact_topic}
        generation = app.consumer_generation_id
        await stop.guard(rebalance.assigned(generation, numbers, lambda: int(app.consumer_generation_id)))

    async def shutdown(*_: Any, **__: Any) -> None:
        await stop.guard(rebalance.stop())

    app.on_partitions_revoked.connect(revoked, weak=False)
    app.on_rebalance_complete.connect(complete, weak=False)
    app.on_before_shutdown.connect(shutdown, weak=False)


def connect_records(app: faust.App, settings: EngineSettings, flow: RecordFlow, stop: FailStop) -> Callable[[], None]:
    """Records go from faust's consumer straight to the flow, as the bytes they are: no agent, no queue, no acknowledgement.

    Decoding is the core's: a record that cannot be read is a value. See
    `contracts/decisions/facts-are-read-beside-faust.md`. What is returned subscribes; call it when the event loop runs.
    """

    async def take(message: Any) -> None:
        stale = message.generation_id != app.consumer_generation_id
        end = app.consumer.highwater(message.tp)
        record = message.value or b""
        at = message.timestamp
        await stop.guard(flow.take(message.partition, message.offset, record, stale=stale, end=end, at=at))

    app.topics.on_message = take  # the callback that faust's consumer is made with
    facts = app.topic(settings.fact_topic, internal=False, acks=False)
    return partial(app.topics.add, facts)
