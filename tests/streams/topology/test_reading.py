"""Reading facts where it is told to go on, on a real Kafka."""

import asyncio
import random
import time
from collections.abc import AsyncIterator

import msgspec
import pytest
from confluent_kafka import KafkaError, Message, Producer

from connectors.settings import Settings
from streams.topology.problems import EngineCode, EngineError
from streams.topology.reading import FactReader, is_record
from tests.kafka.topics import create_topics
from tests.streams.topology.fakes import engine_settings

DEADLINE_SECONDS = 30.0
RECORDS = 50


_draw = random.Random(7).randbytes


class Stage:
    """A topic with records of the same number as their offset in each partition, and a reader."""

    def __init__(self, kafka: str, topic: str, partitions: int = 2) -> None:
        settings = msgspec.structs.replace(engine_settings(), connection=Settings(kafka=kafka), fact_topic=topic)
        self.reader = FactReader(settings)
        self._producer = Producer({"bootstrap.servers": kafka, "log_level": 0, "compression.type": "zstd"})
        self._topic = topic
        self._partitions = partitions

    def produce(self, first: int, count: int, behind: bytes = b"", *, drawn: int = 0) -> None:
        """Write so many to each partition, with some bytes behind the number, and so many that are like no others."""
        for number in range(first, first + count):
            for partition in range(self._partitions):
                self._producer.produce(self._topic, value=b"%d" % number + _draw(drawn) + behind, partition=partition)
                self._producer.poll(0)
        assert self._producer.flush(DEADLINE_SECONDS) == 0

    async def read(self, records: int) -> list[tuple[int, int, bytes | None]]:
        """Partition, offset and value of so many records, as they come."""
        found: list[tuple[int, int, bytes | None]] = []
        deadline = time.monotonic() + DEADLINE_SECONDS
        while len(found) < records:
            assert time.monotonic() < deadline, f"only {len(found)} of {records}"
            for partition, messages in (await self.reader.read()).items():
                found.extend((partition, message.offset() or 0, message.value()) for message in messages)
        return found


@pytest.fixture
async def stage(kafka: str, topic_prefix: str) -> AsyncIterator[Stage]:
    """Fifty records in each of two partitions."""
    create_topics(kafka, {f"{topic_prefix}fact": 2})
    made = Stage(kafka, f"{topic_prefix}fact")
    made.produce(0, RECORDS)
    yield made
    await made.reader.close()


@pytest.mark.kafka
async def test_records_come_in_order_from_where_it_goes_on(stage: Stage) -> None:
    """Of the partitions that it was given, and of no other."""
    await stage.reader.go_on({1: 20})

    found = await stage.read(RECORDS - 20)

    assert found == [(1, number, b"%d" % number) for number in range(20, RECORDS)]


@pytest.mark.kafka
async def test_what_was_read_before_a_change_is_dropped_and_comes_again(stage: Stage) -> None:
    """A read that was under way when the assignment changed tells of places that count no more."""
    await stage.reader.go_on({0: 0, 1: 0})
    await stage.read(1)
    under_way = asyncio.create_task(stage.reader.read())
    await asyncio.sleep(0)
    await stage.reader.go_on({0: 40})

    assert await under_way == {}
    assert await stage.read(RECORDS - 40) == [(0, number, b"%d" % number) for number in range(40, RECORDS)]


@pytest.mark.kafka
async def test_given_nothing_it_reads_nothing(stage: Stage) -> None:
    """Before the first assignment, and after one of nothing."""
    assert await stage.reader.read() == {}
    await stage.reader.go_on({0: 0})
    await stage.read(1)
    await stage.reader.go_on({})

    for _ in range(5):
        assert await stage.reader.read() == {}


@pytest.mark.kafka
async def test_the_end_is_known_once_something_was_fetched(stage: Stage) -> None:
    """It is what makes a record the last one for now, and moves with the log."""
    assert stage.reader.end(0) is None
    await stage.reader.go_on({0: 0})
    await stage.read(RECORDS)
    assert stage.reader.end(0) == RECORDS

    stage.produce(RECORDS, 1)
    await stage.read(1)

    assert stage.reader.end(0) == RECORDS + 1

    await stage.reader.go_on({0: 0})
    assert stage.reader.end(0) is None


@pytest.mark.kafka
async def test_a_position_outside_of_the_log_is_no_silent_reset(stage: Stage) -> None:
    """Facts are gone, or it is another log: a person must look."""
    await stage.reader.go_on({0: RECORDS + 10})

    with pytest.raises(EngineError) as caught:
        await stage.read(1)

    assert caught.value.reason is EngineCode.POSITION_OUTSIDE_LOG


@pytest.mark.kafka
async def test_closed_it_reads_nothing_and_goes_nowhere(stage: Stage) -> None:
    """A stop may cross with a rebalance."""
    await stage.reader.go_on({0: 0})
    await stage.reader.close()

    await stage.reader.go_on({1: 0})

    assert await stage.reader.read() == {}
    assert stage.reader.end(0) is None


@pytest.mark.kafka
async def test_in_catch_up_all_partitions_have_a_share(kafka: str, topic_prefix: str) -> None:
    """Else those whose turn is last stand still for minutes, and the watchdog ends a worker that is only busy."""
    partitions, records = 6, 300
    create_topics(kafka, {f"{topic_prefix}fact": partitions})
    stage = Stage(kafka, f"{topic_prefix}fact", partitions)
    stage.produce(0, records, b"x" * 46_000, drawn=4_000)
    await stage.reader.go_on(dict.fromkeys(range(partitions), 0))

    found = await stage.read(partitions * records)
    await stage.reader.close()

    begun, ended = set(), []
    for partition, offset, _ in found:
        begun.add(partition)
        if offset == records - 1:
            ended.append(len(begun))
    assert ended[0] == partitions


@pytest.mark.kafka
async def test_records_that_are_larger_than_a_fetch_come_all_the_same(kafka: str, topic_prefix: str) -> None:
    """The broker gives one batch at least, however large."""
    large = _draw(900_000)
    create_topics(kafka, {f"{topic_prefix}fact": 2})
    stage = Stage(kafka, f"{topic_prefix}fact")
    stage.produce(0, 20, large)
    await stage.reader.go_on({0: 0, 1: 0})

    found = await stage.read(40)
    await stage.reader.close()

    assert sorted((partition, offset) for partition, offset, _ in found) == [(p, n) for p in (0, 1) for n in range(20)]
    assert all((value or b"").endswith(large) for _, _, value in found)


class Word(Message):
    """What a client says in place of a record."""

    def __init__(self, code: int) -> None:
        super().__init__(topic="fact", partition=3, error=KafkaError(code))


@pytest.mark.parametrize("code", [KafkaError._TRANSPORT, KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError.UNKNOWN])
def test_what_the_client_goes_on_from_is_no_fault(code: int) -> None:
    """A broker that is away, or that knows nothing in the moment in which it starts."""
    assert not is_record(Word(code))


def test_a_topic_that_may_not_be_read_stops_the_worker() -> None:
    """With the client's word for it, and the place."""
    with pytest.raises(EngineError, match=r"topic fact partition 3: TOPIC_AUTHORIZATION_FAILED") as caught:
        is_record(Word(KafkaError.TOPIC_AUTHORIZATION_FAILED))

    assert caught.value.reason is EngineCode.READ_FAILED
