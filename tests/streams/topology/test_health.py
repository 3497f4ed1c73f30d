"""The worker's own health endpoint."""

from collections.abc import AsyncIterator

import aiohttp
import msgspec
import pytest

from streams.topology.health import Health, HealthServer
from streams.topology.metrics import EngineMetrics
from streams.topology.ownership import Ownership
from streams.topology.partition import OwnedPartition
from streams.topology.position import Position
from streams.topology.problems import OPERATOR_STATUS, EngineError
from streams.topology.rows import PlainRows
from streams.topology.wakeups import wall_clock
from streams.topology.watchdog import Watchdog
from tests.streams.topology.fakes import FixedEnds, engine_settings, owned_partition


class Scene:
    """A served worker with partition 7, not yet assigned."""

    def __init__(self) -> None:
        self.ownership = Ownership()
        self.partition: OwnedPartition = owned_partition(7)[0]
        self.ends = FixedEnds({7: 5})
        self.metrics = EngineMetrics()
        watchdog = Watchdog(engine_settings(), self.ownership, self.ends, self.metrics)
        self.server = HealthServer(self.ownership, watchdog, self.metrics)

    def assign(self) -> None:
        """The assignment is complete."""
        self.ownership.complete(self.ownership.hand_over(1, [7]), {7: self.partition})

    async def status(self, path: str) -> int:
        """The answer's status."""
        return (await self.get(path))[0]

    async def get(self, path: str) -> tuple[int, bytes]:
        """The answer."""
        async with aiohttp.ClientSession() as session, session.get(f"http://{self.server.address}{path}") as answer:
            return answer.status, await answer.read()


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    """A served worker."""
    made = Scene()
    await made.server.start("127.0.0.1", 0)
    yield made
    await made.server.stop()


async def test_alive_before_anything_is_assigned(scene: Scene) -> None:
    """A worker that waits for its partitions is alive, but neither ready nor caught up."""
    assert await scene.status("/alive") == 200
    assert await scene.status("/ready") == 503
    assert await scene.status("/caught-up") == 503


async def test_ready_but_behind(scene: Scene) -> None:
    """Once read back it is ready; it has caught up only when the last record is durable."""
    scene.assign()
    assert await scene.status("/ready") == 200
    assert await scene.status("/caught-up") == 503

    scene.partition.durable = Position(next_offset=5)

    assert await scene.status("/caught-up") == 200


async def test_an_unanswering_broker_is_not_caught_up(scene: Scene) -> None:
    """Nobody knows what waits, so nobody may say that nothing does."""
    scene.assign()
    scene.partition.durable = Position(next_offset=5)
    scene.ends.answer = None

    assert await scene.status("/caught-up") == 503


async def test_positions_and_lag(scene: Scene) -> None:
    """The overview tells where each partition stands."""
    scene.assign()
    scene.partition.durable = Position(next_offset=3)

    shown = msgspec.json.decode((await scene.get("/"))[1], type=Health)

    assert (shown.partitions["7"].position, shown.partitions["7"].lag) == (3, 2)


async def test_figures_for_prometheus(scene: Scene) -> None:
    """Lag stands in the metrics, by partition."""
    scene.assign()
    await scene.get("/")

    figures = (await scene.get("/metrics"))[1].decode()

    assert 'medlist_engine_lag_records{partition="7"} 5.0' in figures


async def test_age_state_and_conflicts(scene: Scene) -> None:
    """What a night shift asks first: how old is what waits, how much is held, what cannot be decided."""
    scene.assign()
    now = wall_clock().timestamp()
    rows = PlainRows()
    rows.put(b"key", b"value")
    scene.metrics.read_back(7, rows)
    scene.partition.receive(0, b"a", now - 3600)
    scene.partition.receive(1, b"b", now - 60)
    await scene.get("/")
    waiting = (await scene.get("/metrics"))[1].decode()

    scene.metrics.conflicted({**scene.partition.fold(), "REC-X": 2})
    scene.metrics.settled(7, [0.2, 70.0], {b"k": b"v", b"l": None})
    scene.partition.durable = Position(next_offset=5)
    await scene.get("/")
    done = (await scene.get("/metrics"))[1].decode()

    assert 3600 <= figure(waiting, 'medlist_engine_oldest_seconds{partition="7"}') < 3700
    assert figure(done, 'medlist_engine_oldest_seconds{partition="7"}') == 0
    assert figure(done, 'medlist_engine_state_rows{partition="7"}') == 3
    assert figure(done, 'medlist_engine_state_bytes{partition="7"}') == 11
    assert figure(done, 'medlist_engine_conflicts_total{finding="REC-X"}') == 2
    assert figure(done, "medlist_engine_delay_seconds_count") == 2


def figure(text: str, name: str) -> float:
    """One of the figures."""
    (line,) = [line for line in text.splitlines() if line.startswith(f"{name} ")]
    return float(line.rpartition(" ")[2])


async def test_an_address_that_is_taken_is_told(scene: Scene) -> None:
    """With its code, for a person: starting again finds it taken too."""
    host, _, port = scene.server.address.partition(":")
    second = Scene().server

    with pytest.raises(EngineError, match=f"{scene.server.address}: EADDRINUSE") as caught:
        await second.start(host, int(port))
    await second.stop()

    assert caught.value.code == "ENG-016"
    assert caught.value.status == OPERATOR_STATUS
