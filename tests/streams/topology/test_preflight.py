"""Before anything starts."""

import threading

import pytest

from streams.topology import preflight
from streams.topology.preflight import judge_topics, require_topics
from streams.topology.problems import EngineError
from tests.streams.topology.fakes import engine_settings


def test_matching_topics() -> None:
    """Both topics are there with equal numbers of partitions."""
    assert judge_topics(engine_settings(), {"fact": 4, "state": 4, "other": 1}) is None


def test_a_missing_topic() -> None:
    """It is named, and the remedy says how to make it."""
    error = judge_topics(engine_settings(), {"fact": 4})

    assert error is not None
    assert "missing: state" in error.detail
    assert "medlist topics --apply" in error.remedy


def test_partitions_that_differ() -> None:
    """State would be written to partitions that do not exist, or be read back by nobody."""
    error = judge_topics(engine_settings(), {"fact": 4, "state": 3})

    assert error is not None
    assert error.status == 78


def test_a_client_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    """No watchdog runs yet: a start that never ends would never be seen. It ends, and asks to be started again."""
    over = threading.Event()
    monkeypatch.setattr(preflight, "HUNG_SECONDS", 0.01)
    monkeypatch.setattr(preflight, "_partitions", lambda _settings: over.wait(30))

    with pytest.raises(EngineError) as caught:
        require_topics(engine_settings())
    over.set()

    assert caught.value.status == 70
