"""On a real Kafka: whatever happens to the listing, every patient's Bundle is that of the newest list, never an older one."""

import json
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import Any, Self

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from connectors.kafka import positions
from connectors.kafka.clients import consumer_config, producer_config
from connectors.settings import DEMO_PSEUDONYM_KEY, Settings
from contracts.medication_list import encode_list
from contracts.topics import LIST, LIST_FHIR
from mappings.fhir.regional import list_version
from streams.topology.listing.limits import ListingLimits
from streams.topology.listing.loop import Loop
from streams.topology.listing.run import ListingTopics
from streams.topology.listing.sending import TransactionalSender
from streams.topology.listing.translating import Translated
from streams.topology.problems import RESTART_STATUS
from streams.topology.publisher.problems import PublisherCode, PublisherError
from tests.streams.topology.listing.wire import PARTITIONS, committed, eventually, listing, numbered, send, stored

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(300)]

STARTS_MOST = 3
PATIENTS, CHANGES, KILLS, SEED = 40, 60, 4, 20261122


@pytest.fixture
def settings(kafka: str, topic_prefix: str, make_topics: Callable[[Mapping[str, int]], dict[str, str]]) -> Settings:
    """Settings for the shared broker, with topics and a group that no other test uses."""
    make_topics({LIST: PARTITIONS, LIST_FHIR: PARTITIONS})
    demo = Settings.for_demo(kafka, topic_prefix=topic_prefix)
    return demo.model_copy(update={"listing_group": f"{topic_prefix}medlist-listing"})


@pytest.mark.parametrize("name", [None, "listing-0"], ids=["another", "the same"])
def test_killed_at_random_every_patient_ends_with_the_newest(settings: Settings, name: str | None) -> None:
    """And nobody who reads committed records ever sees an older Bundle behind a newer one."""
    settings = settings.model_copy(update={"instance_id": name})
    rng = random.Random(SEED)
    names = [f"{number:032x}" for number in range(PATIENTS)]
    order: dict[str, list[str]] = {name: [] for name in names}
    for _ in range(KILLS):
        with Supervised(settings) as running:
            before = committed(settings)
            for _ in range(CHANGES):
                number = rng.randrange(PATIENTS)
                one = numbered(len(order[names[number]]), patient=names[number])
                order[names[number]].append(list_version(encode_list(one)))
                send(settings, one, partition=number % PARTITIONS)
            _wait_for_more(settings, before, running)
            running.kill()

    _go_on_until_committed(settings, KILLS * CHANGES)

    seen: dict[str, list[str]] = {}
    for record in stored(settings):
        seen.setdefault(record.key.decode(), []).append(record.bundle["identifier"]["value"])
    for patient, versions in order.items():
        places = [versions.index(version) for version in seen.get(patient, [])]
        assert places == sorted(set(places)), f"{patient}: an older one came behind a newer one, or one came twice"
        assert seen.get(patient, [])[-1:] == versions[-1:]


def test_a_process_of_yesterday_stores_nothing(settings: Settings) -> None:
    """It read a list, lost its place in the group without noticing, and comes back with an older Bundle."""
    send(settings, numbered(1))
    old = Consumer(consumer_config(settings, settings.listing_group) | {"auto.offset.reset": "earliest"})
    old.subscribe([settings.topic(LIST)])
    eventually(lambda: old.poll(0.1) is not None, "the list is read")
    stale = old.consumer_group_metadata()
    old.close()
    send(settings, numbered(2))
    with listing(settings, isolation="transactions"):
        eventually(lambda: committed(settings) >= 2, "the newer list is stored by another")
    topics = ListingTopics(settings.topic(LIST), settings.topic(LIST_FHIR))
    sender = TransactionalSender(settings, topics, ListingLimits())
    sender.begin()

    with pytest.raises(PublisherError) as refused:
        sender.store([Translated(partition=0, key=b"a" * 32, value=b"{}")], {0: 1}, Yesterday(stale))

    assert refused.value.reason is PublisherCode.SEND_FAILED
    (kept,) = {one.bundle["identifier"]["value"] for one in stored(settings)} - {list_version(encode_list(numbered(1)))}
    assert kept == list_version(encode_list(numbered(2)))
    assert all(one.value != b"{}" for one in stored(settings))


