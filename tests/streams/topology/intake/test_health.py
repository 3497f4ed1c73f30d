"""What an intake says about itself: alive, ready, caught up, figures."""

import json
import re
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from connectors.kafka.embedded import EmbeddedBroker
from connectors.settings import Settings
from streams.topology.intake import Intake, IntakeParts
from tests.streams.topology.intake.trivial import READERS, SOURCE, said, topics
from tests.streams.topology.intake.wire import NOW, StopsNoted, committed, eventually, send


class Endpoint:
    """The endpoint of one intake."""

    def __init__(self, port: int) -> None:
        self._port = port

    def get(self, path: str) -> tuple[int, str]:
        """Status and text of an answer."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._port}{path}") as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, refused.read().decode()


@pytest.fixture
def settings() -> Iterator[Settings]:
    """Settings for an embedded broker with the intake's topics."""
    with EmbeddedBroker(topics(4)) as broker:
        yield Settings.for_demo(broker.bootstrap)


@pytest.fixture
def intake(settings: Settings) -> Intake:
    """An intake that does not run yet."""
    return Intake(settings, [SOURCE], IntakeParts(readers=READERS, stop=StopsNoted()))


@pytest.fixture
def endpoint(intake: Intake) -> Iterator[Endpoint]:
    """Its endpoint."""
    with capture_logs() as lines, intake.health:
        (started,) = [line for line in lines if line["event"].startswith("health.")]
        yield Endpoint(int(started["address"].rpartition(":")[2]))


def test_an_intake_tells_where_it_stands(intake: Intake, endpoint: Endpoint, settings: Settings) -> None:
    """Not ready before it has partitions; caught up once everything is committed; figures without anything personal."""
    send(settings, [said(ids=["a"]), b"no JSON 191212121212"])
    over = threading.Event()
    running = threading.Thread(target=intake.run, args=(lambda: NOW, over))

    assert endpoint.get("/alive")[0] == 200
    assert endpoint.get("/ready")[0] == 503
    running.start()
    eventually(lambda: endpoint.get("/caught-up")[0] == 200, "caught up")

    assert committed(settings) == 2
    assert endpoint.get("/ready")[0] == 200
    partitions = json.loads(endpoint.get("/")[1])["partitions"]
    assert {name: found["lag"] for name, found in partitions.items()} == {f"{SOURCE.topic}/{n}": 0 for n in range(3)}
    figures = endpoint.get("/metrics")[1]
    assert re.search(r'medlist_intake_messages_total\{outcome="quarantined",system="hospital"\} 1.0', figures)
    assert re.search(r'medlist_intake_facts_total\{system="hospital"\} 1.0', figures)
    assert "1912" not in figures
    over.set()
    running.join()
