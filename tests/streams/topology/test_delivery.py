"""Delivery on a real Kafka, with a core that is not idempotent: nothing lost, nothing applied twice, and the tests can fail."""

import signal
import time
from pathlib import Path

import pytest

from tests.kafka.broker import LocalKafka
from tests.streams.topology.delivery import DEADLINE_SECONDS, PARTITIONS, POLL_SECONDS, Stage, Verdict

pytestmark = pytest.mark.kafka

NOTHING_WRONG = Verdict(lost=0, twice=0)
SILENT_SECONDS = 15.0
"""Longer than a hand-over, in which the client is not asked either; the engine's own figure is too long for a test."""


@pytest.fixture
def stage(kafka: str, topic_prefix: str, tmp_path: Path) -> Stage:
    """Fresh topics, and the means to run workers on them."""
    return Stage(kafka, topic_prefix, tmp_path)


def test_a_backlog_and_what_comes_after_it(stage: Stage) -> None:
    """Everything that waited and everything that comes while the worker runs is in the state, and sent along, once."""
    stage.produce(2000)

    with stage.start() as worker:
        worker.wait_for("/caught-up")
        stage.produce(300)
        worker.wait_for("/caught-up")
        status = worker.end(signal.SIGTERM)

    assert status == 0
    assert stage.verdict() == NOTHING_WRONG
    assert stage.verdict_of_sends() == NOTHING_WRONG


def test_kill_9_in_the_middle(stage: Stage) -> None:
    """A worker killed under a backlog, and killed again, goes on exactly where it was, state and sends."""
    stage.produce(3000)

    for applied in (300, 900):
        with stage.start(instance="pod-0", slow_seconds=0.001) as worker:
            worker.wait_until_applied(applied)
            worker.end(signal.SIGKILL)
            stage.produce(100)
    stage.run_until_caught_up(instance="pod-0")

    assert stage.verdict() == NOTHING_WRONG
    assert stage.verdict_of_sends() == NOTHING_WRONG


def test_sigterm_under_backlog(stage: Stage) -> None:
    """A worker asked to stop while records wait stops with status 0, and loses nothing that it had in its hands."""
    stage.produce(3000)

    statuses = []
    for _ in range(2):
        with stage.start(slow_seconds=0.001) as worker:
            worker.wait_until_applied(400)
            statuses.append(worker.end(signal.SIGTERM))
    stage.run_until_caught_up()

    assert statuses == [0, 0]
    assert stage.verdict() == NOTHING_WRONG