def test_a_transaction_that_a_killed_member_left_open_is_waited_for(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only its own timeout ends it; until then no broker tells where the group goes on, and that is no reason to stop."""
    monkeypatch.setattr(positions, "ASK_SECONDS", 0.5)
    beats: list[float] = []
    waiting = Loop.waiting

    def noted(loop: Loop) -> None:
        waiting(loop)
        beats.append(loop.beat)

    monkeypatch.setattr(Loop, "waiting", noted)
    send(settings, numbered(1), numbered(2))
    _leave_open(settings, {0: 1})

    with listing(settings, isolation="transactions") as stop:
        eventually(lambda: bool(stored(settings)) or bool(stop.causes), "it goes on")
        eventually(lambda: committed(settings) == 2, "everything is committed")

    assert stop.causes == []
    assert len(set(beats)) > 1
    assert stored(settings)[-1].bundle["identifier"]["value"] == list_version(encode_list(numbered(2)))


def _leave_open(settings: Settings, offsets: Mapping[int, int]) -> None:
    """What a member leaves behind that is killed between its offsets and its commit."""
    member = Consumer(consumer_config(settings, settings.listing_group) | {"auto.offset.reset": "earliest"})
    member.subscribe([settings.topic(LIST)])
    eventually(lambda: member.poll(0.1) is not None, "the list is read")
    killed = {"transactional.id": f"{settings.listing_group}-killed", "transaction.timeout.ms": 10_000}
    producer = Producer(producer_config(settings) | killed | {"delivery.timeout.ms": 5_000})
    producer.init_transactions(30)
    producer.begin_transaction()
    producer.produce(settings.topic(LIST_FHIR), b"{}", key=b"a" * 32, partition=0)
    places = [TopicPartition(settings.topic(LIST), number, offset) for number, offset in offsets.items()]
    producer.send_offsets_to_transaction(places, member.consumer_group_metadata(), 30)
    member.close()  # at once, as if its session were over


class Yesterday:
    """A reader with the membership that it once had."""

    def __init__(self, membership: Any) -> None:
        self._membership = membership

    def membership(self) -> Any:
        """What it was."""
        return self._membership

    def commit(self, offsets: Mapping[int, int]) -> bool:
        """Never asked of a transaction."""
        raise AssertionError


def _wait_for_more(settings: Settings, than: int, running: "Supervised") -> None:
    eventually(lambda: running.runs() and committed(settings) > than, "something more is committed")


def _go_on_until_committed(settings: Settings, records: int) -> None:
    """Started again once, as by a supervisor, if what the killed one had still asked of a slow broker shut this one out."""
    for may_be_shut_out in (True, False):
        with listing(settings, isolation="transactions") as stop:
            eventually(lambda: bool(stop.causes) or committed(settings) >= records, "everything is committed")
        reasons = [cause.reason for cause in stop.causes if isinstance(cause, PublisherError)]
        assert len(reasons) == len(stop.causes)
        assert not reasons or (may_be_shut_out and reasons == [PublisherCode.READ_FAILED])
        if not reasons:
            return


class Supervised:
    """A listing as a process, started again when it asks for it: a killed one of the same name can shut its successor out."""

    def __init__(self, settings: Settings) -> None:
        shown = settings.model_dump(mode="json", exclude={"pseudonym_key"}, exclude_defaults=True)
        written = json.dumps(shown | {"pseudonym_key": DEMO_PSEUDONYM_KEY})
        self._command = [sys.executable, "-m", "tests.streams.topology.listing.process", written]
        self._starts = 0
        self._begin()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def runs(self) -> bool:
        """Whether it runs, now at the latest."""
        status = self._process.poll()
        if status is not None:
            assert status == RESTART_STATUS
            self._begin()
        return True

    def kill(self) -> None:
        """In the middle of whatever it does."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def _begin(self) -> None:
        self._starts += 1
        assert self._starts <= STARTS_MOST
        self._process = subprocess.Popen(self._command, stderr=subprocess.DEVNULL)
