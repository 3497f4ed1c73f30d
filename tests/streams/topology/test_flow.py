"""What happens to each record that faust hands over."""

import asyncio
import gc
import threading
import time
import weakref
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from streams.topology.core import Decision
from streams.topology.flow import RecordFlow
from streams.topology.metrics import EngineMetrics
from streams.topology.ownership import Ownership
from streams.topology.partition import OwnedPartition
from streams.topology.problems import EngineCode, EngineError
from streams.topology.settings import EngineLimits
from tests.streams.topology.fakes import ListCore, MemoryWriter, RecordingStop, owned_partition

DEADLINE_SECONDS = 5.0
NEVER = 3600.0
OLD_SECONDS = 60.0


class Scene:
    """A flow with one owned partition."""

    def __init__(self, limits: EngineLimits) -> None:
        self.partition: OwnedPartition
        self.core: ListCore
        self.writer: MemoryWriter
        self.partition, self.core, self.writer = owned_partition()
        self.stop = RecordingStop()
        self.pool = ThreadPoolExecutor(1)
        self.ownership = Ownership()
        self.ownership.complete(self.ownership.hand_over(1, [0]), {0: self.partition})
        self.flow = self.flow_with(limits)

    def flow_with(self, limits: EngineLimits) -> RecordFlow:
        """A flow of the partition with other limits."""
        return RecordFlow(self.ownership, limits, self.pool, self.stop, EngineMetrics())

    async def take(
        self, offset: int, end: int, *, number: int = 0, stale: bool = False, age_seconds: float = OLD_SECONDS
    ) -> None:
        """Hand a record over."""
        at = time.time() - age_seconds
        await self.flow.take(number, offset, b"r%d" % offset, stale=stale, end=end, at=at)

    async def durable(self, position: int) -> None:
        """Wait until everything before `position` is stored."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while self.partition.durable.next_offset < position:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.001)


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    """Batches of three, waiting 50 ms, or 20 ms where it begins just now, two records ahead at most."""
    made = Scene(EngineLimits(batch_records=3, batch_wait_seconds=0.05, live_wait_seconds=0.02, pending_records=2))
    yield made
    made.pool.shutdown()


async def test_a_live_record_is_applied_at_once(scene: Scene) -> None:
    """A record at the known end of its partition waits for nothing."""
    await scene.take(0, end=1)

    assert scene.core.seen == ["r0"]
    await scene.durable(1)


async def test_in_catch_up_records_gather_to_a_batch(scene: Scene) -> None:
    """While more is known to wait, records are applied together: as many as a batch holds."""
    await scene.take(0, end=100)
    await scene.take(1, end=100)
    assert scene.core.seen == []

    await scene.take(2, end=100)

    assert scene.core.seen == ["r0", "r1", "r2"]
    await scene.durable(3)


async def test_large_records_make_a_batch_of_fewer(scene: Scene) -> None:
    """A batch is also full by its size: a record holds from one fact to hundreds."""
    scene.flow = scene.flow_with(EngineLimits(batch_bytes=4, batch_wait_seconds=NEVER))
    await scene.take(0, end=100)
    assert scene.core.seen == []

    await scene.take(1, end=100)

    assert scene.core.seen == ["r0", "r1"]
    await scene.durable(2)


async def test_a_batch_waits_only_so_long(scene: Scene) -> None:
    """A batch whose next record does not come is applied all the same."""
    await scene.take(0, end=100)

    await scene.durable(1)

    assert scene.core.seen == ["r0"]


async def test_a_batch_of_just_now_waits_for_what_is_known_to_come_and_no_longer(scene: Scene) -> None:
    """In a busy hour there is always another record: a batch's wait is for catch-up."""
    scene.flow = scene.flow_with(EngineLimits(batch_records=3, batch_wait_seconds=NEVER))
    await scene.take(0, end=2, age_seconds=0.0)

    await scene.durable(1)

    assert scene.core.seen == ["r0"]


async def test_the_wait_of_a_batch_ends_with_it(scene: Scene) -> None:
    """Else it would cut the next one short."""
    limits = EngineLimits(batch_records=3, batch_wait_seconds=NEVER, live_wait_seconds=0.02)
    scene.flow = scene.flow_with(limits)
    await scene.take(0, end=2, age_seconds=0.0)
    await scene.take(1, end=2, age_seconds=0.0)
    await scene.take(2, end=100)
    await asyncio.sleep(3 * limits.live_wait_seconds)

    assert scene.core.seen == ["r0", "r1"]


