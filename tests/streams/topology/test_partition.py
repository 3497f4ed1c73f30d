"""Group commit of one partition."""

import pytest

from streams.topology.core import Decision
from streams.topology.partition import OwnedPartition, refuse_reserved
from streams.topology.position import START, Position, checksum
from tests.streams.topology.fakes import ListCore, ManualExecutor, MemoryWriter, RecordingStop, owned_partition


def never(cause: BaseException) -> None:
    """No write may fail in this test."""
    raise AssertionError(cause)


async def test_rows_sends_and_position_are_written_together() -> None:
    """One write holds everything that the records did, and where to go on after them."""
    partition, _, writer = owned_partition()
    run = ManualExecutor()
    partition.receive(0, b"a")
    partition.receive(1, b"b")

    partition.fold()
    partition.commit(run, never)
    await run.finish_one()

    (changes,) = writer.written
    assert changes.rows == {b"seen": b'["a", "b"]'}
    assert [send.value for send in changes.sends] == [b"a", b"b"]
    assert changes.position == Position(next_offset=2, checksum=checksum(b"b"))
    assert partition.durable == changes.position


async def test_the_next_batch_is_folded_while_one_is_in_flight() -> None:
    """One write at a time; what is folded meanwhile goes out together, by itself, when the first is done."""
    partition, core, writer = owned_partition()
    run = ManualExecutor()
    for offset, record in enumerate((b"a", b"b", b"c")):
        partition.receive(offset, record)
        partition.fold()
        partition.commit(run, never)

    assert len(run.in_flight) == 1
    assert core.seen == ["a", "b", "c"]
    assert (partition.undurable, partition.undurable_bytes) == (3, 3)
    await run.finish_one()
    await run.finish_one()

    assert [changes.position.next_offset for changes in writer.written] == [1, 3]
    assert (partition.undurable, partition.undurable_bytes) == (0, 0)


async def test_a_failed_write_stops_the_process() -> None:
    """What could not be stored is never passed over."""
    partition, _, writer = owned_partition()
    run, stop = ManualExecutor(), RecordingStop()
    writer.failure = OSError("no disk")
    partition.receive(0, b"a")
    partition.fold()

    partition.commit(run, stop.causes.append)
    await run.finish_one()

    assert stop.causes == [writer.failure]
    assert partition.durable.next_offset == 0


async def test_a_failed_write_of_a_partition_given_up_is_as_it_should_be() -> None:
    """The newer owner's fence ends the older one's writes."""
    partition, _, writer = owned_partition()
    run = ManualExecutor()
    writer.failure = OSError("fenced")
    partition.receive(0, b"a")
    partition.fold()
    partition.commit(run, never)

    partition.retired = True
    await run.finish_one()

    assert partition.durable.next_offset == 0


async def test_a_failed_write_while_nobody_knows_the_owner_gives_the_partition_up() -> None:
    """Between a revocation and the next assignment the next owner may have fenced us: no fault, but nothing to keep."""
    partition, _, writer = owned_partition()
    run = ManualExecutor()
    writer.failure = OSError("fenced")
    partition.receive(0, b"a")
    partition.fold()
    partition.commit(run, never)

    partition.parked = True
    await run.finish_one()

    assert partition.retired


async def test_what_is_on_its_way_is_known_by_its_size() -> None:
    """Received, applied, stored: each record counts in one of them, and one that will be fetched again in none."""
    partition, _, _ = owned_partition()
    run = ManualExecutor()
    for offset, record in enumerate((b"a", b"bc")):
        partition.receive(offset, record)
    assert (partition.waiting_bytes, partition.undurable_bytes) == (3, 0)
    partition.fold()
    partition.commit(run, never)
    partition.receive(2, b"def")
    partition.fold()
    partition.receive(3, b"ghij")
    assert (partition.waiting_bytes, partition.undurable_bytes) == (4, 6)

    partition.forget_received()
    assert (partition.waiting_bytes, partition.undurable_bytes) == (0, 6)
    await run.finish_one()
    assert partition.undurable_bytes == 3
    await run.finish_one()
    assert partition.undurable_bytes == 0


def test_a_core_that_raises_changes_nothing() -> None:
    """Position and rows stay as they were, so that a restart applies the same records again."""
    partition, core, _ = owned_partition()
    partition.receive(0, b"bug")

    with pytest.raises(RuntimeError):
        partition.fold()

    assert partition.applied.next_offset == 0
    assert core.seen == []


def test_a_core_may_not_write_the_engines_own_rows() -> None:
    """Keys that begin with a zero byte are the engine's."""
    with pytest.raises(ValueError, match="zero byte"):
        refuse_reserved(Decision(rows={b"\x00position": b"{}"}))


async def test_the_times_of_records_are_told_when_they_are_durable() -> None:
    """Latency is measured to the end, and a record that is fetched again counts once."""
    told: list[tuple[int, list[float], int]] = []
    partition = OwnedPartition(
        3, ListCore(), MemoryWriter(), START, lambda number, times, rows: told.append((number, list(times), len(rows)))
    )
    run = ManualExecutor()
    partition.receive(0, b"a", 10.0)
    partition.fold()
    partition.receive(1, b"b", 20.0)
    partition.forget_received()
    partition.receive(1, b"b", 20.0)

    partition.commit(run, never)
    waiting = partition.oldest_at
    await run.finish_one()

    assert waiting == 10.0
    assert told == [(3, [10.0], 1)]
    assert partition.oldest_at == 20.0
