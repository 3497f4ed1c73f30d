"""Taking partitions over has limits, also where a client of the broker gives no answer at all."""

import threading
import time
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor

import pytest

from streams.topology import rebalance
from streams.topology.metrics import EngineMetrics
from streams.topology.ownership import Ownership
from streams.topology.position import START
from streams.topology.problems import EngineCode, EngineError
from streams.topology.rebalance import Rebalance
from streams.topology.restore import Restored
from streams.topology.rows import PlainRows
from streams.topology.settings import EngineLimits
from streams.topology.verify import LogView
from tests.streams.topology.fakes import ListCore, MemoryWriter, engine_settings

HUNG_SECONDS = 0.05
SLOW_SECONDS, PARTITIONS = 0.25, 6


@pytest.mark.parametrize("hanging", ["fence", "read_back", "view_log"])
async def test_a_client_that_hangs_while_partitions_are_taken_over(
    monkeypatch: pytest.MonkeyPatch, hanging: str
) -> None:
    """The worker stops, to be started again; it would have sat on its partitions, and the watchdog waits for a restore."""
    over = threading.Event()

    def hang(*_: object) -> None:
        over.wait(30)

    writer = MemoryWriter()
    parts: dict[str, Callable[..., object]] = {
        "state_writer": lambda *_: writer,
        "read_back": lambda *_: {0: Restored(rows=PlainRows(), position=START)},
        "view_log": hang,
    }
    for name, part in parts.items():
        monkeypatch.setattr(rebalance, name, hang if name == hanging else part)
    if hanging == "fence":
        monkeypatch.setattr(writer, "fence", hang)
    settings = engine_settings(EngineLimits(hung_seconds=HUNG_SECONDS))
    pool = ThreadPoolExecutor(4)
    taking = Rebalance(settings, Ownership(), lambda _number: ListCore(), pool, EngineMetrics())

    with pytest.raises(EngineError) as caught:
        await taking.assigned(1, [0], lambda: 1)
    over.set()
    pool.shutdown()

    assert caught.value.reason is EngineCode.RESTORE_FAILED


class SlowWriter(MemoryWriter):
    """The broker takes its time to fence older owners."""

    def fence(self) -> None:
        """In the end."""
        time.sleep(SLOW_SECONDS)


@pytest.mark.parametrize("slow", ["fence", "view_log"])
async def test_a_broker_that_answers_slowly_is_waited_for(monkeypatch: pytest.MonkeyPatch, slow: str) -> None:
    """Each answer comes in time, all together take longer than a client may be silent: that is no reason to stop."""

    def view(_settings: object, positions: Collection[int], alive: Callable[[], None]) -> dict[int, LogView]:
        for _ in positions:
            time.sleep(SLOW_SECONDS if slow == "view_log" else 0)
            alive()
        return {number: LogView(low=0, high=0, topic_id=None, record_before=None) for number in positions}

    def read(_settings: object, numbers: Collection[int], _alive: object) -> dict[int, Restored]:
        return {number: Restored(rows=PlainRows(), position=START) for number in numbers}

    monkeypatch.setattr(rebalance, "state_writer", lambda *_: SlowWriter() if slow == "fence" else MemoryWriter())
    monkeypatch.setattr(rebalance, "read_back", read)
    monkeypatch.setattr(rebalance, "view_log", view)
    settings = engine_settings(EngineLimits(hung_seconds=(PARTITIONS - 1) * SLOW_SECONDS))
    pool, ownership = ThreadPoolExecutor(1), Ownership()

    taking = Rebalance(settings, ownership, lambda _number: ListCore(), pool, EngineMetrics())
    await taking.assigned(1, range(PARTITIONS), lambda: 1)
    pool.shutdown()

    assert sorted(ownership.owned) == list(range(PARTITIONS))
