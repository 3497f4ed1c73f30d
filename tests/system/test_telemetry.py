"""The telemetry of the whole system: every figure of the self-watch is there, and no patient is anywhere in it.

Marked messages go through every role, good ones and bad ones; then all that came out beside the topics is searched: logs,
metrics, health. The patients are official test numbers, the names those of no living person.
"""

import re
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from confluent_kafka import Producer

from contracts.quarantine import MESSAGE_ID_HEADER
from contracts.topics import FACT
from streams.command.composition import ROLES
from tests.system.medlist import PARTITIONS, Medlist, sandbox
from tests.system.messages import HOSPITAL_TOPIC, person, prescription
from tests.system.process import DEADLINE_SECONDS, POLL_SECONDS, Process

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(300), pytest.mark.xdist_group("telemetry")]

PATIENTS = range(5)
WORDS = ("Testsson", "Metoprolol", "metoprolol", "depottablett", "Hypertoni", "38341003", "C07AB02", "ORD-")
FIGURES: Mapping[str, tuple[str, ...]] = {
    "intake": (
        'medlist_intake_messages_total{outcome="quarantined",system="hospital"}',
        "medlist_intake_behind_seconds",
        "medlist_intake_lag_records",
        "medlist_intake_round_seconds_count",
    ),
    "reconciler": (
        "medlist_engine_oldest_seconds{",
        "medlist_engine_lag_records{",
        "medlist_engine_delay_seconds_count",
        "medlist_engine_state_rows{",
        "medlist_engine_state_bytes{",
        "# TYPE medlist_engine_conflicts_total",
        "# TYPE medlist_engine_stalls_total",
    ),
    "publisher": (
        "medlist_publisher_lists_total{state=",
        "medlist_publisher_attempt_seconds_count",
        "medlist_publisher_lag_records",
        "medlist_publisher_waiting",
    ),
    "listing": ("medlist_listing_bundles_total", "medlist_listing_lag_records"),
    "nll-source": ("medlist_nll_looks_total", "medlist_nll_overdue_seconds"),
}

THROUGH: Mapping[str, str] = {
    "intake": 'medlist_intake_messages_total{outcome="quarantined",system="hospital"}',
    "publisher": 'medlist_publisher_lists_total{state="published"}',
    "listing": "medlist_listing_bundles_total",
}
"""What these roles have counted at least once for every patient when all that was sent has gone through them."""


class Telemetry(msgspec.Struct, frozen=True):
    """What came out of a run, by role: everything logged, and the answers of the health endpoint."""

    logs: Mapping[str, str]
    answers: Mapping[str, Mapping[str, str]]


@pytest.fixture(scope="module")
def telemetry(kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Telemetry]:
    """All roles running on marked messages until everything is through, asked for everything, and stopped."""
    directory = tmp_path_factory.mktemp("telemetry")
    with ExitStack() as stack:
        endpoint = stack.enter_context(sandbox(directory))
        medlist = Medlist(kafka, directory, nll=endpoint.url)
        medlist.create_topics()
        stack.callback(medlist.delete_topics)
        roles: dict[str, Process] = {role: stack.enter_context(medlist.role(role)) for role in ROLES}
        for process in roles.values():
            process.wait_for("/ready")
        send(medlist)
        for role, through in THROUGH.items():
            wait_until_counted(roles[role], through)
        for role in ("intake", "reconciler", "publisher", "listing"):
            roles[role].wait_for("/caught-up")
        answers = {role: asked(process) for role, process in roles.items()}
        for process in roles.values():
            process.popen.send_signal(signal.SIGTERM)
            process.popen.wait(DEADLINE_SECONDS)
        yield Telemetry({role: log_of(directory, role) for role in roles}, answers)


