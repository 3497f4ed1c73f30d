"""What persons ask of the publisher, while the broker cannot yet tell what was heeded before."""

import pytest
from confluent_kafka import KafkaError, KafkaException, TopicPartition

from connectors.kafka.positions import PATIENCE_SECONDS
from connectors.settings import Settings
from streams.topology.publisher import requests
from streams.topology.publisher.problems import PublisherCode, PublisherError
from streams.topology.publisher.requests import Requests
from tests.streams.topology.publisher.wire import QUICK, ask, eventually


class Group:
    """The group's offsets, as the broker tells them; `error` while it cannot."""

    def __init__(self) -> None:
        self.error: int | None = KafkaError._TIMED_OUT
        self.asked = 0
        self.now = 1000.0

    def monotonic(self) -> float:
        """The time."""
        return self.now

    def committed(self, _consumer: object, partitions: list[TopicPartition], **_limits: float) -> list[TopicPartition]:
        """Nothing was heeded before."""
        self.asked += 1
        if self.error is not None:
            raise KafkaException(KafkaError(self.error))
        return [TopicPartition(one.topic, one.partition, -1001) for one in partitions]


@pytest.fixture
def group(monkeypatch: pytest.MonkeyPatch) -> Group:
    """A broker that cannot tell yet."""
    made = Group()
    monkeypatch.setattr(requests, "committed_offsets", made.committed)
    monkeypatch.setattr(requests, "time", made)
    return made


def test_a_rebalance_does_not_wait_for_them_too(settings: Settings, group: Group) -> None:
    """It has waited for the lists' own offsets, and has to end; once the broker can tell, requests are read on."""
    ask(settings, "somebody")
    made = Requests(settings, QUICK, "none")

    made.assigned([0, 1])
    asked_inside = group.asked
    before = made.taken()
    group.error = None
    found: list[str] = []

    def came() -> bool:
        found.extend(made.taken())
        return bool(found)

    eventually(came, "the request is read")
    made.close()

    assert (asked_inside, before, found) == (0, [], ["somebody"])


def test_a_partition_that_went_meanwhile_is_not_asked_about(settings: Settings, group: Group) -> None:
    """Its next owner asks."""
    made = Requests(settings, QUICK, "none")

    made.assigned([0])
    made.gone([0])
    made.taken()
    made.close()

    assert group.asked == 0


@pytest.mark.parametrize(
    ("error", "seconds"), [(KafkaError._TIMED_OUT, PATIENCE_SECONDS + 1), (KafkaError.GROUP_AUTHORIZATION_FAILED, 0)]
)
def test_what_the_broker_never_tells_stops_the_publisher(
    settings: Settings, group: Group, error: int, seconds: float
) -> None:
    """When patience is over, or when asking again cannot help."""
    group.error = error
    made = Requests(settings, QUICK, "none")
    made.assigned([0])
    group.now += seconds

    with pytest.raises(PublisherError) as told:
        made.taken()
    made.close()

    assert told.value.reason is PublisherCode.READ_FAILED
