"""The rebuild on a real Kafka: identical to what the stream made, also while it runs; and it tells what was damaged."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from confluent_kafka import Producer

from contracts.medication_list import decode_list, encode_list
from contracts.topics import FACT, LIST, STATE
from streams.command.rebuild import place_of
from streams.topology.rebuilding.comparing import Difference
from streams.topology.rebuilding.partition import Verdict, look, verify
from streams.topology.rebuilding.reading import end_of_facts
from streams.topology.rebuilding.switching import Switched, switch
from streams.topology.restore import read_back
from tests.benchmarks._catching_up import Backlog, reconciling_backlog
from tests.system.medlist import PARTITIONS, Medlist
from tests.system.process import DEADLINE_SECONDS, POLL_SECONDS, Process

pytestmark = pytest.mark.kafka

FACTS = 1500
RUNS_MOST = 5


@pytest.fixture(scope="module")
def backlog() -> Backlog:
    """A region's facts, packed."""
    return reconciling_backlog(FACTS)


@pytest.fixture
def medlist(kafka: str, tmp_path: Path) -> Iterator[Medlist]:
    """A deployment of its own, with topics."""
    deployment = Medlist(kafka, tmp_path)
    deployment.create_topics()
    yield deployment
    deployment.delete_topics()


def fill(medlist: Medlist, backlog: Backlog, begin: int, end: int) -> None:
    """Write some of the backlog's records."""
    producer = Producer({"bootstrap.servers": medlist.settings.kafka, "enable.idempotence": True})
    for partition, value in backlog.records[begin:end]:
        producer.produce(medlist.settings.topic(FACT), value, partition=partition)
    assert producer.flush(60) == 0


def overwrite(medlist: Medlist, topic: str, partition: int, key: bytes, value: bytes | None) -> None:
    """Write behind the stream's back."""
    producer = Producer({"bootstrap.servers": medlist.settings.kafka})
    producer.produce(medlist.settings.topic(topic), value, key, partition=partition)
    assert producer.flush(60) == 0


def verified(medlist: Medlist) -> list[Verdict]:
    """The verdict of every partition."""
    return [verify(place_of(medlist.settings, number), lambda _step: None) for number in range(PARTITIONS)]


def found(medlist: Medlist) -> list[Difference]:
    """All differences but lists that are about to change."""
    return [one for verdict in verified(medlist) for one in verdict.differences if one.kind != "due"]


def test_live_lists_are_what_the_facts_say(medlist: Medlist, backlog: Backlog) -> None:
    """State and lists of a running stream are identical, byte by byte, to those rebuilt, before, during and after load."""
    half = len(backlog.records) // 2
    assert found(medlist) == []

    fill(medlist, backlog, 0, half)
    with medlist.role("reconciler") as reconciler:
        reconciler.wait_for("/caught-up")
        assert found(medlist) == []
        fill(medlist, backlog, half, len(backlog.records))
        during = found(medlist)
        reconciler.wait_for("/caught-up")
        verdicts = verified(medlist)
        assert reconciler.end() == 0

    assert during == []
    assert sum(verdict.records for verdict in verdicts) >= len(backlog.records)
    assert {p for v in verdicts for p in v.list_hashes.items()} == {
        p for v in verdicts for p in v.live_list_hashes.items()
    }


