"""How far partitions are, and when standing still has lasted too long."""

import asyncio

import pytest
from structlog.testing import capture_logs

from streams.topology.metrics import EngineMetrics
from streams.topology.ownership import Ownership
from streams.topology.partition import OwnedPartition
from streams.topology.position import Position
from streams.topology.problems import EngineCode, EngineError
from streams.topology.progress import Progress
from streams.topology.settings import EngineLimits
from streams.topology.watchdog import Watchdog
from tests.streams.topology.fakes import FixedEnds, engine_settings, owned_partition


def at(partition: OwnedPartition, offset: int) -> dict[int, OwnedPartition]:
    """The partition, durable up to this offset."""
    partition.durable = Position(next_offset=offset)
    return {partition.number: partition}


def test_lag_and_how_long_it_has_lasted() -> None:
    """Lag is counted from our durable position; it grows old until the end is reached."""
    progress, partition = Progress(), owned_partition()[0]

    first = progress.look(at(partition, 3), {0: 5}, now=100.0)[0]
    later = progress.look(at(partition, 4), {0: 9}, now=107.0)[0]
    caught_up = progress.look(at(partition, 9), {0: 9}, now=108.0)[0]

    assert (first.lag, first.behind_seconds) == (2, 0)
    assert (later.lag, later.behind_seconds, later.still_seconds) == (5, 7.0, 0)
    assert (caught_up.lag, caught_up.behind_seconds) == (0, 0)


def test_standing_still_counts_only_while_input_waits() -> None:
    """An idle partition stands still for hours and nothing is wrong; the clock starts when input waits."""
    progress, partition = Progress(), owned_partition()[0]

    progress.look(at(partition, 5), {0: 5}, now=0.0)
    idle = progress.look(at(partition, 5), {0: 5}, now=3600.0)[0]
    waiting = progress.look(at(partition, 5), {0: 6}, now=3610.0)[0]
    stuck = progress.look(at(partition, 5), {0: 6}, now=3630.0)[0]

    assert idle.still_seconds == 0
    assert waiting.still_seconds == 10.0
    assert stuck.still_seconds == 30.0


def test_a_partition_whose_end_nobody_tells_is_not_standing_still() -> None:
    """It has no leader: nothing of it could be fetched either. How long input waits goes on."""
    progress, partition = Progress(), owned_partition()[0]
    progress.look(at(partition, 5), {0: 6}, now=0.0)

    progress.look(at(partition, 5), {}, now=200.0)
    found = progress.look(at(partition, 5), {0: 6}, now=201.0)[0]
    stuck = progress.look(at(partition, 5), {0: 6}, now=231.0)[0]

    assert (found.still_seconds, found.behind_seconds) == (0, 201.0)
    assert stuck.still_seconds == 30.0


def test_a_partition_given_up_while_its_end_was_not_known_is_forgotten_too() -> None:
    """Else it would come back a day behind."""
    progress, partition = Progress(), owned_partition()[0]
    progress.look(at(partition, 5), {0: 6}, now=0.0)
    progress.look(at(partition, 5), {}, now=10.0)
    progress.look({}, {}, now=20.0)

    assert progress.look(at(partition, 5), {0: 6}, now=86400.0)[0].behind_seconds == 0


def test_partitions_given_up_are_forgotten() -> None:
    """A partition that comes back starts with a fresh clock."""
    progress, partition = Progress(), owned_partition()[0]
    progress.look(at(partition, 5), {0: 6}, now=0.0)

    progress.look({}, {}, now=50.0)

    assert progress.look(at(partition, 5), {0: 6}, now=100.0)[0].still_seconds == 0


class HangingEnds(FixedEnds):
    """Never answers."""

    def __init__(self) -> None:
        super().__init__(None)

    async def ends(self, partitions: object) -> dict[int, int] | None:
        """Never."""
        await asyncio.Event().wait()
        return await super().ends(partitions)


def watchdog(
    ends: dict[int, int] | None, *, assigned: bool = True, hanging: bool = False, hung_seconds: float = 60.0
) -> Watchdog:
    """A watchdog over one partition at offset 0."""
    limits = EngineLimits(assignment_seconds=60, hung_seconds=hung_seconds)
    ownership = Ownership()
    if assigned:
        ownership.complete(ownership.hand_over(1, [0]), {0: owned_partition()[0]})
    watermarks = HangingEnds() if hanging else FixedEnds(ends)
    return Watchdog(engine_settings(limits), ownership, watermarks, EngineMetrics())


def watching(answer: dict[int, int] | None) -> tuple[Watchdog, FixedEnds]:
    """A watchdog over one partition at offset 0, and what tells it where that ends."""
    ownership, ends = Ownership(), FixedEnds(answer)
    ownership.complete(ownership.hand_over(1, [0]), {0: owned_partition()[0]})
    return Watchdog(engine_settings(), ownership, ends, EngineMetrics()), ends


