"""Topics for one test."""

import time
from collections.abc import Mapping, Sequence

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

_ANSWER_SECONDS = 30.0
_POLL_SECONDS = 0.05


def create_topics(
    bootstrap: str, topics: Mapping[str, int], config: Mapping[str, str] | None = None, *, replicas: int = 1
) -> None:
    """Create topics (name -> partitions), with so many replicas, and return when clients can see them.

    Raises `KafkaException` if one exists already or the broker refuses it.
    """
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
    wanted = [
        NewTopic(name, count, replication_factor=replicas, config=dict(config or {})) for name, count in topics.items()
    ]
    _make(admin, wanted)
    deadline = time.monotonic() + _ANSWER_SECONDS
    while not _visible(admin, topics):
        if time.monotonic() > deadline:
            raise TimeoutError(f"topics not visible after {_ANSWER_SECONDS} s: {sorted(topics)}")
        time.sleep(_POLL_SECONDS)
    _wait_until_led(bootstrap, topics, deadline)


def _make(admin: AdminClient, wanted: Sequence[NewTopic], *, again: bool = False) -> None:
    """Make topics; once more where the client gave up the connection that it began with, and nobody knows whether they are made."""
    for future in admin.create_topics(list(wanted), operation_timeout=_ANSWER_SECONDS).values():
        try:
            future.result(_ANSWER_SECONDS)
        except KafkaException as exc:
            code = exc.args[0].code()
            if code == KafkaError._DESTROY_BROKER and not again:
                _make(admin, wanted, again=True)
                return
            if code != KafkaError.TOPIC_ALREADY_EXISTS or not again:
                raise


def _wait_until_led(bootstrap: str, topics: Mapping[str, int], deadline: float) -> None:
    """Return when the leader of each partition knows that it is: a little later than the others do."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "ends", "log_level": 0})
    for place in (TopicPartition(name, number) for name, count in topics.items() for number in range(count)):
        while True:
            try:
                consumer.get_watermark_offsets(place, timeout=_ANSWER_SECONDS)
                break
            except KafkaException:
                if time.monotonic() > deadline:
                    raise
                time.sleep(_POLL_SECONDS)
    consumer.close()


def _visible(admin: AdminClient, topics: Mapping[str, int]) -> bool:
    try:
        seen = admin.list_topics(timeout=_ANSWER_SECONDS).topics
    except KafkaException:
        return False
    return all(
        name in seen
        and len(seen[name].partitions) == count
        and all(p.leader >= 0 for p in seen[name].partitions.values())
        for name, count in topics.items()
    )
