"""Every way in which the stock engine loses or repeats records: closed in ours, and open again where its protection is gone.

The numbers L1 to L11, D1, D2 and Z are those of the decision on the exactly-once effect. What protects is on in the first
half of a test, or in the test of `test_delivery` that the decision names beside it, and off in the other.
"""

import signal
import time
from pathlib import Path

import pytest

from streams.topology.app import create_worker
from tests.streams.topology.counter_worker import NO_TEXT
from tests.streams.topology.delivery import DEADLINE_SECONDS, PARTITIONS, POLL_SECONDS, Stage, Verdict, Worker
from tests.streams.topology.fakes import ListCore, engine_settings

pytestmark = pytest.mark.kafka

NOTHING_WRONG = Verdict(lost=0, twice=0)
AWAKE_SECONDS = 5.0
"""For what must write nothing: long enough, as the same without its fence shows, which has the whole deadline."""

OPEN_SEEK = ("through-an-agent", "stock-seek", "no-gap-check")
"""What faust acknowledges is committed, and the committed offset counts."""


@pytest.fixture
def stage(kafka: str, topic_prefix: str, tmp_path: Path) -> Stage:
    """Fresh topics, and the means to run workers on them."""
    return Stage(kafka, topic_prefix, tmp_path)


def stopped_with(worker: Worker) -> tuple[int, set[object]]:
    """The status that a worker ends with by itself, and the codes that it logged."""
    status = worker.process.wait(DEADLINE_SECONDS)
    return status, {line["error_code"] for line in worker.lines() if "error_code" in line}


def go_on_until_stored(stage: Stage, worker: Worker) -> None:
    """Let more records come until the broker takes what is made of them: it learns of new settings a little later."""
    before = stage.sent_along()
    deadline = time.monotonic() + DEADLINE_SECONDS
    while stage.sent_along() == before:
        assert time.monotonic() < deadline
        stage.produce(20)
        worker.wait_for("/caught-up")


@pytest.mark.parametrize("faults", [(), ("through-an-agent", "no-fail-stop", "acknowledge-failed")])
def test_l1_an_agent_that_raises(stage: Stage, faults: tuple[str, ...]) -> None:
    """A record that raised once comes again after the restart; acknowledged on the way out, it is gone for good."""
    stage.produce(100)
    stage.run_until_caught_up(instance="pod-0")
    stage.produce(1)

    with stage.start(faults=faults, instance="pod-0", fail_at=100) as worker:
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not Path(stage.plan.once).exists():
            assert time.monotonic() < deadline
            time.sleep(POLL_SECONDS)
        stage.produce(20)
        if faults:
            worker.wait_for("/caught-up")
            assert worker.end(signal.SIGTERM) == 0
        else:
            assert stopped_with(worker) == (70, {"ENG-006"})
    stage.run_until_caught_up(instance="pod-0")

    assert stage.verdict() == Verdict(lost=1 if faults else 0, twice=0)


@pytest.mark.parametrize("faults", [(), ("through-an-agent", "no-fail-stop", "acknowledge-failed")])
def test_l2_a_batch_that_raises(stage: Stage, faults: tuple[str, ...]) -> None:
    """A batch in which one record raises comes again whole; acknowledged on the way out, all of it is gone."""
    stage.produce(2000)

    stage.run_until_caught_up(faults=faults, instance="pod-0", fail_together_from=1000)

    lost, twice = stage.verdict()
    assert twice == 0
    assert lost > 1 if faults else lost == 0


@pytest.mark.parametrize("faults", [(), OPEN_SEEK])
def test_l3_and_l4_offsets_committed_past_what_was_applied(stage: Stage, faults: tuple[str, ...]) -> None:
    """Acknowledgements that jump a gap end as a committed offset ahead of what was applied: ours is not there at all."""
    stage.produce(1000)
    stage.move_offsets(dict.fromkeys(range(PARTITIONS), 60))

    stage.run_until_caught_up(faults=faults)

    assert stage.verdict() == Verdict(lost=60 * PARTITIONS if faults else 0, twice=0)


