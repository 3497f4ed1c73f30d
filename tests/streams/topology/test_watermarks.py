"""Asking where partitions end: one question at a time, however many ask."""

import asyncio
import threading
from collections.abc import Collection, Mapping
from typing import cast

from confluent_kafka import Consumer, TopicPartition

from streams.topology.watermarks import Watermarks
from tests.kafka.leaderless import PartlyLed
from tests.streams.topology.fakes import engine_settings


class SlowEnds(Watermarks):
    """Answers when the test says so, with how many questions came before."""

    def __init__(self) -> None:
        super().__init__(engine_settings())
        self.begun = threading.Event()
        self.go_on = threading.Event()
        self.questions = 0

    def _ask(self, partitions: Collection[int]) -> Mapping[int, int] | None:
        self.begun.set()
        assert self.go_on.wait(30)
        self.questions += 1
        return dict.fromkeys(partitions, self.questions)


async def test_all_who_come_while_one_asks_share_the_next_question() -> None:
    """A probe a second would else pile questions up behind a slow broker, and the watchdog's own behind them."""
    slow = SlowEnds()
    first = asyncio.create_task(slow.ends([0, 1]))
    assert await asyncio.to_thread(slow.begun.wait, 30)
    later = [asyncio.create_task(slow.ends([0, 1])) for _ in range(20)]
    await asyncio.sleep(0)
    slow.go_on.set()

    assert await first == {0: 1, 1: 1}
    assert await asyncio.gather(*later) == [{0: 2, 1: 2}] * 20  # none of them gets an answer from before it asked
    assert slow.questions == 2
    await slow.close()


class SlowBroker:
    """A client that needs a while for each partition."""

    def __init__(self) -> None:
        self.asked = 0
        self.begun = threading.Event()
        self.go_on = threading.Event()

    def get_watermark_offsets(self, _partition: TopicPartition, timeout: float) -> tuple[int, int]:
        """The ends, when the test says so."""
        self.asked += 1
        self.begun.set()
        assert self.go_on.wait(30)
        return 0, 7

    def close(self) -> None:
        """Nothing to close."""


async def test_a_stop_does_not_wait_for_all_partitions() -> None:
    """A worker with many of them would need longer to stop than it may, only because its broker is slow."""
    slow, watermarks = SlowBroker(), Watermarks(engine_settings())
    watermarks._consumer = cast("Consumer", slow)
    asking = asyncio.create_task(watermarks.ends(range(32)))
    assert await asyncio.to_thread(slow.begun.wait, 30)
    closing = asyncio.create_task(watermarks.close())
    await asyncio.sleep(0)
    slow.go_on.set()

    await closing

    assert await asking is None
    assert slow.asked == 1


async def test_a_partition_without_a_leader_hides_no_other() -> None:
    """Of the others we know where they end, so that one of them that is stuck is seen."""
    watermarks = Watermarks(engine_settings())
    watermarks._consumer = cast("Consumer", PartlyLed({("fact", 1), ("fact", 3)}))

    assert await watermarks.ends([0, 1, 2, 3]) == {1: 7, 3: 7}
    assert await watermarks.ends([0, 2]) is None
    await watermarks.close()


async def test_one_who_gives_up_leaves_the_question_to_the_others() -> None:
    """A probe that is cut takes nobody's answer away."""
    slow = SlowEnds()
    first, second = (asyncio.create_task(slow.ends([0])) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    slow.go_on.set()

    assert await second == {0: 1}
    await slow.close()
