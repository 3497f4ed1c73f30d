"""On a real Kafka: whatever happens to the publisher, every patient ends as the newest list says, and nothing is there twice."""

import random
import signal
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec
import pytest
from confluent_kafka import Producer

from connectors.settings import Settings
from contracts.medication_list import MedicationList, encode_list
from contracts.topics import LIST, PUBLISH, PUBLISH_REQUEST
from mappings.fhir.elements import identifiers
from mappings.fhir.vocabulary import RECORD
from tests.streams.publish.population import expected, history
from tests.streams.topology.publisher.wire import (
    PARTITIONS,
    Endpoint,
    committed,
    eventually,
    publications,
    publisher,
    send,
)
from tests.streams.topology.publisher.worker import worker

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

PATIENTS, CHANGES, KILLS, SEED = 60, 8, 6, 20261122
FAULTS = {
    "server_error": {"probability": 0.03},
    "version_conflict": {"probability": 0.05},
    "drop_after_commit": {"probability": 0.05},
    "error_after_commit": {"probability": 0.05},
    "stale_read": {"probability": 0.05},
    "latency": {"probability": 0.3, "seconds": 0.01},
}


@pytest.fixture
def settings(
    kafka: str, topic_prefix: str, endpoint: Endpoint, make_topics: Callable[[Mapping[str, int]], dict[str, str]]
) -> Settings:
    """Settings for the shared broker, with topics and a group that no other test uses."""
    make_topics({LIST: PARTITIONS, PUBLISH: PARTITIONS, PUBLISH_REQUEST: PARTITIONS})
    demo = Settings.for_demo(kafka, nll_base_url=endpoint.door.base, topic_prefix=topic_prefix)
    return demo.model_copy(update={"publisher_group": f"{topic_prefix}medlist-publisher"})


def test_kill_after_kill_converges(settings: Settings, endpoint: Endpoint, tmp_path: Path) -> None:
    """Killed again and again, with faults on the way: as the newest lists say, 0 duplicates, 0 needless writes."""
    endpoint.admin("POST", "faults", {"seed": SEED, "switches": FAULTS})
    lists = _interleaved()
    share = len(lists) // KILLS
    chance = random.Random(SEED)

    with worker(settings, tmp_path / "publisher.log") as running:
        for kill in range(KILLS):
            part = lists[kill * share :] if kill == KILLS - 1 else lists[kill * share : (kill + 1) * share]
            some = len(endpoint.door.writes) + chance.randrange(3, 20)
            for one in part:
                send(settings, one, partition=_partition(one))
            eventually(lambda some=some: len(endpoint.door.writes) > some, "it is in the middle of its work")  # type: ignore[misc]
            running.kill()
        eventually(lambda: committed(settings) >= len(lists), "every list is committed", seconds=120)
        running.process.send_signal(signal.SIGTERM)
        status = running.process.wait(30)

    endpoint.admin("POST", "faults", {"seed": 0, "switches": {}})
    summary = endpoint.admin("GET", "audit?limit=1")["summary"]
    assert status == 0
    assert summary["versions_without_clinical_change"] == 0
    assert summary["duplicates"] == {"living": 0, "ever": 0}
    assert _held(endpoint.admin("GET", "contents")) == _asked()
    newest = {one.patient: one for one in publications(settings)}
    assert {one.state for one in newest.values()} == {"published"}
    assert len(newest) == PATIENTS


def test_only_committed_lists_are_published(settings: Settings, endpoint: Endpoint) -> None:
    """A list in a transaction that was aborted never existed."""
    *_, aborted = history(1, 3, SEED)
    *_, kept = history(2, 3, SEED)
    config = settings.kafka_client() | {"transactional.id": f"{settings.topic_prefix}t"}
    producer = Producer(config)
    producer.init_transactions(30)
    for one, commit in ((aborted, False), (kept, True)):
        producer.begin_transaction()
        producer.produce(settings.topic(LIST), encode_list(one), key=one.patient.encode(), partition=0)
        producer.flush(30)
        (producer.commit_transaction if commit else producer.abort_transaction)(30)

    with publisher(settings, isolation="transactions"):
        eventually(lambda: bool(publications(settings)), "the committed list is published")

    assert [one.patient for one in publications(settings)] == [kept.patient]


def test_partitions_that_move_are_published_once(settings: Settings, endpoint: Endpoint) -> None:
    """A second publisher joins in the middle: what it takes over is neither lost nor written twice."""
    lists = _interleaved()
    for one in lists[: len(lists) // 2]:
        send(settings, one, partition=_partition(one))

    with publisher(settings, isolation="transactions") as first:
        eventually(lambda: len(endpoint.door.writes) > 5, "the first is at work")
        with publisher(settings, isolation="transactions") as second:
            for one in lists[len(lists) // 2 :]:
                send(settings, one, partition=_partition(one))
            eventually(lambda: committed(settings) >= len(lists), "every list is committed")

    assert (first.causes, second.causes) == ([], [])
    assert endpoint.admin("GET", "audit?limit=1")["summary"]["duplicates"] == {"living": 0, "ever": 0}
    assert _held(endpoint.admin("GET", "contents")) == _asked()


def _interleaved() -> list[MedicationList]:
    """Every list of every patient, each patient's in order."""
    each = [list(history(number, CHANGES, SEED)) for number in range(PATIENTS)]
    return [one for turn in zip(*each, strict=True) for one in turn]


def _partition(one: MedicationList) -> int:
    return int(one.patient.rpartition("-")[2]) % PARTITIONS


def _asked() -> dict[str, tuple[str, str]]:
    asked: dict[str, tuple[str, str]] = {}
    for number in range(PATIENTS):
        *_, last = history(number, CHANGES, SEED)
        asked |= expected(last)
    return asked


def _held(contents: dict[str, list[dict[str, object]]]) -> dict[str, tuple[str, str]]:
    held: dict[str, tuple[str, str]] = {}
    for resources in contents.values():
        for one in resources:
            if one["status"] in {"active", "on-hold", "completed"}:
                dosage = msgspec.convert(one["dosageInstruction"], list[dict[str, object]])[0]
                held[identifiers(one, RECORD)[0]] = (str(one["status"]), str(dosage["patientInstruction"]))
    return held