def test_damage_is_told_by_patient_and_place(medlist: Medlist, backlog: Backlog) -> None:
    """A state row changed, a list replaced by an older one and a list lost are each named; the command exits with 1."""
    fill(medlist, backlog, 0, len(backlog.records))
    with medlist.role("reconciler") as reconciler:
        reconciler.wait_for("/caught-up")
        assert reconciler.end() == 0
    live = look(place_of(medlist.settings, 0))
    one, two, three = sorted(live.lists)[:3]
    row = next(key for key in sorted(live.rows[one]) if not key.endswith(b"|m"))
    older = encode_list(msgspec.structs.replace(decode_list(live.lists[two]), items=()))

    overwrite(medlist, STATE, 0, row, b"[]")
    overwrite(medlist, LIST, 0, two.encode(), older)
    overwrite(medlist, LIST, 0, three.encode(), None)
    told = subprocess.run(
        [sys.executable, "-m", "streams.command", "rebuild", "--json"],
        env=os.environ | medlist.variables,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert sorted(found(medlist)) == sorted(
        [
            Difference(one, "row-differs", row.decode().partition("|")[2]),
            Difference(two, "list-differs"),
            Difference(three, "list-missing"),
        ]
    )
    assert told.returncode == 1, told.stderr
    summary = msgspec.json.decode(told.stdout.splitlines()[-1])
    assert (summary["identical"], summary["differing_patients"]) == (False, 3)


def switched(medlist: Medlist) -> list[Switched]:
    """Switch every partition."""
    return [switch(place_of(medlist.settings, number), lambda _step: None) for number in range(PARTITIONS)]


def run_to_the_end(medlist: Medlist) -> None:
    """Run the reconciler until nothing is left, not even a record that tells the time and came while it stopped."""
    engine = medlist.composition.engine
    for _ in range(RUNS_MOST):
        with medlist.role("reconciler") as reconciler:
            reconciler.wait_for("/caught-up")
            assert reconciler.end() == 0
        positions = {p: read_back(engine, [p])[p].position.next_offset for p in range(PARTITIONS)}
        if positions == {p: end_of_facts(engine, p) for p in range(PARTITIONS)}:
            return
    raise AssertionError("a record came in each time")


def test_a_damaged_state_is_mended_by_writing_what_differs(medlist: Medlist, backlog: Backlog) -> None:
    """After a switch the live side is identical again, no more than the damage was written, and the stream goes on."""
    half = len(backlog.records) // 2
    fill(medlist, backlog, 0, half)
    run_to_the_end(medlist)
    live = look(place_of(medlist.settings, 0))
    one, two = sorted(live.lists)[:2]
    overwrite(medlist, STATE, 0, f"{one}|r|invented".encode(), b"[]")
    overwrite(medlist, LIST, 0, two.encode(), live.lists[one])
    overwrite(medlist, LIST, 0, b"nobody", live.lists[one])

    due = sum(one.kind == "due" for verdict in verified(medlist) for one in verdict.differences)
    done = switched(medlist)

    assert found(medlist) == []
    assert 2 <= sum(part.lists for part in done) <= 2 + due
    fill(medlist, backlog, half, len(backlog.records))
    with medlist.role("reconciler") as reconciler:
        reconciler.wait_for("/caught-up")
        assert found(medlist) == []


def noticed(reconciler: Process) -> int | None:
    """Wait until a reconciler that was shut out knows; its exit status, none if it has taken its partitions over anew."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while reconciler.status is None:
        if sum(line["event"] == "partitions.assigned" for line in reconciler.lines()) > 1:
            return None
        assert time.monotonic() < deadline, reconciler.tail()
        time.sleep(POLL_SECONDS)
    return reconciler.status


def test_an_empty_state_is_built_in_one_go_while_its_owner_is_shut_out(medlist: Medlist, backlog: Backlog) -> None:
    """A switch needs no state at all; a reconciler that runs meanwhile can write nothing, and goes on from what was written.

    It ends with 70, or, frozen for longer than its group waits for it, takes its partitions over anew.
    """
    with medlist.role("reconciler", name="pod-0") as reconciler:
        reconciler.wait_for("/caught-up")
        reconciler.freeze()
        fill(medlist, backlog, 0, len(backlog.records))
        done = switched(medlist)
        reconciler.thaw()
        status = noticed(reconciler)

    assert status in {70, None}
    assert sum(part.records for part in done) == len(backlog.records)
    with medlist.role("reconciler", name="pod-0") as reconciler:
        reconciler.wait_for("/caught-up")
        assert found(medlist) == []