@pytest.mark.parametrize("faults", [(), OPEN_SEEK])
def test_l5_a_worker_that_crashes_after_its_commit(stage: Stage, faults: tuple[str, ...]) -> None:
    """What faust has committed when the worker ends is only a hint; taken for the truth, what was in its hands is gone."""
    stage.produce(4000)
    for _ in range(3):  # it commits once a second, so that now and then a crash finds nothing in its hands
        with stage.start(faults=faults, instance="pod-0", slow_seconds=0.004, fail_every=280) as worker:
            assert stopped_with(worker) == (70, {"ENG-006"})

    stage.run_until_caught_up(faults=faults, instance="pod-0")

    lost, twice = stage.verdict()
    assert twice == 0
    assert lost > 0 if faults else lost == 0


def test_l6_a_record_that_nobody_can_decode(stage: Stage) -> None:
    """The engine hands bytes to the core; where faust decodes, a record that it cannot is skipped, and the gap check stops."""
    stage.produce(400)
    stage.produce(PARTITIONS, behind=NO_TEXT)
    stage.produce(400)

    with stage.start(faults=("through-an-agent", "faust-decodes"), instance="pod-0") as worker:
        assert stopped_with(worker) == (70, {"ENG-001"})
    stage.run_until_caught_up(instance="pod-0")

    assert stage.verdict() == NOTHING_WRONG


def test_l6_without_protection(stage: Stage) -> None:
    """Decoded by faust and without the gap check, a record that cannot be decoded is passed over in silence."""
    stage.produce(400)
    stage.produce(PARTITIONS, behind=NO_TEXT)
    stage.produce(400)

    stage.run_until_caught_up(faults=("through-an-agent", "faust-decodes", "no-gap-check"))

    assert stage.verdict() == Verdict(lost=PARTITIONS, twice=0)


@pytest.mark.parametrize("faults", [(), ("warn-of-failed-writes",)])
def test_l7_writes_that_the_broker_refuses(stage: Stage, faults: tuple[str, ...]) -> None:
    """A refused write stops the worker with what to do; taken for a warning, the rows of that time are gone."""
    stage.produce(200)
    stage.run_until_caught_up()
    stage.limit_rows(100)
    stage.produce(400)

    with stage.start(faults=faults, instance="pod-0") as worker:
        if faults:
            worker.wait_for("/caught-up")
        else:
            assert stopped_with(worker) == (78, {"ENG-015"})
        stage.limit_rows(None)
        if faults:
            go_on_until_stored(stage, worker)
            assert worker.end(signal.SIGTERM) == 0
    stage.run_until_caught_up(instance="pod-0")

    lost, twice = stage.verdict_of_sends()
    assert twice == 0
    assert lost > 0 if faults else lost == 0


def test_l8_a_row_that_is_larger_than_a_record_may_be(stage: Stage) -> None:
    """The worker stops with 78, says how large it is and what to do, and has stored nothing of it; mended, all comes."""
    stage.produce(200)

    with stage.start(large_bytes=1_100_000) as worker:
        assert stopped_with(worker) == (78, {"ENG-015"})
        (told,) = [line for line in worker.lines() if line.get("event") == "engine.stopped"]
    stage.run_until_caught_up()

    assert "1100000 bytes" in str(told)
    assert "max.message.bytes" in str(told)
    assert stage.verdict() == NOTHING_WRONG


@pytest.mark.parametrize("faults", [(), ("no-gap-check",)])
def test_l9_and_l11_records_that_were_fetched_and_dropped(stage: Stage, faults: tuple[str, ...]) -> None:
    """Records that vanish between the fetch and the flow are missed at the next one; without the check, for ever."""
    stage.produce(800)

    starts = stage.run_until_caught_up(faults=("forget-fetched", *faults), instance="pod-0")

    lost, twice = stage.verdict()
    assert twice == 0
    assert (lost > 0, starts > 1) == (bool(faults), not faults)


def test_l9_the_worker_has_no_tables() -> None:
    """There is nothing to recover, so the start that drops records never runs; a table makes it run."""
    worker = create_worker(engine_settings(), lambda _number: ListCore(), lambda at: at.isoformat().encode())
    app = worker.app

    without = dict(app.tables)
    app.Table("one", partitions=PARTITIONS)

    assert without == {}
    assert len(app.tables) == 1
    worker.loop.close()


