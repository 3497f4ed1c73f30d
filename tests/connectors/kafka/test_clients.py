"""What our clients tell of themselves."""

import pytest
from confluent_kafka import KafkaError
from structlog.testing import capture_logs

from connectors.kafka import clients
from connectors.kafka.clients import report
from connectors.telemetry.repeats import AGAIN_SECONDS, Repeats


class Clock:
    """Seconds that pass when the test says so."""

    now = 1000.0

    def monotonic(self) -> float:
        """The time."""
        return self.now


def test_a_broker_that_is_away_is_told_once_by_all_clients_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever else goes wrong is told at once; how often it was the same is told with the next line of the same."""
    clock = Clock()
    monkeypatch.setattr(clients, "time", clock)
    monkeypatch.setattr(clients, "_repeats", Repeats())

    with capture_logs() as lines:
        for _ in range(40):
            report(KafkaError(KafkaError._ALL_BROKERS_DOWN))
        report(KafkaError(KafkaError._AUTHENTICATION))
        clock.now += AGAIN_SECONDS
        report(KafkaError(KafkaError._ALL_BROKERS_DOWN))

    assert [(line["kafka_error"], line["skipped"]) for line in lines] == [
        ("_ALL_BROKERS_DOWN", 0),
        ("_AUTHENTICATION", 0),
        ("_ALL_BROKERS_DOWN", 39),
    ]
