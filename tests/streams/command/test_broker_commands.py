"""Commands that ask brokers and endpoints: topics, doctor, run, nll-sandbox."""

import json
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Producer

from connectors.kafka.embedded import EmbeddedBroker
from connectors.nll_sandbox.settings import TEST_CLIENTS
from connectors.settings import Settings
from contracts.topics import QUARANTINE
from streams.command import doctor
from streams.command.composition import ROLES, Composition
from streams.command.running import children
from streams.topology.reconciling.core import ReconcilingCore
from tests.streams.command.conftest import Medlist
from tests.streams.topology.intake.wire import eventually

KEY = "k" * 40
NOWHERE = "127.0.0.1:1"
SECONDS = 30


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[str]:
    """The address of a sandbox that was started by the command."""
    faults = tmp_path / "faults.json"
    faults.write_text(json.dumps({"seed": 1, "switches": {"latency": {"probability": 1.0, "seconds": 0.01}}}))
    command = [sys.executable, "-m", "streams.command", "nll-sandbox", "--port", "0", "--faults", str(faults)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address = json.loads(process.stdout.readline())["url"]
        yield address
        process.send_signal(signal.SIGTERM)
        assert process.wait(SECONDS) == 0


def credentials(address: str) -> dict[str, str]:
    """The variables with which a sandbox is reached."""
    return {
        "MEDLIST_NLL_BASE_URL": address,
        "MEDLIST_NLL_TOKEN_URL": f"{address}/oauth2/token",
        "MEDLIST_NLL_CLIENT_ID": "medlist",
        "MEDLIST_NLL_CLIENT_SECRET": TEST_CLIENTS["medlist"].secret,
    }


def test_topics_are_shown_without_a_broker(medlist: Medlist) -> None:
    """What must exist can be read without asking anybody."""
    ended = medlist("topics", "--json", MEDLIST_TOPIC_PREFIX="test.", MEDLIST_PARTITIONS="7")

    said = json.loads(ended.stdout)
    assert (ended.exit_code, said["differences"]) == (0, None)
    facts = next(topic for topic in said["topics"] if topic["name"] == "test.medlist.fact.v1")
    assert (facts["partitions"], facts["settings"]["retention.ms"]) == (7, "-1")


def test_topics_cannot_be_applied_without_a_broker(medlist: Medlist) -> None:
    """What is missing is named, with what to write."""
    ended = medlist("topics", "--apply")

    assert ended.exit_code == 1
    assert "MEDLIST_KAFKA is missing" in ended.stderr


@pytest.mark.kafka
def test_topics_are_created_as_declared_and_then_nothing_differs(
    medlist: Medlist, kafka: str, topic_prefix: str
) -> None:
    """On a real broker: status 1 while they miss, 0 once they were made, and doctor agrees."""
    environment = {
        "MEDLIST_KAFKA": kafka,
        "MEDLIST_TOPIC_PREFIX": topic_prefix,
        "MEDLIST_PARTITIONS": "2",
        "MEDLIST_PSEUDONYM_KEY": KEY,
    }

    before = medlist("topics", "--json", **environment)
    applied = medlist("topics", "--apply", "--json", **environment)
    sick = medlist("doctor", "--json", **environment, **credentials("http://127.0.0.1:1"))

    declared = json.loads(before.stdout)
    assert (before.exit_code, len(declared["differences"])) == (1, len(declared["topics"]))
    assert (applied.exit_code, json.loads(applied.stdout)["differences"]) == (0, [])
    checks = {check["name"]: check["ok"] for check in json.loads(sick.stdout)["checks"]}
    assert checks["brokers"]
    assert checks["topics"]


@pytest.mark.kafka
def test_doctor_tells_how_much_waits_in_quarantine_and_how_much_came_lately(
    medlist: Medlist, kafka: str, topic_prefix: str
) -> None:
    """Two records, one of them old: the person on call sees whether something keeps coming."""
    environment = {"MEDLIST_KAFKA": kafka, "MEDLIST_TOPIC_PREFIX": topic_prefix, "MEDLIST_PARTITIONS": "2"}
    applied = medlist("topics", "--apply", "--json", **environment)
    assert json.loads(applied.stdout)["differences"] == []
    producer = Producer({"bootstrap.servers": kafka})
    long_ago = round((time.time() - 48 * 3600) * 1000)
    producer.produce(f"{topic_prefix}{QUARANTINE}", b"{}", partition=1, timestamp=long_ago)
    producer.produce(f"{topic_prefix}{QUARANTINE}", b"{}", partition=1)
    assert producer.flush(SECONDS) == 0

    def said() -> str:
        """What doctor says of the quarantine; a topic that was made just now may have no leader yet."""
        told = json.loads(medlist("doctor", "--json", **environment).stdout)
        return str(next(check["found"] for check in told["checks"] if check["name"] == "quarantine"))

    eventually(lambda: said().startswith("2 records, 1 of them of the last day"), "doctor counts the quarantine")


def test_doctor_names_everything_that_is_missing_and_what_to_do(medlist: Medlist) -> None:
    """Each failure says what to do; the exit status tells scripts."""
    ended = medlist("doctor", "--json")

    said = json.loads(ended.stdout)
    wrong = [check for check in said["checks"] if not check["ok"]]
    assert (ended.exit_code, said["ok"]) == (1, False)
    assert {check["name"] for check in wrong} == {"pseudonym key", "brokers", "NLL endpoint"}
    assert all(check["remedy"] for check in wrong)


def test_doctor_tells_wrong_settings_alone(medlist: Medlist) -> None:
    """With wrong settings nothing else can be looked at."""
    ended = medlist("doctor", MEDLIST_PARTITIONS="many")

    assert ended.exit_code == 1
    assert "MEDLIST_PARTITIONS is wrong" in ended.stdout


def test_doctor_says_that_nobody_answers(medlist: Medlist, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the broker nor the endpoint is there: told, not waited for."""
    monkeypatch.setattr(doctor, "ASK_SECONDS", 0.5)
    ended = medlist("doctor", "--json", MEDLIST_KAFKA=NOWHERE, **credentials("http://127.0.0.1:1"))

    found = {check["name"]: check["found"] for check in json.loads(ended.stdout)["checks"] if not check["ok"]}
    assert set(found) == {"pseudonym key", "brokers", "NLL endpoint", "NLL token"}
    assert found["NLL token"] == "token-unreachable"


def test_doctor_reaches_the_sandbox_and_gets_a_token(medlist: Medlist, sandbox: str) -> None:
    """With the right secret a token is granted, with a wrong one that is told."""
    right = medlist("doctor", "--json", **credentials(sandbox))
    wrong = medlist("doctor", "--json", **{**credentials(sandbox), "MEDLIST_NLL_CLIENT_SECRET": "mistyped"})

    checks = {check["name"]: check["ok"] for check in json.loads(right.stdout)["checks"]}
    told = {check["name"]: check["found"] for check in json.loads(wrong.stdout)["checks"]}
    assert (checks["NLL endpoint"], checks["NLL token"]) == (True, True)
    assert told["NLL token"].startswith("token-http-4")


def test_the_sandbox_serves_with_the_faults_of_the_file(sandbox: str) -> None:
    """What the file switches on is on before the address is told."""
    with urllib.request.urlopen(f"{sandbox}/_sandbox/faults", timeout=SECONDS) as answer:  # noqa: S310 - our own sandbox
        faults = json.load(answer)

    assert faults["plan"]["switches"]["latency"]["probability"] == 1.0


def test_a_wrong_file_of_faults_is_refused(medlist: Medlist, tmp_path: Path) -> None:
    """A fault that does not exist is no fault that strikes."""
    faults = tmp_path / "faults.json"
    faults.write_text('{"switches": {"earthquake": {"probability": 1.0}}}')

    ended = medlist("nll-sandbox", "--port", "0", "--faults", faults)

    assert ended.exit_code == 1
    assert "the file of faults is refused" in ended.stderr


@pytest.mark.parametrize("role", [*ROLES, "all"])
def test_a_process_without_its_settings_ends_with_status_78_and_a_coded_line(role: str) -> None:
    """Starting it again cannot help, and the log says what to write."""
    command = [sys.executable, "-m", "streams.command", "run", role]

    ended = subprocess.run(command, capture_output=True, text=True, env={}, timeout=SECONDS, check=False)

    line = json.loads(ended.stderr.splitlines()[-1])
    assert (ended.returncode, line["event"]) == (78, "settings.refused")
    assert "MEDLIST_KAFKA is missing" in ended.stderr


def test_an_intake_without_topics_ends_with_status_78(tmp_path: Path) -> None:
    """The broker is there and the topics are not: a person runs `medlist topics --apply`."""
    with EmbeddedBroker({"something": 1}) as broker:
        environment = {"MEDLIST_KAFKA": broker.bootstrap, "MEDLIST_PSEUDONYM_KEY": KEY, "MEDLIST_PARTITIONS": "2"}
        command = [sys.executable, "-m", "streams.command", "run", "intake"]
        ended = subprocess.run(
            command, capture_output=True, text=True, env=environment, timeout=2 * SECONDS, check=False
        )

    assert ended.returncode == 78
    assert "topics --apply" in ended.stderr


def test_all_roles_are_children_with_health_ports_of_their_own() -> None:
    """One port is given; the processes count it up."""
    counted = children({"MEDLIST_HEALTH_PORT": "8080", "PATH": "/bin"})
    free = children({})

    ports = [child.environment["MEDLIST_HEALTH_PORT"] for child in counted if child.environment is not None]
    assert [child.name for child in counted] == list(ROLES)
    assert ports == ["8080", "8081", "8082", "8083", "8084"]
    assert {child.environment["MEDLIST_HEALTH_PORT"] for child in free if child.environment is not None} == {"0"}


def test_the_composition_names_every_topic_with_the_prefix_and_deals_patients_out() -> None:
    """Each pseudonym is one partition's, and what the reconciler sends goes to topics that are declared."""
    composition = Composition(settings=Settings(topic_prefix="test.", partitions=3))
    names = {spec.name for spec in composition.topics}

    made = [composition.core_factory()(partition) for partition in range(3)]
    cores = [core for core in made if isinstance(core, ReconcilingCore)]

    assert all(name.startswith("test.") for name in names)
    owners = [[core._is_mine(pseudonym) for core in cores].count(True) for pseudonym in ("a1", "b2", "c3", "d4")]
    assert owners == [1, 1, 1, 1]
    assert {core._list_topic for core in cores} | {core._forward_topic for core in cores} <= names


@pytest.mark.parametrize("replay", [True, False])
def test_only_the_machines_clock_wakes_a_live_system_and_only_stored_times_a_replay(*, replay: bool) -> None:
    """In a replay of stored messages nothing is told what time it is today."""
    composition = Composition(settings=Settings(kafka=NOWHERE, trust_received_at=replay))

    assert composition.engine.wake_ups is not replay
