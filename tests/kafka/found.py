"""Which real Kafka the tests run on: the one that is named, else one in a container, else one from Maven's jars."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import docker
from docker.errors import DockerException
from testcontainers.community.kafka import KafkaContainer

from tests.kafka.broker import LocalKafka

_IMAGE = "confluentinc/cp-kafka:7.9.1"  # carries Apache Kafka 3.9
_SOCKET = Path("/var/run/docker.sock")
_ENGINE_SECONDS = 2
_START_SECONDS = 120
_AS_OURS = {
    "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
    "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
    "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1",
    "KAFKA_TRANSACTION_STATE_LOG_NUM_PARTITIONS": "5",
}


class Broker(NamedTuple):
    """Where a broker answers, and how it was had."""

    bootstrap: str
    origin: str


@contextlib.contextmanager
def some_broker(directory: Path, named: str | None) -> Iterator[Broker]:
    """A broker for as long as the context lasts: `named`, a container, or a child process with data in `directory`.

    Raises `BrokerUnavailableError` that tells why none could be had.
    """
    if named:
        yield Broker(named, "MEDLIST_KAFKA")
        return
    container = _container()
    if container is None:
        with LocalKafka(directory) as broker:
            yield Broker(broker.bootstrap, "Maven")
        return
    try:
        yield Broker(container.get_bootstrap_server(), "container")
    finally:
        container.stop()


def _container() -> KafkaContainer | None:
    """A started container, or None where no engine answers or its image cannot be had."""
    container: KafkaContainer | None = None
    if not os.environ.get("DOCKER_HOST") and not _SOCKET.exists():
        return None
    try:
        with contextlib.closing(docker.from_env(timeout=_ENGINE_SECONDS)) as engine:
            engine.ping()
        container = KafkaContainer(_IMAGE).with_kraft()
        for name, value in _AS_OURS.items():
            container.with_env(name, value)
        container.start(timeout=_START_SECONDS)
    except (DockerException, TimeoutError, OSError):
        if container is not None and container.get_wrapped_container() is not None:
            container.stop()
        return None
    return container
