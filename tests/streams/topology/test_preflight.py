"""Before anything starts."""

from streams.topology.preflight import judge_topics
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