async def test_a_gap_raises_and_applies_nothing(scene: Scene) -> None:
    """A record beyond the expected one means that something was skipped."""
    with pytest.raises(EngineError) as caught:
        await scene.take(1, end=2)

    assert caught.value.reason is EngineCode.GAP
    assert scene.core.seen == []


async def test_what_was_applied_is_skipped(scene: Scene) -> None:
    """A record that comes again is not applied again."""
    await scene.take(0, end=1)
    await scene.take(0, end=1)

    assert scene.core.seen == ["r0"]


async def test_records_of_others_are_left_alone(scene: Scene) -> None:
    """What an old assignment fetched, and what belongs to a partition that is not ours, is neither applied nor a gap."""
    await scene.take(7, end=8, stale=True)
    await scene.take(7, end=8, number=1)

    assert scene.core.seen == []


@pytest.mark.parametrize("limits", [EngineLimits(pending_records=2), EngineLimits(pending_bytes=4)])
async def test_intake_waits_when_too_much_is_not_durable(scene: Scene, limits: EngineLimits) -> None:
    """Back pressure: with writes that do not end, the flow holds after the limit, in records or in bytes."""
    scene.flow = scene.flow_with(limits)
    held = threading.Event()
    scene.writer.hold = held
    for offset in range(2):
        await scene.take(offset, end=offset + 1)

    third = asyncio.create_task(scene.take(2, end=3))
    done, _ = await asyncio.wait([third], timeout=0.05)

    assert not done
    held.set()
    await asyncio.wait_for(third, DEADLINE_SECONDS)


async def test_a_late_batch_that_raises_stops_the_process(scene: Scene) -> None:
    """Also what a timer applies ends the process when it raises."""
    asyncio.get_running_loop().set_exception_handler(lambda _loop, _context: None)
    await scene.flow.take(0, 0, b"bug", stale=False, end=100)

    deadline = time.monotonic() + DEADLINE_SECONDS
    while not scene.stop.causes:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.001)

    assert isinstance(scene.stop.causes[0], RuntimeError)


async def test_between_the_folds_of_partitions_everybody_else_has_a_turn(scene: Scene) -> None:
    """Batches whose wait ends in the same moment are no single standstill: health is answered, commits go on."""
    count, turns = 5, 0
    partitions = {number: owned_partition(number)[0] for number in range(count)}
    scene.ownership.complete(scene.ownership.hand_over(2, range(count)), partitions)
    for number in range(count):
        await scene.take(0, end=100, number=number)
    time.sleep(0.06)  # noqa: ASYNC251 -- the loop stands still, and all of their waits are over

    while any(owned.waiting for owned in partitions.values()):
        before = sum(owned.waiting for owned in partitions.values())
        await asyncio.sleep(0)
        turns += 1
        assert before - sum(owned.waiting for owned in partitions.values()) <= 1

    assert turns >= count


async def test_after_a_long_fold_everybody_else_has_a_turn(scene: Scene) -> None:
    """Also where the next batch is at hand already."""
    turns: list[str] = []
    fold = scene.core.apply

    def slow(records: Sequence[bytes]) -> Decision:
        time.sleep(0.02)
        return fold(records)

    scene.core.apply = slow  # type: ignore[method-assign]
    asyncio.get_running_loop().call_soon(turns.append, "another")
    await scene.take(0, end=1)

    assert turns == ["another"]


async def test_a_partition_that_is_given_up_is_let_go(scene: Scene) -> None:
    """Its core holds a gigabyte; the wait of its last batch must not keep that for as long as the partition is another's."""
    other, *_ = owned_partition(1)
    gone = weakref.ref(other)
    scene.ownership.complete(scene.ownership.hand_over(2, [1]), {1: other})
    await scene.take(0, end=100, number=1)
    scene.ownership.hand_over(3, [])
    del other

    deadline = time.monotonic() + DEADLINE_SECONDS
    while gone() is not None:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.001)
        gc.collect()
