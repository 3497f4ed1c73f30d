"""librdkafka configurations, every option that matters spelled out."""

from typing import Any

import structlog
from confluent_kafka import KafkaError

from streams.topology.settings import EngineSettings

_log = structlog.get_logger(__name__)

ClientConfig = dict[str, Any]


def _report(error: KafkaError) -> None:
    """Errors of the client as a whole (no broker, refused login); it retries by itself."""
    _log.warning("client.failed", code=error.name(), fatal=error.fatal())


def base_config(settings: EngineSettings) -> ClientConfig:
    """What every client has: where to connect and how; its own log lines off, its errors reported by us."""
    return {**settings.client, "log_level": 0, "error_cb": _report}


def producer_config(settings: EngineSettings, *, transactional_id: str | None = None) -> ClientConfig:
    """An idempotent producer: acknowledged by all in-sync replicas, in order, no duplicates of its own."""
    config = base_config(settings) | {
        "enable.idempotence": True,
        "acks": "all",
        "linger.ms": 1,
        "compression.type": "lz4",
        "delivery.timeout.ms": 30_000,
        "message.max.bytes": settings.limits.message_max_bytes,
    }
    if transactional_id is not None:
        config["transactional.id"] = transactional_id
        config["transaction.timeout.ms"] = int(settings.limits.transaction_seconds * 1000)
    return config


def reader_config(settings: EngineSettings, purpose: str) -> ClientConfig:
    """A consumer that reads assigned partitions to their end, commits nothing and never resets silently."""
    return base_config(settings) | {
        "group.id": f"{settings.group}-{purpose}",
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "isolation.level": "read_uncommitted" if settings.isolation == "none" else "read_committed",
        "auto.offset.reset": "error",
        "enable.partition.eof": True,
        "fetch.wait.max.ms": 50,
    }
