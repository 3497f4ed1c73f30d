"""The publisher's health endpoint and its watchdog."""

import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.error import HTTPError

import pytest

from connectors.kafka.embedded import EmbeddedBroker
from connectors.settings import Settings
from connectors.telemetry.errors import CodedError
from contracts.publication import Publication
from contracts.sources import DEFAULT_SOURCES
from contracts.topics import LIST, PUBLISH, PUBLISH_REQUEST
from streams.topology.publisher import Publisher, PublisherParts, run_publisher
from streams.topology.publisher.health import HealthThread
from streams.topology.publisher.problems import PublisherCode, PublisherError
from tests.streams.publish.cases import NOW, TOKEN, line, replaced, standing, the_list
from tests.streams.topology.publisher.wire import (
    PARTITIONS,
    QUICK,
    Endpoint,
    committed,
    eventually,
    publications,
    publisher,
    send,
)
from tests.streams.topology.threaded import running


@pytest.fixture
def settings() -> Iterator[Settings]:
    """Settings for an embedded broker, and an endpoint that is not there."""
    with EmbeddedBroker({LIST: PARTITIONS, PUBLISH: PARTITIONS, PUBLISH_REQUEST: PARTITIONS}) as broker:
        yield Settings.for_demo(broker.bootstrap, nll_base_url="http://127.0.0.1:9")


def status(address: str, path: str) -> int:
    """The status of an answer."""
    try:
        with urllib.request.urlopen(f"http://{address}{path}", timeout=5) as answer:
            return int(answer.status)
    except HTTPError as refused:
        return refused.code


def test_an_endpoint_that_is_away_leaves_the_publisher_alive_and_behind(settings: Settings) -> None:
    """A restart would not help; that it is not caught up is there to be seen."""
    send(settings, the_list(line(standing())))
    parts = PublisherParts(isolation="none", token=TOKEN, limits=QUICK)
    made = Publisher(settings, DEFAULT_SOURCES, lambda: NOW, parts)
    over = threading.Event()
    thread = threading.Thread(target=made.run, args=(over,))

    with HealthThread(settings, made.loop, parts.stop) as health:
        thread.start()
        eventually(lambda: status(health.address, "/ready") == 200, "it has partitions")
        eventually(lambda: made.loop.lag == 0 and not made.loop.idle, "it has taken the list")
        told = {path: status(health.address, path) for path in ("/alive", "/ready", "/caught-up", "/metrics")}
        over.set()
        thread.join(30)

    assert told == {"/alive": 200, "/ready": 200, "/caught-up": 503, "/metrics": 200}
    assert not thread.is_alive()


def test_a_loop_that_does_not_turn_is_ended(settings: Settings) -> None:
    """Nothing is raised where something hangs: somebody has to look from outside."""
    causes: list[BaseException] = []
    parts = PublisherParts(isolation="none", token=TOKEN)
    made = Publisher(settings, DEFAULT_SOURCES, lambda: NOW, parts)
    quick = settings.model_copy(update={"watchdog_seconds": 0.01})

    with HealthThread(quick, made.loop, causes.append):
        eventually(lambda: bool(causes), "the watchdog sees it")

    assert isinstance(causes[0], PublisherError)
    assert causes[0].reason is PublisherCode.STALLED


def test_an_endpoint_whose_thread_has_ended_ends_the_process(settings: Settings) -> None:
    """Nobody could ask any more whether it lives."""
    causes: list[BaseException] = []
    made = Publisher(settings, DEFAULT_SOURCES, lambda: NOW, PublisherParts(isolation="none", token=TOKEN))
    health = HealthThread(settings, made.loop, causes.append)

    with health:
        serving = health._fault()
    ended = health._fault()

    assert (serving, causes) == (None, [])
    assert isinstance(ended, PublisherError)


def test_how_many_patients_are_parked_now_is_a_figure(settings: Settings, endpoint: Endpoint) -> None:
    """As long as they are, also for the process that comes after; a counter of parkings would not tell."""
    there = settings.model_copy(update={"nll_base_url": endpoint.door.base})
    wrong = the_list(line(replaced(standing(), workplace_code=None)))

    with at_work(there) as first:
        before = parked(first)
        send(there, wrong)
        eventually(lambda: parked(first) == 1, "the patient is parked")
    with at_work(there) as second:
        eventually(lambda: parked(second) == 1, "the next process knows")
        send(there, the_list(line(standing())))
        eventually(lambda: parked(second) == 0, "the patient is published")

    assert before == 0


@contextmanager
def at_work(settings: Settings) -> Iterator[Publisher]:
    """A publisher in a thread."""
    parts = PublisherParts(isolation="none", token=TOKEN, limits=QUICK)
    made = Publisher(settings, DEFAULT_SOURCES, lambda: NOW, parts)
    with running(made.run):
        yield made


def parked(made: Publisher) -> float | None:
    """The figure."""
    return made.loop.metrics.registry.get_sample_value("medlist_publisher_patients", {"state": "parked"})


def test_lists_that_come_while_the_endpoint_is_away_are_pending(settings: Settings, endpoint: Endpoint) -> None:
    """They are told as waiting, not as failing: nobody has tried them."""
    endpoint.door.shut = True
    there = settings.model_copy(update={"nll_base_url": endpoint.door.base})

    with publisher(there):
        send(there, the_list(line(standing()), patient="first"))
        eventually(lambda: len(endpoint.door.requests) > 6, "the breaker has opened")
        send(there, the_list(line(standing("rx-2")), patient="second"), partition=1)
        eventually(lambda: ("second", "pending") in _states(publications(there)), "it is told")
        endpoint.door.shut = False
        eventually(lambda: committed(there) == 2, "both are committed")

    assert {("first", "published"), ("second", "published")} <= _states(publications(there))


def _states(found: list[Publication]) -> set[tuple[str, str]]:
    return {(one.patient, one.state) for one in found}


@pytest.mark.parametrize(
    ("change", "token", "code"),
    [({"nll_base_url": None}, TOKEN, "NLL-001"), ({}, None, "NLL-001")],
)
def test_a_publisher_without_endpoint_or_token_does_not_begin(
    settings: Settings, change: dict[str, None], token: str | None, code: str
) -> None:
    """And says which settings are missing."""
    parts = PublisherParts(isolation="none", token=token)
    with pytest.raises(CodedError) as told:
        run_publisher(settings.model_copy(update=change), DEFAULT_SOURCES, lambda: NOW, threading.Event(), parts)

    assert told.value.code == code


def test_a_publisher_without_its_topics_does_not_begin(settings: Settings) -> None:
    """An operator creates them; the broker must not by accident."""
    parts = PublisherParts(isolation="none", token=TOKEN)
    elsewhere = settings.model_copy(update={"topic_prefix": "other."})

    with pytest.raises(PublisherError) as told:
        run_publisher(elsewhere, DEFAULT_SOURCES, lambda: NOW, threading.Event(), parts)

    assert told.value.reason is PublisherCode.TOPICS_MISSING
