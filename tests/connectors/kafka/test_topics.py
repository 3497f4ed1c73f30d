"""Topics on the brokers against topics as declared."""

from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any, cast

import pytest
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic  # type: ignore[attr-defined]  # not in its types

from connectors.kafka import topics
from connectors.kafka.topics import (
    ExistingTopic,
    Missing,
    WrongPartitions,
    WrongSettings,
    apply_differences,
    describe_difference,
    plan_topics,
    read_topics,
)
from connectors.telemetry import CodedError
from contracts.topics import TopicSpec


def spec(partitions: int = 3, name: str = "facts") -> TopicSpec:
    """A topic that must be compacted."""
    return TopicSpec(name=name, partitions=partitions, settings={"cleanup.policy": "compact"}, purpose="a test")


def test_what_is_right_is_no_difference() -> None:
    """Settings that we do not declare are the broker's own business."""
    existing = {"facts": ExistingTopic(3, {"cleanup.policy": "compact", "segment.ms": "1"})}

    assert plan_topics([spec()], existing) == ()


def test_every_difference_is_named() -> None:
    """A missing topic, a wrong number of partitions and a wrong setting, all in one look."""
    existing = {
        "few": ExistingTopic(1, {"cleanup.policy": "compact"}),
        "deleted": ExistingTopic(3, {"cleanup.policy": "delete"}),
    }
    specs = [spec(name="gone"), spec(name="few"), spec(name="deleted")]

    differences = plan_topics(specs, existing)

    assert differences == (
        Missing(specs[0]),
        WrongPartitions(specs[1], 1),
        WrongSettings(specs[2], {"cleanup.policy": ("compact", "delete")}),
    )
    assert [describe_difference(difference) for difference in differences] == [
        "gone: missing (3 partitions)",
        "few: has 1 partitions, must have 3; this cannot be changed",
        "deleted: cleanup.policy is delete, must be compact",
    ]


def test_a_wrong_number_of_partitions_stops_before_anything_is_changed() -> None:
    """A patient's place depends on it, so it is never changed, and nothing half is done beside it."""
    nobody = AdminClient({"bootstrap.servers": "127.0.0.1:1", "log_level": 0})

    with pytest.raises(CodedError) as caught:
        apply_differences(nobody, [Missing(spec(name="gone")), WrongPartitions(spec(), 1)])

    assert caught.value.code == "TOP-101"


@pytest.mark.kafka
def test_a_broker_is_made_right(kafka: str, topic_prefix: str) -> None:
    """What is missing is created, what differs is changed, and a second look finds nothing more to do."""
    admin = AdminClient({"bootstrap.servers": kafka, "log_level": 0})
    specs = [spec(name=f"{topic_prefix}one"), spec(name=f"{topic_prefix}two")]
    names = [one.name for one in specs]
    apply_differences(admin, plan_topics(specs, read_topics(admin, names)))
    changed = [
        TopicSpec(name=one.name, partitions=3, settings={"cleanup.policy": "delete"}, purpose="a test") for one in specs
    ]

    differences = plan_topics(changed, read_topics(admin, names))
    apply_differences(admin, differences)

    assert [type(difference) for difference in differences] == [WrongSettings, WrongSettings]
    assert plan_topics(changed, read_topics(admin, names)) == ()


class Lagging:
    """An admin client of brokers that take every change, and show a topic and its leader only from the second look on."""

    def __init__(self, looks_before_shown: float) -> None:
        self._before = looks_before_shown
        self.looks = 0

    def create_topics(self, topics: list[NewTopic], request_timeout: float) -> dict[str, Future[None]]:
        """Done."""
        done: Future[None] = Future()
        done.set_result(None)
        return {one.topic: done for one in topics}

    def list_topics(self, timeout: float) -> SimpleNamespace:
        """What shows."""
        self.looks += 1
        if self.looks <= self._before:
            return SimpleNamespace(topics={})
        leader = -1 if self.looks <= self._before + 1 else 0
        partitions = dict.fromkeys(range(3), SimpleNamespace(leader=leader))
        return SimpleNamespace(topics={"facts": SimpleNamespace(partitions=partitions)})

    def describe_configs(self, asked: list[ConfigResource], request_timeout: float) -> dict[ConfigResource, Any]:
        """The setting as it was wanted."""
        settings: Future[Any] = Future()
        settings.set_result({"cleanup.policy": SimpleNamespace(value="compact")})
        return dict.fromkeys(asked, settings)


def test_it_returns_once_a_broker_shows_what_was_done() -> None:
    """Who comes next must find the topic, and somebody who leads it; a second run must not create it again."""
    brokers = Lagging(looks_before_shown=2)

    apply_differences(cast("AdminClient", brokers), [Missing(spec())])

    assert brokers.looks == 4


def test_what_was_taken_and_never_shows_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """With what is missing still."""
    monkeypatch.setattr(topics, "ANSWER_SECONDS", 0.2)

    with pytest.raises(CodedError, match="facts: missing") as caught:
        apply_differences(cast("AdminClient", Lagging(looks_before_shown=float("inf"))), [Missing(spec())])

    assert caught.value.code == "TOP-103"
