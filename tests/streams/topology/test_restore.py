"""Reading partitions back from a real Kafka: the newest committed row of each key, however it is kept meanwhile."""

from collections.abc import Callable, Iterator, Mapping

import msgspec
import pytest
from confluent_kafka import Producer

from connectors.settings import Settings
from streams.topology.client import producer_config
from streams.topology.position import POSITION_KEY, START, Position, encode
from streams.topology.problems import EngineCode, EngineError
from streams.topology.reconciling.archive import LOOSE_ROWS, StoredRows
from streams.topology.restore import read_back
from streams.topology.rows import PlainRows, Rows
from streams.topology.settings import EngineSettings
from streams.topology.writer import Changes, TransactionalWriter

pytestmark = pytest.mark.kafka

KINDS = pytest.mark.parametrize("kind", [PlainRows, StoredRows])


@pytest.fixture
def settings(
    kafka: str, make_topics: Callable[[Mapping[str, int]], dict[str, str]]
) -> Callable[[Callable[[], Rows]], EngineSettings]:
    """Settings of an engine with two partitions of its own, by how rows are kept."""
    named = make_topics({"state": 2, "fact": 2})
    return lambda kind: EngineSettings(
        connection=Settings(kafka=kafka), group="g", fact_topic=named["fact"], state_topic=named["state"], rows=kind
    )


@pytest.fixture
def written(settings: Callable[[Callable[[], Rows]], EngineSettings]) -> Iterator[Callable[..., None]]:
    """A function that commits rows and a position to a partition, as an owner does."""
    writers = {number: TransactionalWriter(settings(PlainRows), number) for number in range(2)}
    for writer in writers.values():
        writer.fence()

    def write(partition: int, rows: Mapping[bytes, bytes | None], next_offset: int) -> None:
        writers[partition].write(Changes(rows=rows, sends=(), position=Position(next_offset=next_offset)))

    yield write
    for writer in writers.values():
        writer.close()


def rows_of(patient: str, begin: int, end: int, version: str) -> dict[bytes, bytes | None]:
    """Rows of facts of one patient."""
    return {f"{patient}|f|{number}".encode(): f"{version} of {number}".encode() for number in range(begin, end)}


@KINDS
def test_the_newest_committed_row_of_each_key_counts(
    settings: Callable[[Callable[[], Rows]], EngineSettings],
    written: Callable[..., None],
    kind: Callable[[], Rows],
) -> None:
    """Rows written again, deleted, and deleted and written again; two partitions at once; an aborted transaction between."""
    some = 3 * LOOSE_ROWS + 5
    first = rows_of("P", 0, some, "first")
    again = rows_of("P", 7, LOOSE_ROWS + 9, "second") | {b"P|m": b"mark", b"Q|f|1": b"one", b"\x01clock": b"late"}
    gone: dict[bytes, bytes | None] = {b"P|f|2": None, b"P|f|9": None, b"Q|f|1": None, b"R|m": None}
    back: dict[bytes, bytes | None] = {b"P|f|9": b"third", b"P|m": b"newer mark"}
    elsewhere = rows_of("Z", 0, 2, "first")
    written(0, first | {b"R|m": b"mark", b"\x01clock": b"early"}, 1)
    written(1, elsewhere, 5)
    written(0, again, 2)
    aborted(settings(kind), 0, {b"P|f|0": b"never", b"S|f|1": b"never", POSITION_KEY: encode(Position(next_offset=99))})
    written(0, gone, 3)
    written(0, back, 4)

    restored = read_back(settings(kind), [0, 1])

    expected = {key: row for key, row in (first | again | gone | {b"\x01clock": b"late"} | back).items() if row}
    assert dict(restored[0].rows) == expected
    assert dict(restored[1].rows) == elsewhere
    assert {number: one.position.next_offset for number, one in restored.items()} == {0: 4, 1: 5}


def aborted(settings: EngineSettings, partition: int, rows: Mapping[bytes, bytes]) -> None:
    """Write rows in a transaction that somebody else gives up."""
    producer = Producer(producer_config(settings, transactional_id=f"{settings.state_topic}-given-up"))
    producer.init_transactions()
    producer.begin_transaction()
    for key, row in rows.items():
        producer.produce(settings.state_topic, row, key, partition=partition)
    producer.flush(30)
    producer.abort_transaction()


@KINDS
def test_rows_without_a_position_stop_and_none_at_all_are_a_start(
    settings: Callable[[Callable[[], Rows]], EngineSettings], kind: Callable[[], Rows]
) -> None:
    """Whose position is missing is not the engine's state; rows that are all deleted are as good as none."""
    engine = settings(kind)
    producer = Producer({"bootstrap.servers": engine.connection.kafka})
    for key, row in ((b"P|f|1", b"row"), (b"P|f|1", None), (b"P|m", b"mark"), (b"P|m", None)):
        producer.produce(engine.state_topic, row, key, partition=0)
    producer.produce(engine.state_topic, b"row", b"P|f|2", partition=1)
    assert producer.flush(30) == 0

    assert read_back(engine, [0])[0].position == START
    with pytest.raises(EngineError) as caught:
        read_back(engine, [1])

    assert caught.value.reason is EngineCode.STATE_WITHOUT_POSITION


def test_a_position_that_cannot_be_read_stops(settings: Callable[[Callable[[], Rows]], EngineSettings]) -> None:
    """Somebody else wrote it."""
    engine = settings(StoredRows)
    producer = Producer({"bootstrap.servers": engine.connection.kafka})
    producer.produce(engine.state_topic, msgspec.json.encode({"offset": 3}), POSITION_KEY, partition=0)
    assert producer.flush(30) == 0

    with pytest.raises(EngineError) as caught:
        read_back(engine, [0])

    assert caught.value.reason is EngineCode.POSITION_UNREADABLE
