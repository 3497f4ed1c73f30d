"""On a real Kafka: whatever happens to the listing, every patient's Bundle is that of the newest list, never an older one."""

import json
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
from confluent_kafka import Consumer

from connectors.kafka.clients import consumer_config
from connectors.settings import DEMO_PSEUDONYM_KEY, Settings
from contracts.medication_list import encode_list
from contracts.topics import LIST, LIST_FHIR
from mappings.fhir.regional import list_version
from streams.topology.listing.limits import ListingLimits
from streams.topology.listing.run import ListingTopics
from streams.topology.listing.sending import TransactionalSender
from streams.topology.listing.translating import Translated
from streams.topology.publisher.problems import PublisherCode, PublisherError
from tests.streams.topology.listing.wire import PARTITIONS, committed, eventually, listing, numbered, send, stored

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(300)]

PATIENTS, CHANGES, KILLS, SEED = 40, 60, 4, 20261122


@pytest.fixture
def settings(kafka: str, topic_prefix: str, make_topics: Callable[[Mapping[str, int]], dict[str, str]]) -> Settings:
    """Settings for the shared broker, with topics and a group that no other test uses."""
    make_topics({LIST: PARTITIONS, LIST_FHIR: PARTITIONS})
    demo = Settings.for_demo(kafka, topic_prefix=topic_prefix)
    return demo.model_copy(update={"listing_group": f"{topic_prefix}medlist-listing"})


def test_killed_at_random_every_patient_ends_with_the_newest(settings: Settings) -> None:
    """And nobody who reads committed records ever sees an older Bundle behind a newer one."""
    rng = random.Random(SEED)
    names = [f"{number:032x}" for number in range(PATIENTS)]
    order: dict[str, list[str]] = {name: [] for name in names}
    for _ in range(KILLS):
        with _process(settings) as running:
            for _ in range(CHANGES):
                number = rng.randrange(PATIENTS)
                one = numbered(len(order[names[number]]), patient=names[number])
                order[names[number]].append(list_version(encode_list(one)))
                send(settings, one, partition=number % PARTITIONS)
            _wait_for_more(settings, committed(settings))
            running.send_signal(signal.SIGKILL)

    with listing(settings, isolation="transactions") as stop:
        eventually(lambda: committed(settings) >= KILLS * CHANGES, "everything is committed")

    seen: dict[str, list[str]] = {}
    for record in stored(settings):
        seen.setdefault(record.key.decode(), []).append(record.bundle["identifier"]["value"])
    assert stop.causes == []
    for name, versions in order.items():
        places = [versions.index(version) for version in seen.get(name, [])]
        assert places == sorted(set(places)), f"{name}: an older one came behind a newer one, or one came twice"
        assert seen.get(name, [])[-1:] == versions[-1:]


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


def _wait_for_more(settings: Settings, than: int) -> None:
    eventually(lambda: committed(settings) > than, "something more is committed")


@contextmanager
def _process(settings: Settings) -> Iterator[subprocess.Popen[bytes]]:
    shown = settings.model_dump(mode="json", exclude={"pseudonym_key"}, exclude_defaults=True)
    written = json.dumps(shown | {"pseudonym_key": DEMO_PSEUDONYM_KEY})
    command = [sys.executable, "-m", "tests.streams.topology.listing.process", written]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as running:
        try:
            yield running
        finally:
            running.kill()
