"""The intake against the embedded broker: what becomes of messages, and what ends it."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from confluent_kafka import KafkaError, Producer

from connectors.kafka.embedded import EmbeddedBroker
from connectors.pseudonym import partition_of, pseudonymiser
from connectors.settings import Settings
from contracts.quarantine import CODES_HEADER, RECEIVED_AT_HEADER, REPLAY_OF_HEADER
from contracts.systems import PERSONNUMMER
from contracts.topics import QUARANTINE
from contracts.values import Identifier
from mappings.sources.reading import Context, Message, Reading
from streams.topology.intake import IntakeParts, replay_quarantine, run_intake
from streams.topology.intake.problems import IntakeCode, IntakeError
from tests.streams.topology.intake.trivial import OTHER_PERSON, PERSON, READERS, SOURCE, said, topics
from tests.streams.topology.intake.wire import (
    NOW,
    StopsNoted,
    answers,
    committed,
    eventually,
    everything,
    facts,
    facts_by_partition,
    intake,
    quarantined,
    send,
)

PARTITIONS = 4
PRODUCE, OFFSET_COMMIT = 0, 8


@pytest.fixture
def broker() -> Iterator[EmbeddedBroker]:
    """An embedded broker with the intake's topics."""
    with EmbeddedBroker(topics(PARTITIONS)) as broker:
        yield broker


@pytest.fixture
def settings(broker: EmbeddedBroker) -> Settings:
    """Settings for that broker."""
    return Settings.for_demo(broker.bootstrap)


def test_every_message_becomes_facts_or_quarantine_and_an_answer(settings: Settings) -> None:
    """Facts, quarantine records and answers are all there once the offsets are committed."""
    send(settings, [said(ids=["a"]), said(ids=["b"], broken=2), b"no JSON"], [("medlist-message-id", b"M-1")])

    with intake(settings):
        eventually(lambda: committed(settings) == 3, "three messages committed")

    assert {fact.source_id for fact in facts(settings)} == {"a", "b"}
    assert {(q.original, len(q.problems), q.facts) for q in quarantined(settings)} == {
        (said(ids=["b"], broken=2), 2, 1),
        (b"no JSON", 1, 0),
    }
    told = sorted(answers(settings), key=lambda answer: answer.place)
    assert [answer.outcome for answer in told] == ["accepted", "partial", "quarantined"]
    assert {answer.message_id for answer in told} == {"M-1"}
    assert [answer.fact_count for answer in told] == [1, 1, 0]


def test_a_patients_facts_stand_in_the_patients_partition(settings: Settings) -> None:
    """The partition follows from the pseudonym alone; a link between two numbers stands in both."""
    send(settings, [said(ids=["a"]), said(ids=["b"], of=OTHER_PERSON), said(ids=["link"], link=OTHER_PERSON)])
    pseudonym = pseudonymiser(settings.pseudonym_secret())
    one, other = (
        partition_of(pseudonym(Identifier(system=PERSONNUMMER, value=number)), PARTITIONS)
        for number in (PERSON, OTHER_PERSON)
    )

    with intake(settings):
        eventually(lambda: committed(settings) == 3, "three messages committed")

    assert one != other
    stood = {number: sorted(f.source_id for f in there) for number, there in facts_by_partition(settings).items()}
    assert stood == {one: ["a", "link"], other: ["b", "link"]}


@pytest.mark.usefixtures("short_memory")
def test_the_next_intake_goes_on_where_the_last_one_stopped(settings: Settings) -> None:
    """A stop in good order commits: nothing is read twice and nothing is left out."""
    send(settings, [said(ids=[f"a{n}"]) for n in range(30)])
    with intake(settings):
        eventually(lambda: committed(settings) == 30, "the first messages committed")
    send(settings, [said(ids=[f"b{n}"]) for n in range(30)])

    with intake(settings):
        eventually(lambda: committed(settings) == 60, "all messages committed")

    expected = [f"{letter}{n}" for letter in "ab" for n in range(30)]
    assert sorted(fact.source_id for fact in facts(settings)) == sorted(expected)


def test_quarantine_headers_and_keys_hold_codes_only(settings: Settings) -> None:
    """Outside its value a quarantine record holds nothing of the message."""
    send(settings, [said(ids=["191212121212"], broken=1)], [("patient", b"191212121212")])

    with intake(settings):
        eventually(lambda: committed(settings) == 1, "the message committed")

    (record,) = everything(settings, QUARANTINE)
    headers = dict(record.headers() or [])
    assert set(headers) == {"content-type", "medlist-source", CODES_HEADER}
    assert headers[CODES_HEADER] == b"missing"
    assert b"1912" not in (record.key() or b"")