@pytest.mark.parametrize("faults", [(), OPEN_SEEK])
def test_l10_a_stop_while_the_agent_has_records_in_its_hands(stage: Stage, faults: tuple[str, ...]) -> None:
    """Faust acknowledges what a stopped agent holds; without an agent, and at our position, that changes nothing."""
    stage.produce(4000)

    for _ in range(2):
        with stage.start(faults=faults, slow_seconds=0.002) as worker:
            worker.wait_until_applied(500)
            assert worker.end(signal.SIGTERM) == 0
    stage.run_until_caught_up(faults=faults)

    lost, twice = stage.verdict()
    assert twice == 0
    assert lost > 0 if faults else lost == 0


def test_l11_workers_that_come_in_the_first_seconds_of_a_group(stage: Stage) -> None:
    """Rebalances before anything was ever committed skip nothing."""
    stage.produce(4000)

    with stage.start(slow_seconds=0.001) as first:
        first.wait_for("/ready")
        with stage.start(slow_seconds=0.001) as second, stage.start(slow_seconds=0.001) as third:
            second.wait_for("/ready")
            third.wait_for("/ready")
            assert third.end(signal.SIGTERM) == 0
            second.end(signal.SIGKILL)
        assert first.end(signal.SIGTERM) == 0
    stage.run_until_caught_up()

    assert stage.verdict() == NOTHING_WRONG
    assert stage.verdict_of_sends() == NOTHING_WRONG


@pytest.mark.parametrize("faults", [(), ("position-later",)])
def test_d1_a_kill_between_rows_and_position(stage: Stage, faults: tuple[str, ...]) -> None:
    """Rows and position are stored as one; apart, what was stored when the kill came is applied again."""
    stage.produce(100)
    stage.run_until_caught_up()
    stage.produce(2000)

    with stage.start(faults=faults, instance="pod-0", slow_seconds=0.001) as worker:
        if faults:
            worker.wait_for_file(Path(stage.plan.once))
        else:
            worker.wait_until_applied(700)
        worker.end(signal.SIGKILL)
    stage.run_until_caught_up(instance="pod-0")

    lost, twice = stage.verdict()
    assert lost == 0
    assert twice > 0 if faults else twice == 0


@pytest.mark.parametrize("faults", [(), ("no-repeat-check",)])
def test_d2_a_fetch_that_goes_back(stage: Stage, faults: tuple[str, ...]) -> None:
    """Records that come again are known by their offset; unchecked, they are applied again."""
    stage.produce(400)
    stage.run_until_caught_up()
    stage.move_offsets(dict.fromkeys(range(PARTITIONS), 50))
    stage.produce(40)

    stage.run_until_caught_up(faults=("stock-seek", *faults))

    lost, twice = stage.verdict()
    assert lost == 0
    assert twice > 0 if faults else twice == 0


@pytest.mark.slow
@pytest.mark.parametrize("faults", [(), ("no-fence",)])
def test_z_a_worker_that_wakes_after_its_session(stage: Stage, faults: tuple[str, ...]) -> None:
    """Frozen in the middle of its work and thawed after another has taken over, it writes nothing; unfenced, it writes."""
    stage.produce(4000)

    with stage.start(faults=faults, slow_seconds=0.002) as frozen:
        frozen.wait_until_applied(800)
        frozen.process.send_signal(signal.SIGSTOP)
        with stage.start(faults=faults) as heir:
            heir.wait_until_owning(PARTITIONS)
            heir.wait_for("/caught-up")
            frozen.process.send_signal(signal.SIGCONT)
            end = time.monotonic() + (DEADLINE_SECONDS if faults else AWAKE_SECONDS)
            while time.monotonic() < end and frozen.process.poll() is None and stage.verdict_of_sends().twice == 0:
                time.sleep(POLL_SECONDS)
            heir.end(signal.SIGKILL)
        frozen.end(signal.SIGKILL)
    stage.run_until_caught_up()

    assert (stage.verdict_of_sends() == NOTHING_WRONG) == (not faults)
