"""The engine without one of its protections each, in the process that asks for it: what the loss paths look like then.

Each removal does what the stock engine does at that place, and nothing else; `test_loss_paths` shows what is lost by it.
"""

import os
import time
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any, Final

import faust
from faust.serializers import codecs
from faust.transport.drivers.aiokafka import Consumer

from connectors.kafka.clients import ClientConfig
from streams.topology import app, flow, writer
from streams.topology.contiguity import Place, place
from streams.topology.failstop import FailStop
from streams.topology.flow import RecordFlow
from streams.topology.partition import OwnedPartition
from streams.topology.position import Position, checksum
from streams.topology.problems import EngineError
from streams.topology.settings import EngineSettings
from streams.topology.writer import Changes, TransactionalWriter, produce_one, records_of

DROPPED_OFFSETS: Final = range(40, 45)
BETWEEN_SECONDS: Final = 5.0
"""So long that whoever waits for the file is in time, however slow the machine."""


def through_an_agent(_once: Path) -> None:
    """Records come through faust's queue and an agent, which acknowledge them on the way: what faust commits is then something."""

    def connect(made: faust.App, settings: EngineSettings, flow: RecordFlow, stop: FailStop) -> Callable[[], None]:
        facts = made.topic(settings.fact_topic, key_serializer="raw", value_serializer="raw", internal=False)

        @made.agent(facts, concurrency=1)  # type: ignore[untyped-decorator]  # faust tells nothing of its types
        async def reconcile(stream: Any) -> None:
            async for event in stream.events():
                message = event.message
                stale = message.generation_id != made.consumer_generation_id
                end = made.consumer.highwater(message.tp)
                taking = flow.take(
                    message.partition,
                    message.offset,
                    message.value or b"",
                    stale=stale,
                    end=end,
                    at=message.timestamp,
                )
                await stop.guard(taking)

        return lambda: None  # an agent subscribes by itself

    _replace(app, "connect_records", connect)


def stock_seek(_once: Path) -> None:
    """Read with faust's client, and go on at the group's committed offset, as faust does."""

    def consumer(*arguments: Any, callback: Any, **more: Any) -> Consumer:
        ours = ("reader", "ownership", "fact_topic", "stop")
        return Consumer(
            *arguments, callback=callback, **{name: each for name, each in more.items() if name not in ours}
        )

    _replace(app, "ReadingConsumer", consumer)


def no_gap_check(_once: Path) -> None:
    """Apply what lies beyond a gap as well."""
    _misplace(Place.GAP)


def no_repeat_check(_once: Path) -> None:
    """Apply what was applied already once more."""
    _misplace(Place.ALREADY_APPLIED)


def no_fail_stop(_once: Path) -> None:
    """An exception goes its way: through an agent, which faust starts again, or out of a timer."""

    async def guard(_stop: FailStop, work: Coroutine[Any, Any, None]) -> None:
        await work

    def stop(_stop: FailStop, cause: BaseException) -> None:
        raise cause

    _replace(FailStop, "guard", guard)
    _replace(FailStop, "__call__", stop)


def acknowledge_failed(_once: Path) -> None:
    """Records that a core raised at count as done, as in the `finally` of faust's streams."""

    def fold(owned: OwnedPartition) -> Mapping[str, int]:
        records = list(owned._inbox)
        try:
            return whole(owned)
        finally:
            if records:
                owned._inbox = []
                owned.applied = Position(owned.received, checksum(records[-1]), owned.applied.topic_id)

    whole = OwnedPartition.fold
    _replace(OwnedPartition, "fold", fold)


def faust_decodes(_once: Path) -> None:
    """Records are decoded before the agent sees them, by a codec that refuses some."""

    class Ascii(codecs.Codec):  # type: ignore[misc]  # faust tells nothing of its types
        def _loads(self, text: bytes) -> bytes:
            return text.decode("ascii").encode()

        def _dumps(self, value: bytes) -> bytes:
            return value

    def topic(made_by: faust.App, *names: str, **options: Any) -> Any:
        return whole(made_by, *names, **options | {"value_serializer": "ascii"})

    codecs.register("ascii", Ascii())
    whole = faust.App.topic
    _replace(faust.App, "topic", topic)


def warn_of_failed_writes(_once: Path) -> None:
    """A write that failed is passed over, as faust passes over a changelog that could not be written."""

    def write(one: TransactionalWriter, changes: Changes) -> None:
        try:
            whole(one, changes)
        except EngineError:
            one._producer.abort_transaction()

    whole = TransactionalWriter.write
    _replace(TransactionalWriter, "write", write)


def position_later(once: Path) -> None:
    """Rows are stored first and the position some time after, as a changelog and a committed offset are; the file is made between."""

    def write(one: TransactionalWriter, changes: Changes) -> None:
        *rows_and_sends, _position = records_of(one._settings.state_topic, changes)
        one._producer.begin_transaction()
        for record in rows_and_sends:
            produce_one(one._producer, record, one._partition, None)
        one._producer.commit_transaction()
        once.touch()
        time.sleep(BETWEEN_SECONDS)
        whole(one, Changes(rows={}, sends=(), position=changes.position))

    whole = TransactionalWriter.write
    _replace(TransactionalWriter, "write", write)


def no_fence(_once: Path) -> None:
    """Every process has transactional ids of its own: nobody shuts an older owner out."""

    def config(settings: EngineSettings, *, transactional_id: str | None = None) -> ClientConfig:
        return whole(settings, transactional_id=f"{transactional_id}-{os.getpid()}")

    whole: Callable[..., ClientConfig] = vars(writer)["producer_config"]
    _replace(writer, "producer_config", config)


def forget_fetched(once: Path) -> None:
    """Some records that were fetched never arrive, once: what faust's queue drops when it starts with something to recover."""

    async def take(one: RecordFlow, number: int, offset: int, record: bytes, **told: Any) -> None:
        if forgetful and offset in DROPPED_OFFSETS:
            mark()
            return
        await whole(one, number, offset, record, **told)

    mark, forgetful = once.touch, not once.exists()
    whole = RecordFlow.take
    _replace(RecordFlow, "take", take)


REMOVALS: Final[Mapping[str, Callable[[Path], None]]] = {
    removal.__name__.replace("_", "-"): removal
    for removal in (
        through_an_agent,
        stock_seek,
        no_gap_check,
        no_repeat_check,
        no_fail_stop,
        acknowledge_failed,
        faust_decodes,
        warn_of_failed_writes,
        position_later,
        no_fence,
        forget_fetched,
    )
}
"""By the name that a plan gives them. Each gets the path of a file that says whether what happens once has happened."""


def _misplace(kind: Place) -> None:
    """Take the teeth out of the check for one kind of record: it is applied like the next."""
    checked: Callable[..., Place] = getattr(flow, "place", place)

    def unchecked(offset: int, expected: int, *, stale: bool) -> Place:
        found = checked(offset, expected, stale=stale)
        return Place.NEXT if found is kind else found

    _replace(flow, "place", unchecked)


def _replace(where: object, name: str, by: object) -> None:
    setattr(where, name, by)
