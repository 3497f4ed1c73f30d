"""One broker for the processes of a command."""

import sys
from pathlib import Path

import pytest

from tests.kafka.shared import run

TELL = "import os, pathlib, sys; pathlib.Path(sys.argv[1]).write_text(os.environ.get('MEDLIST_KAFKA', 'none')); sys.exit(3)"


def told(directory: Path) -> str:
    """The broker that a command is given; its exit status comes through."""
    assert run([sys.executable, "-c", TELL, str(directory / "told")]) == 3
    return (directory / "told").read_text()


def test_a_named_broker_is_passed_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing is started beside it."""
    monkeypatch.setenv("MEDLIST_KAFKA", "kafka.example:9092")

    assert told(tmp_path) == "kafka.example:9092"


def test_without_a_broker_the_command_runs_and_is_given_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its tests say then what that means; why there is none is told."""
    monkeypatch.delenv("MEDLIST_KAFKA", raising=False)
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:9")
    monkeypatch.setenv("PATH", str(tmp_path))

    assert told(tmp_path) == "none"
    assert "no Kafka: no Java" in capsys.readouterr().err


@pytest.mark.kafka
def test_a_broker_answers_as_long_as_the_command_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without a named one, one is started."""
    monkeypatch.delenv("MEDLIST_KAFKA", raising=False)
    ask = "import os; from tests.kafka.topics import create_topics; create_topics(os.environ['MEDLIST_KAFKA'], {'one': 1})"

    assert run([sys.executable, "-c", ask]) == 0
