"""Taking partitions over has limits, also where a client of the broker gives no answer at all."""

import threading
from collections.abc import Callable
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
from tests.streams.topology.fakes import ListCore, MemoryWriter, engine_settings

HUNG_SECONDS = 0.05


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
    monkeypatch.setattr(rebalance, "ALIVE_CHECK_SECONDS", HUNG_SECONDS)
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
