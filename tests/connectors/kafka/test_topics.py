"""Topics on the brokers against topics as declared."""

import time

import pytest
from confluent_kafka.admin import AdminClient

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
    deadline = time.monotonic() + 30  # a broker learns from its controller what it was told
    while plan_topics(changed, read_topics(admin, names)):
        assert time.monotonic() < deadline, "the settings are not as told"
        time.sleep(0.05)
