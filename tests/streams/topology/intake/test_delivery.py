"""On a real Kafka: whatever happens to the intake, every message becomes what it becomes."""

import json
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from connectors.settings import DEMO_PSEUDONYM_KEY, Settings
from tests.kafka.broker import LocalKafka
from tests.kafka.topics import create_topics
from tests.streams.topology.intake.trivial import said, topics
from tests.streams.topology.intake.wire import (
    answers,
    committed,
    eventually,
    facts,
    facts_by_partition,
    quarantined,
    send,
)

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

MESSAGES = 4_200
BROKEN_EACH = 50
PARTITIONS = 4
KILLS = 6
SEED = 20261122
STOPPED, ASKS_FOR_RESTART, KILLED = 0, 70, -signal.SIGKILL


class Worker:
    """An intake as a child process, that can be killed, frozen and started again."""

    def __init__(self, settings: Settings, log: Path) -> None:
        shown = settings.model_dump(mode="json", exclude={"pseudonym_key"}, exclude_defaults=True)
        self._settings = json.dumps(shown | {"pseudonym_key": DEMO_PSEUDONYM_KEY})
        self._log = log
        self.process = self._started()

    @property
    def has_partitions(self) -> bool:
        """Whether it has told, since its last start, of partitions that were dealt out to it."""
        return b"intake.assigned" in self._log.read_bytes()[self._log_start :]

    def restart(self) -> None:
        """Start the process again, as a supervisor would."""
        self.process = self._started()

    def kill(self) -> None:
        """Kill it in the middle of whatever it does, and start it again."""
        self.process.kill()
        self.process.wait()
        self.restart()

    def end(self) -> int:
        """Stop it in good order, once it has begun to work, and return its exit status."""
        eventually(lambda: self.has_partitions or self.process.poll() is not None, "it has begun")
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)

    def _started(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "tests.streams.topology.intake.process", self._settings]
        with self._log.open("ab") as log:
            self._log_start = log.tell()
            return subprocess.Popen(command, stderr=log)


@contextmanager
def worker(settings: Settings, log: Path, name: str) -> Iterator[Worker]:
    """A running intake, killed at the end if it still runs. Its name lets a restart take over at once."""
    running = Worker(settings.model_copy(update={"instance_id": name}), log)
    try:
        yield running
    finally:
        if running.process.poll() is None:
            running.process.kill()
            running.process.wait()


@pytest.fixture
def settings(kafka: str, topic_prefix: str, make_topics: Callable[[Mapping[str, int]], dict[str, str]]) -> Settings:
    """Settings for the shared broker, with topics and a group that no other test uses."""
    make_topics(topics(PARTITIONS))
    demo = Settings.for_demo(kafka, topic_prefix=topic_prefix)
    return demo.model_copy(update={"intake_group": f"{topic_prefix}medlist-intake"})


def messages(count: int) -> list[bytes]:
    """Messages, each with a fact of its own; every so often one that is broken."""
    return [f"broken {n}".encode() if n % BROKEN_EACH == 0 else said(ids=[f"f{n}"]) for n in range(count)]


def require_everything(settings: Settings, sent: list[bytes]) -> None:
    """Every message is there as its fact or in quarantine, every one was answered, and nothing else is there."""
    broken = {value for value in sent if value.startswith(b"broken")}
    assert {fact.source_id for fact in facts(settings)} == {f"f{n}" for n in range(len(sent)) if n % BROKEN_EACH}
    assert {record.original for record in quarantined(settings)} == broken
    told = {answer.place: answer.outcome for answer in answers(settings)}
    assert len(told) == len(sent)
    assert sum(outcome == "quarantined" for outcome in told.values()) == len(broken)
    for there in facts_by_partition(settings).values():
        assert len({fact.patient for fact in there}) == 1


def test_kill_after_kill_loses_nothing(settings: Settings, tmp_path: Path) -> None:
    """Killed again and again in the middle of its work, the intake still ends with every fact and every broken message."""
    sent = messages(MESSAGES)
    chance = random.Random(SEED)
    share = MESSAGES // KILLS
    kills_in_the_middle = 0

    with worker(settings, tmp_path / "log", "one") as intake:
        for start in range(0, MESSAGES, share):
            send(settings, sent[start : start + share])
            least = start + chance.randrange(1, share // 2)
            eventually(lambda least=least: committed(settings) >= least, "progress before a kill")  # type: ignore[misc]
            intake.kill()
            kills_in_the_middle += committed(settings) < start + share
        eventually(lambda: committed(settings) == MESSAGES, "all messages committed")
        assert intake.end() == STOPPED

    assert kills_in_the_middle > 0
    require_everything(settings, sent)


def test_members_that_come_and_go_lose_nothing(settings: Settings, tmp_path: Path) -> None:
    """A second intake joins, is frozen beyond its session, thawed, and leaves: every message is there."""
    sent = messages(MESSAGES)
    send(settings, sent[: MESSAGES // 2])

    with worker(settings, tmp_path / "one", "one") as one, worker(settings, tmp_path / "two", "two") as two:
        eventually(lambda: one.has_partitions and two.has_partitions, "both have partitions")
        two.process.send_signal(signal.SIGSTOP)
        send(settings, sent[MESSAGES // 2 :])
        eventually(lambda: committed(settings) == MESSAGES, "the other took over")
        two.process.send_signal(signal.SIGCONT)
        assert two.end() in {STOPPED, ASKS_FOR_RESTART}
        assert one.end() == STOPPED

    require_everything(settings, sent)


def test_a_broker_that_dies_and_returns_loses_nothing(own_kafka: LocalKafka, tmp_path: Path) -> None:
    """The broker is killed under the intake; what was not acknowledged is sent again, by it or by its restart."""
    create_topics(own_kafka.bootstrap, topics(PARTITIONS))
    settings = Settings.for_demo(own_kafka.bootstrap)
    sent = messages(MESSAGES)
    send(settings, sent)

    with worker(settings, tmp_path / "log", "one") as intake:
        eventually(lambda: committed(settings) > MESSAGES // 10, "progress")
        own_kafka.kill()
        own_kafka.start()
        if intake.process.poll() is not None:
            assert intake.process.returncode == ASKS_FOR_RESTART
            intake.restart()
        eventually(lambda: committed(settings) == MESSAGES, "all messages committed")
        assert intake.end() == STOPPED

    require_everything(settings, sent)
