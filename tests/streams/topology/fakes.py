"""Small real stand-ins for what the engine's parts talk to."""

import asyncio
import json
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import NoReturn

from connectors.settings import Settings
from contracts.medication_list import encode_list
from streams.topology.core import Decision, Send
from streams.topology.failstop import FailStop
from streams.topology.heard import Heard
from streams.topology.partition import OwnedPartition
from streams.topology.position import START
from streams.topology.settings import EngineLimits, EngineSettings
from streams.topology.watermarks import Watermarks
from streams.topology.writer import Changes
from tests.streams.publish.cases import the_list


class Left(BaseException):
    """The process would have ended with this status."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


def leave(status: int) -> NoReturn:
    """End the process, as far as a test is concerned."""
    raise Left(status)


class RecordingStop(FailStop):
    """A fail-stop that only notes the causes; for parts that call it from callbacks."""

    def __init__(self) -> None:
        super().__init__(leave)
        self.causes: list[BaseException] = []

    def __call__(self, cause: BaseException) -> NoReturn:
        """Note the cause, and end only the caller."""
        self.causes.append(cause)
        raise Left(70)


class ListCore:
    """Keeps every record it has seen, as one row; sends each along; raises at a record `bug` before anything changes."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.wake: datetime | None = None

    def load(self, rows: Mapping[bytes, bytes]) -> None:
        """Take over the stored row."""
        self.seen = json.loads(rows.get(b"seen", b"[]"))

    def apply(self, records: Sequence[bytes]) -> Decision:
        """Append."""
        if b"bug" in records:
            raise RuntimeError("191212121212")
        self.seen += [record.decode() for record in records]
        sends = tuple(Send(topic="out", key=b"k", value=record) for record in records)
        return Decision(rows={b"seen": json.dumps(self.seen).encode()}, sends=sends)

    def next_wake(self) -> datetime | None:
        """As the test has set it."""
        return self.wake


class MemoryWriter:
    """Remembers what was written; fails when told to."""

    def __init__(self) -> None:
        self.written: list[Changes] = []
        self.failure: Exception | None = None
        self.closed = False
        self.hold: threading.Event | None = None

    def fence(self) -> None:
        """Nobody to fence."""

    def write(self, changes: Changes) -> None:
        """Remember, or fail; not before the test lets go."""
        if self.hold is not None:
            assert self.hold.wait(5.0)
        if self.failure is not None:
            raise self.failure
        self.written.append(changes)

    def close(self) -> None:
        """Remember that."""
        self.closed = True


class ManualExecutor:
    """Runs writes when the test says so: until then they are in flight."""

    def __init__(self) -> None:
        self.in_flight: list[tuple[Callable[[], None], asyncio.Future[None]]] = []

    def __call__(self, call: Callable[[], None]) -> asyncio.Future[None]:
        """Take a call."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.in_flight.append((call, future))
        return future

    async def finish_one(self) -> None:
        """Run the oldest call to its end."""
        call, future = self.in_flight.pop(0)
        try:
            call()
        except Exception as exc:  # noqa: BLE001 -- handed on to whoever awaits
            future.set_exception(exc)
        else:
            future.set_result(None)
        await asyncio.sleep(0)
        await asyncio.sleep(0)


class FixedEnds(Watermarks):
    """Answers without a broker."""

    def __init__(self, ends: dict[int, int] | None) -> None:
        self.answer = ends
        self.heard = Heard()

    async def ends(self, partitions: object) -> dict[int, int] | None:
        """As told."""
        return self.answer

    async def close(self) -> None:
        """Nothing to close."""


def owned_partition(number: int = 0) -> tuple[OwnedPartition, ListCore, MemoryWriter]:
    """An empty partition at offset 0."""
    core, writer = ListCore(), MemoryWriter()
    return OwnedPartition(number, core, writer, START), core, writer


def engine_settings(limits: EngineLimits | None = None) -> EngineSettings:
    """Settings that lead nowhere."""
    return EngineSettings(
        connection=Settings(kafka="127.0.0.1:1", watchdog_seconds=30),
        group="g",
        fact_topic="fact",
        state_topic="state",
        limits=limits or EngineLimits(),
    )


class ListRecord:
    """A record of the list topic, of somebody whom NLL cannot be asked about."""

    def __init__(self, patient: str, *, partition: int = 0, offset: int = 0) -> None:
        self._patient = patient
        self._partition = partition
        self._offset = offset

    def key(self) -> bytes:
        """The patient."""
        return self._patient.encode()

    def value(self) -> bytes:
        """The list."""
        return encode_list(the_list(patient=self._patient, person=None))

    def partition(self) -> int:
        """Where it stands."""
        return self._partition

    def offset(self) -> int:
        """Where it stands."""
        return self._offset