async def test_input_that_waits_while_nothing_moves_stops_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """After `watchdog_seconds` (30 here) of standing still with input waiting."""
    now = 1000.0
    monkeypatch.setattr("streams.topology.watchdog.time.monotonic", lambda: now)
    dog = watchdog({0: 5})
    await dog.look()
    now += 29.0
    await dog.look()
    now += 1.0

    with pytest.raises(EngineError) as caught:
        await dog.look()

    assert caught.value.reason is EngineCode.STUCK


class NoMoreSleepError(Exception):
    """The test is over."""


async def watched(monkeypatch: pytest.MonkeyPatch, *sleeps: float) -> None:
    """Let a watchdog over input that waits look again and again; each of its sleeps, of 10 seconds, takes so many."""
    now, left = 1000.0, list(sleeps)

    async def sleep(_seconds: float) -> None:
        nonlocal now
        if not left:
            raise NoMoreSleepError
        now += left.pop(0)

    monkeypatch.setattr("streams.topology.watchdog.time.monotonic", lambda: now)
    monkeypatch.setattr("streams.topology.watchdog.asyncio.sleep", sleep)
    await watchdog({0: 5}).run()


async def test_time_in_which_the_event_loop_did_not_turn_counts_against_no_partition(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A large batch on a slow machine is stored after it: a restart would only apply it again."""
    with pytest.raises(NoMoreSleepError):
        await watched(monkeypatch, 100.0, 10.0, 10.0)

    with pytest.raises(EngineError):
        await watched(monkeypatch, 100.0, 10.0, 10.0, 10.0)


async def test_a_broker_that_does_not_answer_decides_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """While the broker is away nobody can tell whether input waits."""
    now = 1000.0
    monkeypatch.setattr("streams.topology.watchdog.time.monotonic", lambda: now)
    dog = watchdog(None)
    await dog.look()
    now += 3600.0

    await dog.look()

    assert dog.progress.standings == {}


async def test_a_broker_that_is_back_is_given_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """While it was away nothing could move: that is no standstill of ours. What stands still from then on is one."""
    now = 1000.0
    monkeypatch.setattr("streams.topology.watchdog.time.monotonic", lambda: now)
    dog, ends = watching({0: 5})
    await dog.look()
    ends.answer = None
    for _ in range(30):
        now += 10.0
        await dog.look()
    ends.answer = {0: 9}
    now += 10.0

    await dog.look()
    back = dog.progress.standings[0]
    now += 20.0
    with pytest.raises(EngineError) as caught:
        await dog.look()

    assert (back.still_seconds, back.behind_seconds) == (10.0, 310.0)
    assert caught.value.reason is EngineCode.STUCK


async def test_a_broker_that_is_away_is_told_once_and_so_is_that_it_is_back() -> None:
    """However often the watchdog looks."""
    dog, ends = watching(None)

    with capture_logs() as lines:
        for answer in (None, None, {0: 0}, {0: 0}, None):
            ends.answer = answer
            await dog.look()

    assert [line["event"] for line in lines] == ["watchdog.blinded", "watchdog.recovered", "watchdog.blinded"]


async def test_a_partition_without_a_leader_is_told_of_and_keeps_its_figures() -> None:
    """An alarm on its lag must not end because nobody can read it; and the other one is looked after."""
    ownership, metrics, ends = Ownership(), EngineMetrics(), FixedEnds({0: 5, 1: 5})
    partitions = {number: owned_partition(number)[0] for number in (0, 1)}
    ownership.complete(ownership.hand_over(1, [0, 1]), partitions)
    dog = Watchdog(engine_settings(), ownership, ends, metrics)

    def lag(number: int) -> float | None:
        return metrics.registry.get_sample_value("medlist_engine_lag_records", {"partition": str(number)})

    with capture_logs() as lines:
        for answer in ({0: 5, 1: 5}, {1: 9}, {1: 9}):
            ends.answer = answer
            await dog.look()
        unknown = lag(0), lag(1)
        ends.answer = {0: 6, 1: 9}
        await dog.look()
        ownership.complete(ownership.hand_over(2, [1]), {1: partitions[1]})
        ends.answer = {1: 9}
        await dog.look()

    assert [*unknown, lag(0), lag(1)] == [5, 9, None, 9]
    told = [(line["event"], line["partition"]) for line in lines if line["event"] != "partition.stalled"]
    assert told == [("partition.leaderless", 0), ("partition.led", 0)]


async def test_a_client_that_hangs_stops_the_process() -> None:
    """A broker that is away is said to be; a client that says nothing at all would leave the watchdog blind for ever."""
    dog = watchdog(None, hanging=True, hung_seconds=0.01)

    with pytest.raises(EngineError) as caught:
        await dog.look()

    assert caught.value.reason is EngineCode.STUCK


async def test_an_assignment_that_never_comes_stops_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that fell out of its group raises nothing by itself."""
    now = 1000.0
    monkeypatch.setattr("streams.topology.watchdog.time.monotonic", lambda: now)
    dog = watchdog({}, assigned=False)
    await dog.look()
    now += 60.0

    with pytest.raises(EngineError) as caught:
        await dog.look()

    assert caught.value.reason is EngineCode.STUCK
