"""Fence, then read: how a new assignment becomes partitions of ours.

Faust awaits `assigned` before it resumes, seeks and fetches, so no record comes too early. Everything that blocks runs
beside the event loop, so the heartbeats go on. It takes as long as it takes while the clients of the broker give answers,
`restore_seconds` at most; one that says nothing at all for `hung_seconds` ends it.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from functools import partial
from typing import Final, TypeVar

from confluent_kafka import KafkaException

from connectors.telemetry import declare, get_logger
from streams.topology.core import CoreFactory
from streams.topology.heard import Heard, while_heard
from streams.topology.memory import give_back
from streams.topology.metrics import EngineMetrics
from streams.topology.ownership import Handover, Ownership
from streams.topology.partition import OwnedPartition
from streams.topology.position import Position
from streams.topology.problems import EngineCode, EngineError
from streams.topology.restore import Restored, read_back, view_log
from streams.topology.settings import EngineSettings
from streams.topology.verify import LogView, verify
from streams.topology.wakeups import wall_clock
from streams.topology.writer import StateWriter, state_writer

EVENTS: Final = declare(
    {"partitions.assigned": "REC-001", "partitions.revoked": "REC-002", "partitions.superseded": "ENG-101"}
)

_log = get_logger()
_T = TypeVar("_T")


class Rebalance:
    """Takes partitions over and gives them up."""

    def __init__(
        self,
        settings: EngineSettings,
        ownership: Ownership,
        core_factory: CoreFactory,
        pool: Executor,
        metrics: EngineMetrics,
    ) -> None:
        self._settings = settings
        self._ownership = ownership
        self._core_factory = core_factory
        self._pool = pool
        self._metrics = metrics
        self._releases: set[asyncio.Task[None]] = set()

    async def revoked(self) -> None:
        """Nothing is ours for now. Waits a little for what was applied to become durable; the group waits with us."""
        self._release(self._ownership.park())
        _log.info("partitions.revoked", partitions=sorted(self._ownership.parked))
        await drain(self._ownership.parked.values(), self._settings.limits.drain_seconds)

    async def assigned(self, generation: int, numbers: Collection[int], current: Callable[[], int]) -> None:
        """Make `numbers` ours, under `generation`; `current` tells the generation that counts by now.

        Raises `EngineError`. When a newer generation came meanwhile, nothing is ours and it is called again.
        """
        started = time.monotonic()
        handover = self._ownership.hand_over(generation, numbers)
        self._release(handover.given_up)
        restored = await self._take_over(handover)
        if current() != generation:
            self._release(self._ownership.supersede(handover, restored))
            _log.info("partitions.superseded", generation=generation)
            return
        self._ownership.complete(handover, restored)
        self._metrics.restored(len(restored), time.monotonic() - started)
        owned = sorted(self._ownership.owned.items())
        _log.info(
            "partitions.assigned",
            generation=generation,
            partitions=[number for number, _ in owned],
            offsets=[partition.applied.next_offset for _, partition in owned],
            count=len(restored),
            seconds=round(time.monotonic() - started, 3),
        )

    async def stop(self) -> None:
        """The worker is stopping: let what was applied become durable, then let go of everything."""
        await self.revoked()
        self._release(self._ownership.park())
        await asyncio.gather(*self._releases)

    async def _take_over(self, handover: Handover) -> dict[int, OwnedPartition]:
        if not handover.wanted:
            return {}
        heard, hung_seconds = Heard(), self._settings.limits.hung_seconds
        try:
            async with asyncio.timeout(self._settings.limits.restore_seconds):
                writers = await while_heard(self._fence(handover.wanted, heard), heard, hung_seconds)
                reading = self._beside(read_back, self._settings, handover.wanted, heard)
                restored = await while_heard(reading, heard, hung_seconds)
                positions = {number: found.position for number, found in restored.items()}
                viewing = self._beside(view_log, self._settings, positions, heard)
                views = await while_heard(viewing, heard, hung_seconds)
        except (KafkaException, TimeoutError) as exc:
            raise EngineError(EngineCode.RESTORE_FAILED, restore_detail(exc)) from exc
        owned = {n: await self._owned(n, writers[n], restored.pop(n), views[n]) for n in handover.wanted}
        await self._beside(give_back)
        return owned

    async def _fence(self, numbers: Collection[int], heard: Heard) -> dict[int, StateWriter]:
        def fence(writer: StateWriter) -> None:
            writer.fence()
            heard()

        writers = {number: await self._beside(state_writer, self._settings, number) for number in numbers}
        await asyncio.gather(*(self._beside(fence, writer) for writer in writers.values()))
        return writers

    async def _owned(self, number: int, writer: StateWriter, restored: Restored, view: LogView) -> OwnedPartition:
        problem = verify(number, restored.position, view)
        if problem is not None:
            raise problem
        core = self._core_factory(number)
        await self._beside(core.load, restored.rows)  # takes seconds where there are many rows
        position = Position(
            next_offset=restored.position.next_offset, checksum=restored.position.checksum, topic_id=view.topic_id
        )
        self._metrics.read_back(number, restored.rows)
        return OwnedPartition(number, core, writer, position, self._settled)

    def _settled(self, number: int, times: Sequence[float], rows: Mapping[bytes, bytes | None]) -> None:
        now = wall_clock().timestamp()
        self._metrics.settled(number, [max(now - at, 0.0) for at in times], rows)

    def _beside(self, call: Callable[..., _T], *arguments: object) -> Awaitable[_T]:
        return asyncio.get_running_loop().run_in_executor(self._pool, partial(call, *arguments))

    def _release(self, partitions: Iterable[OwnedPartition]) -> None:
        """Close the producers of partitions given up, after their last write; in the background."""
        for owned in partitions:
            self._metrics.given_up(owned.number)
            release = asyncio.get_running_loop().create_task(self._close(owned))
            self._releases.add(release)
            release.add_done_callback(self._releases.discard)

    async def _close(self, owned: OwnedPartition) -> None:
        if owned.writing is not None:
            await asyncio.wait([owned.writing])
        await self._beside(owned.writer.close)


async def drain(partitions: Collection[OwnedPartition], seconds: float) -> None:
    """Wait until what `partitions` have applied is durable, `seconds` at most."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        writes = [owned.writing for owned in partitions if owned.writing is not None]
        if not writes:
            return
        await asyncio.wait(writes, timeout=left, return_when=asyncio.FIRST_COMPLETED)


def restore_detail(exc: KafkaException | TimeoutError) -> str:
    """What kept us from reading back; the client's words name topics and brokers only."""
    if isinstance(exc, KafkaException):
        error = exc.args[0]
        return f"{error.name()}: {error.str()}"
    return str(exc) or "took too long"
