"""`medlist quarantine`: what waits is listed without a byte of it, and goes back whole or not at all."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from confluent_kafka import Producer

from connectors.kafka.embedded import EmbeddedBroker
from connectors.pseudonym import partition_of
from connectors.settings import Settings
from contracts.problems import Problem
from contracts.quarantine import REPLAY_OF_HEADER, Place, Quarantined, encode_record
from contracts.topics import FACT, QUARANTINE
from streams.command.quarantine import waiting
from tests.streams.command.conftest import Medlist
from tests.streams.topology.intake.trivial import SOURCE, topics
from tests.streams.topology.intake.wire import everything

PARTITIONS = 4
AT = datetime(2026, 11, 22, 8, tzinfo=UTC)
PERSON = "191212121212"


def kept(number: int, **fields: object) -> Quarantined:
    """One record of the quarantine."""
    given = {
        "id": f"q-{number}",
        "source": "hospital",
        "place": Place(topic=SOURCE.topic, partition=1, offset=number),
        "received_at": AT.replace(minute=number),
        "problems": (Problem(code="missing", place="RXE[1]-2", text="is required"),),
        "original": f"message {number} of {PERSON}".encode(),
    }
    return Quarantined(**(given | fields))  # type: ignore[arg-type]  # the test names the fields


@pytest.fixture
def broker() -> Iterator[EmbeddedBroker]:
    """An embedded broker with the intake's topics."""
    with EmbeddedBroker(topics(PARTITIONS)) as broker:
        yield broker


def settings_of(broker: EmbeddedBroker) -> Settings:
    """The settings of that broker."""
    return Settings.for_demo(broker.bootstrap)


def environment(broker: EmbeddedBroker) -> dict[str, str]:
    """The variables with which the command finds that broker."""
    return {"MEDLIST_KAFKA": broker.bootstrap, "MEDLIST_PARTITIONS": str(PARTITIONS)}


def put(broker: EmbeddedBroker, *records: Quarantined) -> None:
    """Put records into the quarantine, where the intake would."""
    settings = settings_of(broker)
    producer = Producer(settings.kafka_client())
    for record in records:
        partition = partition_of(record.id, PARTITIONS)
        producer.produce(settings.topic(QUARANTINE), encode_record(record), key=record.id.encode(), partition=partition)
    assert producer.flush(10) == 0


def test_what_waits_is_listed_oldest_first_with_codes_and_places_and_no_byte_of_it(
    broker: EmbeddedBroker, medlist: Medlist
) -> None:
    """Every message once, however often its record came; nothing of a patient is shown."""
    put(broker, kept(2), kept(1), kept(1), kept(3, source="municipal", facts=2))

    told = medlist("quarantine", "list", "--json", **environment(broker))
    shown = medlist("quarantine", "list", **environment(broker))

    objects = [json.loads(line) for line in told.stdout.splitlines()]
    assert [one["id"] for one in objects] == ["q-1", "q-2", "q-3"]
    assert objects[0]["problems"] == [["missing", "RXE[1]-2"]]
    assert "2 facts could be read all the same" in shown.stdout
    assert shown.stdout.endswith("3 in quarantine.\n")
    assert PERSON not in told.output + shown.output


def test_one_sources_messages_can_be_asked_for(broker: EmbeddedBroker, medlist: Medlist) -> None:
    """Only that system's."""
    put(broker, kept(1), kept(2, source="municipal"))

    told = medlist("quarantine", "list", "--source", "municipal", "--json", **environment(broker))

    assert [json.loads(line)["id"] for line in told.stdout.splitlines()] == ["q-2"]


def test_a_strangers_record_is_named_and_hides_nothing(broker: EmbeddedBroker, medlist: Medlist) -> None:
    """What is no record of ours is told by its place, and the others are still listed."""
    put(broker, kept(1))
    producer = Producer(settings_of(broker).kafka_client())
    producer.produce(QUARANTINE, b"[", partition=0)
    assert producer.flush(10) == 0

    shown = medlist("quarantine", "list", **environment(broker))

    assert "1 in quarantine." in shown.stdout
    assert f"{QUARANTINE}[0] at" in shown.stderr


def test_messages_go_back_where_they_came_from(broker: EmbeddedBroker, medlist: Medlist) -> None:
    """Byte for byte, on their topic and partition, saying which ones they were."""
    put(broker, kept(1), kept(2))

    ended = medlist("quarantine", "replay", "q-2", "q-1", **environment(broker))

    back = everything(settings_of(broker), SOURCE.topic)
    assert (ended.exit_code, ended.stdout.count("put back on")) == (0, 2)
    assert {(one.value(), one.partition()) for one in back} == {
        (f"message {number} of {PERSON}".encode(), 1) for number in (1, 2)
    }
    assert all(REPLAY_OF_HEADER in dict(one.headers() or []) for one in back)


@pytest.mark.parametrize(
    ("names", "code"), [(("q-1", "q-9"), "ITK-009"), (("q-1", "q-half"), "ITK-009"), (("q-1", "q-fact"), "ITK-010")]
)
def test_all_go_back_or_none(broker: EmbeddedBroker, medlist: Medlist, names: tuple[str, ...], code: str) -> None:
    """An unknown id, half a message, or what a stranger wrote to the fact topic: named, and nothing is put back."""
    stranger = kept(3, id="q-fact", place=Place(topic=FACT, partition=-1, offset=-1))
    put(broker, kept(1), kept(2, id="q-half", parts=2), stranger)

    ended = medlist("quarantine", "replay", *names, **environment(broker))

    assert ended.exit_code == 1
    assert code in ended.stderr
    assert everything(settings_of(broker), SOURCE.topic) == []


def test_a_large_message_is_one_line_and_says_whether_it_is_whole() -> None:
    """Its parts count together; a message that came back tells what it was before."""
    headers = ((REPLAY_OF_HEADER, b"q-0"),)
    first, second = kept(1, parts=2, original=b"12", headers=headers), kept(1, parts=2, part=2, original=b"345")

    (whole,) = waiting([second, first, second])
    (half,) = waiting([first])

    assert (whole.bytes, whole.whole, whole.replay_of) == (5, True, "q-0")
    assert half.whole is False