def test_a_second_worker_joins_and_leaves(stage: Stage) -> None:
    """Partitions that move to another worker and back, while records flow, neither lose nor double any."""
    stage.produce(3000)

    with stage.start(slow_seconds=0.001) as first:
        first.wait_until_applied(300)
        with stage.start(slow_seconds=0.001) as second:
            stage.produce(500)
            second.wait_until_owning(PARTITIONS // 2)
            stage.produce(1000)
            second.wait_until_applied(200)
            stage.produce(500)
            assert second.end(signal.SIGTERM) == 0
        first.wait_until_owning(PARTITIONS)
        first.wait_for("/caught-up")
        assert first.end(signal.SIGTERM) == 0

    assert stage.verdict() == NOTHING_WRONG
    assert stage.verdict_of_sends() == NOTHING_WRONG


def test_a_worker_without_partitions_takes_over(kafka: str, topic_prefix: str, tmp_path: Path) -> None:
    """However long it had none: a member that is asked for nothing is not one that is dead."""
    stage = Stage(kafka, topic_prefix, tmp_path, partitions=1)
    stage.produce(100)

    with stage.start(silent_seconds=SILENT_SECONDS) as first:
        first.wait_for("/caught-up")
        with stage.start(silent_seconds=SILENT_SECONDS) as spare:
            stage.wait_for_members(2)
            time.sleep(1.5 * SILENT_SECONDS)
            assert stage.members() == 2
            first.wait_until_owning(1)
            assert first.end(signal.SIGTERM) == 0
            stage.produce(100)
            spare.wait_until_applied(100)
            assert spare.end(signal.SIGTERM) == 0

    assert stage.verdict() == NOTHING_WRONG


def test_signals_that_would_show_what_is_in_memory(stage: Stage) -> None:
    """Faust's worker answers SIGUSR1 with the variables of all threads and SIGUSR2 with a debugger; ours with nothing."""
    stage.produce(400)

    with stage.start() as worker:
        worker.wait_for("/caught-up")
        for number in (signal.SIGUSR1, signal.SIGUSR2):
            worker.process.send_signal(number)
        stage.produce(100)
        worker.wait_for("/caught-up")
        status = worker.end(signal.SIGTERM)

    assert status == 0
    assert [line for line in worker.log.read_text(encoding="utf-8").splitlines() if not line.startswith("{")] == []
    assert stage.verdict() == NOTHING_WRONG


def test_a_consumer_that_is_stuck(stage: Stage) -> None:
    """It stays in its group and hears the broker; since its position stands still its watchdog ends it: 70, and nothing lost."""
    stage.produce(800)

    with stage.start(instance="pod-0", stuck_at=120, watch_seconds=0.5, watchdog_seconds=4.0) as worker:
        status = worker.process.wait(DEADLINE_SECONDS)
    codes = {line.get("error_code") for line in worker.lines()}
    stalls = [line for line in worker.lines() if line.get("event") == "partition.stalled"]
    stage.run_until_caught_up(instance="pod-0")

    assert status == 70
    assert "ENG-002" in codes
    assert stalls
    assert stage.verdict() == NOTHING_WRONG


def test_a_stop_while_a_client_hangs(stage: Stage) -> None:
    """A thread that never comes back keeps no process from ending: it ends itself, with 70, in the time that a stop may take."""
    stage.produce(100)

    with stage.start(hung_fence=True) as worker:
        worker.wait_for("/alive")
        worker.wait_for_file(Path(stage.plan.once))  # it hangs in taking over
        assert worker.ask("/ready")[0] == 503
        status = worker.end(signal.SIGTERM)
    stage.run_until_caught_up()

    assert status == 70
    assert "ENG-007" in {line.get("error_code") for line in worker.lines()}
    assert stage.verdict() == NOTHING_WRONG


def test_offsets_moved_by_an_outsider(stage: Stage) -> None:
    """Wherever the group's committed offsets are moved (beginning, behind, ahead, beyond the end), we go on at our position."""
    stage.produce(1000)
    stage.run_until_caught_up()

    stage.produce(1000)
    stage.move_offsets({0: 0, 1: 5, 2: 400, 3: 100_000})
    starts = stage.run_until_caught_up()

    assert starts == 1
    assert stage.verdict() == NOTHING_WRONG


def test_a_core_that_raises(stage: Stage) -> None:
    """An exception nobody foresaw ends the process with 70 before anything is stored; the restart applies it all, once."""
    stage.produce(2000)

    starts = stage.run_until_caught_up(fail_every=300, slow_seconds=0.0005, instance="pod-0")

    assert starts > 1
    assert stage.verdict() == NOTHING_WRONG


def test_without_our_seek_and_our_gap_check_records_are_lost(stage: Stage) -> None:
    """The tests above can fail: faust's own seek, with the gap check off, skips what an outsider's offset skips."""
    stage.produce(1000)
    stage.move_offsets(dict.fromkeys(range(PARTITIONS), 100))

    stage.run_until_caught_up(faults=("stock-seek", "no-gap-check"))

    assert stage.verdict() == Verdict(lost=100 * PARTITIONS, twice=0)


def test_without_our_seek_the_gap_check_stops_the_worker(stage: Stage) -> None:
    """The second net holds by itself: a gap ends the process with 70, and nothing beyond it is applied."""
    stage.produce(1000)
    stage.move_offsets(dict.fromkeys(range(PARTITIONS), 100))

    with stage.start(faults=("stock-seek",), instance="pod-0") as worker:
        status = worker.process.wait(DEADLINE_SECONDS)

    assert status == 70
    assert "ENG-001" in {line.get("error_code") for line in worker.lines()}
    stage.run_until_caught_up(instance="pod-0")
    assert stage.verdict() == NOTHING_WRONG


def test_facts_gone_before_they_were_applied(stage: Stage) -> None:
    """Facts that retention took before we saw them are never silently skipped: status 78, and the code that says so."""
    stage.produce(400)
    stage.run_until_caught_up()
    stage.produce(400)
    stage.truncate(150)

    with stage.start() as worker:
        status = worker.process.wait(DEADLINE_SECONDS)

    assert status == 78
    assert "ENG-011" in {line.get("error_code") for line in worker.lines()}


def test_a_fact_topic_made_anew(stage: Stage) -> None:
    """A fact topic that was deleted, made anew and refilled beyond our position is not taken for the old one."""
    stage.produce(400)
    stage.run_until_caught_up()
    stage.replace_facts()
    stage.produce(800)

    with stage.start() as worker:
        status = worker.process.wait(DEADLINE_SECONDS)

    assert status == 78
    assert "ENG-012" in {line.get("error_code") for line in worker.lines()}


def test_partitions_that_are_due_are_told_the_time(stage: Stage) -> None:
    """Time passing is a record in the log: one tick after the other is applied, and no more than were wished for."""
    stage.produce(400)

    with stage.start(ticks=2) as worker:
        worker.wait_until_applied(400 + 2 * PARTITIONS)
        worker.wait_for("/caught-up")
        assert worker.end(signal.SIGTERM) == 0
    stage.run_until_caught_up(ticks=2)

    assert stage.fact_records() == 400 + 2 * PARTITIONS
    assert stage.verdict() == NOTHING_WRONG


@pytest.mark.parametrize("compression", ["zstd", "gzip", "lz4"])
def test_compressed_facts(stage: Stage, compression: str) -> None:
    """Facts are read, however a producer compressed them: as we do, and as facts were that lie in the log for long."""
    stage.produce(2000, compression=compression)
    stage.run_until_caught_up()

    assert stage.verdict() == NOTHING_WRONG


@pytest.mark.slow
def test_a_zombie(stage: Stage) -> None:
    """A worker frozen beyond its session, whose partitions another has taken over, can write nothing when it thaws."""
    stage.produce(1000)

    with stage.start() as frozen:
        frozen.wait_until_applied(500)
        frozen.process.send_signal(signal.SIGSTOP)
        with stage.start() as heir:
            heir.wait_until_owning(PARTITIONS)
            stage.produce(1000)
            heir.wait_for("/caught-up")
            frozen.process.send_signal(signal.SIGCONT)
            stage.produce(1000)
            heir.wait_for("/caught-up")
            assert heir.end(signal.SIGTERM) == 0
    stage.run_until_caught_up()

    assert stage.verdict() == NOTHING_WRONG
    assert stage.verdict_of_sends() == NOTHING_WRONG


@pytest.mark.slow
def test_kill_9_again_and_again(stage: Stage) -> None:
    """Many kills at moments that differ, while records keep coming."""
    for round_number in range(5):
        stage.produce(700)
        with stage.start(instance="pod-0", slow_seconds=0.0005) as worker:
            worker.wait_until_applied(100 + 97 * round_number)
            worker.end(signal.SIGKILL)
    stage.run_until_caught_up(instance="pod-0")

    assert stage.verdict() == NOTHING_WRONG
    assert stage.verdict_of_sends() == NOTHING_WRONG


@pytest.mark.slow
def test_a_broker_that_goes_away(own_kafka: LocalKafka, topic_prefix: str, tmp_path: Path) -> None:
    """A broker killed under load and started again costs time, and nothing else."""
    stage = Stage(own_kafka.bootstrap, topic_prefix, tmp_path)
    stage.produce(3000)

    with stage.start(instance="pod-0", slow_seconds=0.001) as worker:
        worker.wait_until_applied(500)
        own_kafka.kill()
        own_kafka.start()
        stage.produce(500)
        while worker.process.poll() is None and worker.ask("/caught-up")[0] != 200:
            time.sleep(POLL_SECONDS)
    stage.run_until_caught_up(instance="pod-0")

    assert stage.verdict() == NOTHING_WRONG
    assert stage.verdict_of_sends() == NOTHING_WRONG
