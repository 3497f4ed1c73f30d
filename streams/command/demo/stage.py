"""The stage: an embedded broker, intake, reconciler, publisher and NLL sandbox, all running, and gone at the end."""

import asyncio
import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import NoReturn

from confluent_kafka import Producer
from pydantic import SecretStr

from connectors.kafka.clients import producer_config
from connectors.kafka.embedded import EmbeddedBroker
from connectors.nll_sandbox import SandboxSettings, serve
from connectors.nll_sandbox.settings import TEST_CLIENTS
from connectors.settings import Settings
from connectors.telemetry import CodedError
from streams.command.composition import Composition
from streams.command.demo.observer import Observer
from streams.command.demo.reconciler import demo_settings
from streams.command.demo.story import Delivery
from streams.topology.intake import IntakeParts, run_intake
from streams.topology.intake.stopping import IntakeStop
from streams.topology.publisher import PublisherParts, PublisherStop, run_publisher
from streams.topology.supervisor import Child, RestartPolicy, supervise

CLIENT = "medlist"
START_SECONDS = 30.0
STOP_SECONDS = 15.0
MODULE = "streams.command.demo.reconciler"


class StoryClock:
    """The story's time: that of its newest delivery."""

    def __init__(self, begin: datetime) -> None:
        self.now = begin

    def __call__(self) -> datetime:
        """Return the present moment of the story."""
        return self.now


class Faults:
    """Why a part of the stage ended, if one did."""

    def __init__(self) -> None:
        self._causes: list[tuple[str, BaseException]] = []

    def note(self, part: str, cause: BaseException) -> None:
        """Remember a cause."""
        self._causes.append((part, cause))

    def check(self) -> None:
        """Raise ``CodedError`` (``DEM-001``) when a part has ended."""
        for part, cause in self._causes:
            if isinstance(cause, CodedError):
                raise CodedError("DEM-001", f"the {part} ended: {cause}", cause.remedy)
            raise CodedError("DEM-001", f"the {part} ended: {type(cause).__name__}", "See the log below.")


class _Ended(BaseException):
    """Ends a thread where a process would end itself."""


class _IntakeNoted(IntakeStop):
    def __init__(self, faults: Faults) -> None:
        super().__init__()
        self._faults = faults

    def __call__(self, cause: BaseException) -> NoReturn:
        self._faults.note("intake", cause)
        raise _Ended


class _PublisherNoted(PublisherStop):
    def __init__(self, faults: Faults) -> None:
        super().__init__()
        self._faults = faults

    def __call__(self, cause: BaseException) -> NoReturn:
        self._faults.note("publisher", cause)
        raise _Ended


class Stage:
    """The running system: takes a vendor's message, shows what became of it."""

    def __init__(self, composition: Composition, clock: StoryClock, observer: Observer, faults: Faults) -> None:
        self.composition = composition
        self.clock = clock
        self.observer = observer
        self.faults = faults
        self._producer = Producer(producer_config(composition.settings))
        self._topics = {source.id: source.topic for source in composition.sources}

    @property
    def settings(self) -> Settings:
        """How the stage is reached."""
        return self.composition.settings

    def deliver(self, delivery: Delivery) -> None:
        """Send a message as its vendor would, on the vendor's topic."""
        self.clock.now = max(self.clock.now, delivery.received_at)
        topic = self.settings.topic(self._topics[delivery.source])
        self._producer.produce(topic, delivery.value, headers=delivery.headers)
        self._producer.flush(START_SECONDS)


@contextmanager
def running_stage(begin: datetime, directory: Path, seeds: Sequence[Path] = ()) -> Iterator[Stage]:
    """Everything up, in story time from ``begin``; logs in ``directory``. Raises ``CodedError`` when a part cannot start."""
    clock, faults = StoryClock(begin), Faults()
    plain = Composition(settings=demo_settings("127.0.0.1:1"))
    with ExitStack() as stack:
        broker = stack.enter_context(EmbeddedBroker({spec.name: spec.partitions for spec in plain.topics}))
        sandbox = SandboxSettings(clock=clock, seed_files=tuple(seeds))
        background = stack.enter_context(_background(faults))
        address = stack.enter_context(background.sandbox(sandbox))
        settings = demo_settings(broker.bootstrap, address).model_copy(update=_credentials())
        composition = Composition(settings=settings, embedded=True)
        stack.enter_context(background.reconciler(broker.bootstrap, directory / "reconciler.log"))
        stack.enter_context(_thread("intake", _intake(composition, clock, faults), faults))
        stack.enter_context(_thread("publisher", _publisher(composition, clock, faults), faults))
        observer = Observer(composition)
        stack.callback(observer.close)
        yield Stage(composition, clock, observer, faults)


def _credentials() -> dict[str, object]:
    return {"nll_client_id": CLIENT, "nll_client_secret": SecretStr(TEST_CLIENTS[CLIENT].secret)}


def _intake(composition: Composition, clock: StoryClock, faults: Faults) -> Callable[[threading.Event], None]:
    parts = IntakeParts(stop=_IntakeNoted(faults))
    return lambda over: run_intake(composition.settings, composition.sources, clock, over, parts)


def _publisher(composition: Composition, clock: StoryClock, faults: Faults) -> Callable[[threading.Event], None]:
    parts = PublisherParts(isolation=composition.isolation, stop=_PublisherNoted(faults))
    return lambda over: run_publisher(composition.settings, composition.sources, clock, over, parts)


@contextmanager
def _thread(name: str, work: Callable[[threading.Event], None], faults: Faults) -> Iterator[None]:
    """Run a part in a thread until the context ends."""
    over = threading.Event()

    def run() -> None:
        try:
            work(over)
        except _Ended:
            return
        except CodedError as error:
            faults.note(name, error)

    thread = threading.Thread(target=run, name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(STOP_SECONDS)


class _Background:
    """An event loop in a thread, for the sandbox and for watching over the reconciler's process."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="background", daemon=True)
        self._thread.start()

    @contextmanager
    def sandbox(self, settings: SandboxSettings) -> Iterator[str]:
        """A sandbox on a free port; gives its address."""
        serving = serve(settings)
        address = asyncio.run_coroutine_threadsafe(serving.__aenter__(), self._loop).result(START_SECONDS)
        try:
            yield address
        finally:
            asyncio.run_coroutine_threadsafe(serving.__aexit__(None, None, None), self._loop).result(STOP_SECONDS)

    @contextmanager
    def reconciler(self, kafka: str, log: Path) -> Iterator[None]:
        """The reconciler in a process of its own, started again if it dies."""
        command = (sys.executable, "-m", MODULE, kafka, str(os.getpid()), str(log))
        stop = asyncio.Event()
        policy = RestartPolicy(stop_seconds=STOP_SECONDS)
        running = asyncio.run_coroutine_threadsafe(
            self._supervise(Child("reconciler", command), stop, policy), self._loop
        )
        try:
            yield
        finally:
            self._loop.call_soon_threadsafe(stop.set)
            running.result(2 * STOP_SECONDS)

    async def _supervise(self, child: Child, stop: asyncio.Event, policy: RestartPolicy) -> None:
        status = await supervise(child, stop, policy)
        if status:
            self._faults.note("reconciler", CodedError("DEM-004", f"exit status {status}", "See the log below."))

    def close(self) -> None:
        """End the loop."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(STOP_SECONDS)
        self._loop.close()


@contextmanager
def _background(faults: Faults) -> Iterator[_Background]:
    background = _Background(faults)
    try:
        yield background
    finally:
        background.close()