def send(medlist: Medlist) -> None:
    """Good messages, messages that nobody can read, and a record in the fact topic that somebody else wrote."""
    at = datetime.now(UTC) - timedelta(days=1)
    producer = Producer(medlist.settings.kafka_client())
    topic = medlist.settings.topic(HOSPITAL_TOPIC)
    for index in PATIENTS:
        number = person(index).value
        good = [prescription(index, f"T{index}", at, version) for version in range(3)]
        bad = [
            good[0].replace(b"20990102000011", b"Testsson"),
            good[0].replace(b"PID|1||", b"PID|1||Testsson "),
            good[0][: len(good[0]) // 2],
            f"Testsson Test {number}".encode(),
            b"\xff" + number.encode(),
        ]
        for value in (*good, *bad):
            headers: list[tuple[str, str | bytes | None]] = [(MESSAGE_ID_HEADER, number.encode())]
            producer.produce(topic, value, key=number.encode(), headers=headers, partition=index % PARTITIONS)
    unreadable = f'[{{"Testsson": "{person(0).value}"}}]'.encode()
    producer.produce(medlist.settings.topic(FACT), unreadable, partition=0)
    assert producer.flush(DEADLINE_SECONDS) == 0


def wait_until_counted(process: Process, figure: str) -> None:
    """Return when the figure is at least the number of patients; a role that has nothing to do yet says that it is caught up."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while (counted := total(process.ask("/metrics")[1].decode(), figure)) < len(PATIENTS):
        process.require_alive()
        if time.monotonic() > deadline:
            raise TimeoutError(f"{figure}: {counted} within {DEADLINE_SECONDS} s:\n{process.tail()}")
        time.sleep(POLL_SECONDS)


def total(figures: str, beginning: str) -> float:
    """The sum of the figures whose lines begin so; 0 when there are none."""
    return sum(float(line.rsplit(" ", 1)[1]) for line in figures.splitlines() if line.startswith(beginning))


def asked(process: Process) -> dict[str, str]:
    """All that the health endpoint tells."""
    return {path: process.ask(path)[1].decode() for path in ("/", "/alive", "/ready", "/caught-up", "/metrics")}


def log_of(directory: Path, role: str) -> str:
    """Everything that a role has written."""
    return (directory / f"{role}.log").read_text(encoding="utf-8")


def found_in(text: str) -> list[str]:
    """The marks that stand in a text, the numbers in every way of writing them."""
    marks = list(WORDS)
    for index in PATIENTS:
        number = person(index).value
        marks += [number, number[2:], f"{number[:8]}-{number[8:]}", f"{number[2:8]}-{number[8:]}"]
    return [mark for mark in marks if re.search(rf"(?<![0-9a-f]){re.escape(mark)}", text)]


@pytest.mark.parametrize("role", ROLES)
def test_the_figures_of_the_self_watch_are_there(telemetry: Telemetry, role: str) -> None:
    """Age of what waits, latency, quarantine, conflicts, parked lists, size of the state: each where it arises."""
    figures = telemetry.answers[role]["/metrics"]

    assert [name for name in FIGURES[role] if name not in figures] == []


@pytest.mark.parametrize("role", ROLES)
def test_no_patient_is_in_the_telemetry(telemetry: Telemetry, role: str) -> None:
    """No number, name, drug, dose or order of the patients stands in the log, the metrics or the health of any role."""
    assert telemetry.logs[role]
    assert found_in(telemetry.logs[role]) == []
    for path, answer in telemetry.answers[role].items():
        assert found_in(answer) == [], path


def test_the_marked_messages_went_through(telemetry: Telemetry) -> None:
    """The search is for something: lists were made and published, and messages and a record went to quarantine."""
    intake, publisher = telemetry.answers["intake"]["/metrics"], telemetry.answers["publisher"]["/metrics"]

    assert total(intake, THROUGH["intake"]) >= 3 * len(PATIENTS)
    assert total(publisher, THROUGH["publisher"]) >= len(PATIENTS)


def test_the_search_finds_a_mark() -> None:
    """It can fail."""
    number = person(3).value
    assert found_in(f"patient={number[:8]}-{number[8:]} Testsson") == ["Testsson", f"{number[:8]}-{number[8:]}"]
