"""On a real Kafka: whatever happens to the intake, every message becomes what it becomes."""

import json
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from connectors.settings import DEMO_PSEUDONYM_KEY, Settings
from streams.topology.intake import Intake, IntakeParts
from streams.topology.intake.problems import IntakeCode, IntakeError
from streams.topology.problems import OPERATOR_STATUS
from tests.kafka.broker import LocalKafka
from tests.kafka.topics import create_topics
from tests.streams.topology.intake.trivial import READERS, SOURCE, said, topics
from tests.streams.topology.intake.wire import (
    DEADLINE_SECONDS,
    NOW,
    StopsNoted,
    answers,
    committed,
    eventually,
    facts,
    facts_by_partition,
    intake,
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

    def runs(self) -> bool:
        """Whether it runs, now at the latest: started again, as by a supervisor, where it asked for that."""
        status = self.process.poll()
        if status is not None:
            assert status == ASKS_FOR_RESTART
            self.process = self._started()
        return True

    def kill(self) -> None:
        """Kill it in the middle of whatever it does, and start it again."""
        self.process.kill()
        self.process.wait()
        self.process = self._started()

    def end(self) -> int:
        """Stop it in good order, once it has begun to work, and return its exit status."""
        eventually(lambda: self.has_partitions or self.process.poll() is not None, "it has begun")
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(DEADLINE_SECONDS)

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

    with worker(settings, tmp_path / "log", "one") as one:
        for start in range(0, MESSAGES, share):
            send(settings, sent[start : start + share])
            least = start + chance.randrange(1, share // 2)
            eventually(lambda least=least: committed(settings) >= least, "progress before a kill")  # type: ignore[misc]
            one.kill()
            kills_in_the_middle += committed(settings) < start + share
        eventually(lambda: committed(settings) == MESSAGES, "all messages committed")
        assert one.end() == STOPPED

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

    with worker(settings, tmp_path / "log", "one") as one:
        eventually(lambda: committed(settings) > MESSAGES // 10, "progress")
        own_kafka.kill()
        own_kafka.start()
        eventually(
            lambda: one.runs() and committed(settings) == MESSAGES, "all messages committed", 3 * DEADLINE_SECONDS
        )
        assert one.end() == STOPPED

    require_everything(settings, sent)


def test_messages_that_are_gone_before_they_were_read_are_never_passed_over_silently(settings: Settings) -> None:
    """Deleted from under our position: the intake stops and asks for a person, instead of going on behind the gap."""
    sent = messages(30)
    send(settings, sent[:15])
    with intake(settings):
        eventually(lambda: committed(settings) == 15, "the first messages committed")
    send(settings, sent[15:])
    topic = settings.topic(SOURCE.topic)
    admin = AdminClient(settings.kafka_client())
    for deleted in admin.delete_records([TopicPartition(topic, 0, 8)]).values():
        deleted.result(30)

    with intake(settings) as stop:
        eventually(lambda: bool(stop.causes), "the intake stopped")

    (cause,) = stop.causes
    assert isinstance(cause, IntakeError)
    assert cause.reason is IntakeCode.POSITION_LOST
    assert cause.status == OPERATOR_STATUS


def test_what_vendors_write_in_transactions_is_read_and_never_holds_us_up(settings: Settings) -> None:
    """A committed transaction becomes facts, an aborted one nothing; the markers they leave are no lag."""
    vendor = Producer(settings.kafka_client() | {"transactional.id": f"{settings.topic_prefix}vendor"})
    vendor.init_transactions(30)
    for name, is_committed in (("kept", True), ("aborted", False)):
        vendor.begin_transaction()
        vendor.produce(settings.topic(SOURCE.topic), said(ids=[name]), partition=0)
        vendor.flush(30)
        if is_committed:
            vendor.commit_transaction(30)
        else:
            vendor.abort_transaction(30)
    parts = IntakeParts(readers=READERS, stop=StopsNoted())
    over = threading.Event()
    running = Intake(settings, [SOURCE], parts)
    thread = threading.Thread(target=running.run, args=(lambda: NOW, over))
    thread.start()

    eventually(running.caught_up, "caught up")

    over.set()
    thread.join()
    assert {fact.source_id for fact in facts(settings)} == {"kept"}
