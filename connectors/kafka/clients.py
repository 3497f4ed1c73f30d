"""What our confluent-kafka clients are told, every option that matters spelled out.

Sources: librdkafka's CONFIGURATION.md; the values were measured (two cores, packed records).
"""

import time
from typing import Any, Final

from confluent_kafka import KafkaError

from connectors.settings import Settings
from connectors.telemetry import declare, get_logger
from connectors.telemetry.repeats import Repeats

EVENTS: Final = declare({"client.failed": "KAF-001"})

RECORD_BYTES_LIMIT: Final = 1_000_000
"""The largest record that goes out of here: below the 1,048,588 bytes that a topic allows by default."""

READ_AHEAD_BYTES: Final = 1024 * 1024
"""How much a reader to the end of partitions fetches before it is taken in: a broker is faster than who packs or folds, and what
waits here counts for the memory of a start."""

DELIVERY_SECONDS: Final = 30.0
"""How long a broker may be away before a delivery has failed."""

SESSION_SECONDS: Final = 10.0
"""How long a dead member of a group keeps its partitions."""

REBALANCE_SECONDS: Final = 120.0
"""How long a member may be busy without asking for messages, in a rebalance too (``max.poll.interval.ms``); then the group goes on
without it. What must end before that stands in ``tests/streams/topology/test_limits.py``."""

END_OF_PARTITION: Final = KafkaError._PARTITION_EOF  # noqa: SLF001 - the client's own public constant, as all below
NO_SUCH_OFFSET: Final = KafkaError._AUTO_OFFSET_RESET  # noqa: SLF001
ASSIGNMENT_LOST: Final = KafkaError._ASSIGNMENT_LOST  # noqa: SLF001
PASSING: Final = frozenset(
    {
        KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
        KafkaError.COORDINATOR_NOT_AVAILABLE,
        KafkaError.NOT_COORDINATOR,
        KafkaError.NETWORK_EXCEPTION,
        KafkaError.REQUEST_TIMED_OUT,
        KafkaError._TIMED_OUT,  # noqa: SLF001
        KafkaError._TRANSPORT,  # noqa: SLF001
        KafkaError._WAIT_COORD,  # noqa: SLF001
    }
)
"""Codes of a broker that starts, moves or is away: asking again helps. `KafkaError.retriable` knows transactions only."""

NOT_OURS_ANY_MORE: Final = frozenset(
    {KafkaError.ILLEGAL_GENERATION, KafkaError.UNKNOWN_MEMBER_ID, KafkaError.REBALANCE_IN_PROGRESS, ASSIGNMENT_LOST}
)
"""What a commit of offsets is answered with when it comes too late: whoever has the partitions now reads on from the last one."""

_log = get_logger()
_repeats: Final = Repeats()

ClientConfig = dict[str, Any]


def client_config(settings: Settings) -> ClientConfig:
    """What every client has: where and how to connect; its errors are reported by us, its own log lines are off."""
    return {
        **settings.kafka_client(),
        "client.id": settings.instance_id or "medlist",
        "log_level": 0,
        "error_cb": report,
        "allow.auto.create.topics": False,
        "topic.metadata.refresh.interval.ms": 30_000,
        "reconnect.backoff.ms": 100,
        "reconnect.backoff.max.ms": 2_000,
        "socket.keepalive.enable": True,
    }


def producer_config(settings: Settings) -> ClientConfig:
    """An idempotent producer, not transactional: acknowledged by all in-sync replicas, in order, without duplicates.

    Not transactional, because transactions put markers into the log, and the offsets of the fact topic must be dense.
    """
    return client_config(settings) | {
        "enable.idempotence": True,
        "acks": "all",
        "max.in.flight.requests.per.connection": 5,
        "enable.gapless.guarantee": False,
        "linger.ms": 1,
        "compression.type": "zstd",  # contracts/decisions/records-are-compressed-with-zstd.md
        "delivery.timeout.ms": int(DELIVERY_SECONDS * 1000),
        "message.max.bytes": RECORD_BYTES_LIMIT,
        "batch.size": RECORD_BYTES_LIMIT,
        "queue.buffering.max.messages": 100_000,
        "queue.buffering.max.kbytes": 128 * 1024,
        "partitioner": "consistent",
        "delivery.report.only.error": False,
    }


def consumer_config(settings: Settings, group: str) -> ClientConfig:
    """A member of a group that commits by hand, reads committed records, and never resets its position silently.

    Positions without a commit are an error here: the caller says where a partition that was never read begins.
    """
    config = client_config(settings) | {
        "group.id": group,
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "auto.offset.reset": "error",
        "isolation.level": "read_committed",
        "partition.assignment.strategy": "cooperative-sticky",
        "session.timeout.ms": int(SESSION_SECONDS * 1000),
        "heartbeat.interval.ms": 2_000,
        "max.poll.interval.ms": int(REBALANCE_SECONDS * 1000),
        "fetch.min.bytes": 1,
        "fetch.wait.max.ms": 100,
        "fetch.message.max.bytes": 1_048_576,
        "queued.max.messages.kbytes": 32 * 1024,
        "check.crcs": True,
        "enable.partition.eof": False,
    }
    if settings.instance_id is not None:
        config["group.instance.id"] = settings.instance_id
    return config


def reader_config(settings: Settings, purpose: str) -> ClientConfig:
    """A reader of assigned partitions, told of their ends: in no group, commits nothing, never resets silently."""
    return client_config(settings) | {
        "group.id": f"medlist-{purpose}",  # librdkafka wants a name; nothing is ever committed under it
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "auto.offset.reset": "error",
        "isolation.level": "read_committed",
        "queued.max.messages.kbytes": READ_AHEAD_BYTES // 1024,
        "fetch.queue.backoff.ms": 5,  # else a reader whose queue was full waits a second, however soon there is room
        "enable.partition.eof": True,
        "fetch.wait.max.ms": 50,
        "check.crcs": True,
    }


def report(error: KafkaError) -> None:
    """Log an error of a client as a whole (no broker, refused login); the client goes on trying by itself.

    It tells so again with every try, and so does each of the process's other clients: what is the same is only counted.
    """
    name, fatal, retryable = error.name(), error.fatal(), error.retriable()
    skipped = _repeats.left_out(f"{name} {fatal} {retryable}".encode(), time.monotonic())
    if skipped is not None:
        _log.warning("client.failed", kafka_error=name, fatal=fatal, retryable=retryable, skipped=skipped)