def test_a_replayed_message_comes_back_as_it_was(settings: Settings) -> None:
    """A quarantined message, put back, is read anew, byte for byte, with its headers."""
    send(settings, [b"no JSON"], [("kind", b"RDE")])
    with intake(settings):
        eventually(lambda: committed(settings) == 1, "the message committed")
    (waiting,) = quarantined(settings)
    of_another = Producer(settings.kafka_client())
    of_another.produce(settings.topic(QUARANTINE), b"[", partition=partition_of(waiting.id, PARTITIONS))
    of_another.flush(10)

    replayed = replay_quarantine(settings, [waiting.id])

    assert replayed[waiting.id].original == b"no JSON"
    back = everything(settings, SOURCE.topic)[-1]
    assert back.value() == b"no JSON"
    assert dict(back.headers() or []) == {
        "kind": b"RDE",
        REPLAY_OF_HEADER: waiting.id.encode(),
        RECEIVED_AT_HEADER: NOW.isoformat().encode(),
    }


def test_an_id_that_is_not_in_quarantine_puts_nothing_back(settings: Settings) -> None:
    """All ids are found before any message is sent."""
    send(settings, [b"no JSON"])
    with intake(settings):
        eventually(lambda: committed(settings) == 1, "the message committed")
    (waiting,) = quarantined(settings)

    with pytest.raises(IntakeError, match="ITK-009"):
        replay_quarantine(settings, [waiting.id, "no-such-id"])

    assert len(everything(settings, SOURCE.topic)) == 1


def test_the_stated_time_of_receipt_counts_only_where_it_is_trusted(broker: EmbeddedBroker) -> None:
    """A header cannot set the time of receipt unless the settings say so."""
    first_received = datetime(2026, 1, 2, 3, tzinfo=UTC)
    headers = [(RECEIVED_AT_HEADER, first_received.isoformat().encode())]
    settings = Settings.for_demo(broker.bootstrap)
    trusting = settings.model_copy(update={"trust_received_at": True, "intake_group": "medlist-backfill"})
    send(settings, [said(ids=["a"])], headers)

    with intake(settings):
        eventually(lambda: committed(settings) == 1, "the message committed")
    with intake(trusting):
        eventually(lambda: committed(trusting) == 1, "the message committed again")

    assert {fact.received_at for fact in facts(settings)} == {NOW, first_received}


def test_a_failed_delivery_stops_the_intake_before_the_commit(broker: EmbeddedBroker, settings: Settings) -> None:
    """Nothing is committed of which not everything arrived."""
    send(settings, [said(ids=["a"])])
    broker.fail_next(PRODUCE, *[KafkaError.TOPIC_AUTHORIZATION_FAILED] * 3)

    with intake(settings) as stop:
        eventually(lambda: bool(stop.causes), "the intake stopped")

    (cause,) = stop.causes
    assert isinstance(cause, IntakeError)
    assert cause.reason is IntakeCode.SEND_FAILED
    assert committed(settings) == 0


def test_a_commit_that_cannot_be_made_now_is_made_later(broker: EmbeddedBroker, settings: Settings) -> None:
    """A coordinator that moves does not end the intake: the offsets go with the next commit."""
    send(settings, [said(ids=["a"])])
    broker.fail_next(OFFSET_COMMIT, *[KafkaError.NOT_COORDINATOR] * 2)

    with intake(settings) as stop:
        eventually(lambda: committed(settings) == 1, "the message committed")

    assert stop.causes == []


def test_a_commit_that_is_forbidden_stops_the_intake(broker: EmbeddedBroker, settings: Settings) -> None:
    """Going on would repeat everything at every start; somebody must give the right to the group."""
    send(settings, [said(ids=["a"])])
    broker.fail_next(OFFSET_COMMIT, KafkaError.GROUP_AUTHORIZATION_FAILED)

    with intake(settings) as stop:
        eventually(lambda: bool(stop.causes), "the intake stopped")

    (cause,) = stop.causes
    assert isinstance(cause, IntakeError)
    assert cause.reason is IntakeCode.COMMIT_FAILED


def test_a_reader_that_raises_stops_the_intake_before_the_commit(settings: Settings) -> None:
    """A bug loses no message: the process ends, and the message is still there."""
    stop = StopsNoted()

    def broken(message: Message, context: Context) -> Reading:
        raise ZeroDivisionError

    send(settings, [said(ids=["a"])])
    with intake(settings, IntakeParts(readers={"trivial": broken}, stop=stop)):
        eventually(lambda: bool(stop.causes), "the intake stopped")

    assert isinstance(stop.causes[0], ZeroDivisionError)
    assert committed(settings) == 0


def test_a_missing_topic_is_refused_at_the_start() -> None:
    """A topic that is not there is named before anything runs."""
    present = topics(PARTITIONS)
    del present[QUARANTINE]
    parts = IntakeParts(readers=READERS)

    with EmbeddedBroker(present) as broker:
        settings = Settings.for_demo(broker.bootstrap)
        with pytest.raises(IntakeError, match=QUARANTINE):
            run_intake(settings, [SOURCE], lambda: NOW, threading.Event(), parts)
