"""Real Kafka brokers that replicate to each other, as child processes: for tests that lose one of them.

Every record is on all brokers, and acknowledged by all but one of them at least (`min.insync.replicas`): losing one
loses nothing and stops nothing. Clients reach each broker on its advertised port; the brokers reach each other directly.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.kafka.broker import LocalKafka, cluster_id

_AUTHORIZED = {
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "allow.everyone.if.no.acl.found": "true",
}
"""Not where brokers vote: without logins they could not tell each other from anybody, and would not begin."""


class LocalCluster(AbstractContextManager["LocalCluster"]):
    """`size` brokers with their data in `directory`; `advertised` are the ports that clients are sent to, else the brokers'.

    With one broker rights can be denied (`create_acls`); until then everybody may do everything. Raises as `LocalKafka`.
    """

    def __init__(self, directory: Path, size: int = 3, *, advertised: Sequence[int] = ()) -> None:
        cluster = cluster_id()
        self.brokers = [LocalKafka(directory / f"broker-{number}", cluster=cluster) for number in range(1, size + 1)]
        ports = advertised or [broker.port for broker in self.brokers]
        voters = ",".join(f"{n}@127.0.0.1:{broker.controller_port}" for n, broker in enumerate(self.brokers, 1))
        for number, (broker, port) in enumerate(zip(self.brokers, ports, strict=True), 1):
            broker.properties |= _replicated(size) | _listeners(broker, port)
            broker.properties |= {"node.id": str(number), "controller.quorum.voters": voters}
            broker.properties |= _AUTHORIZED if size == 1 else {}
        self.bootstrap = ",".join(f"127.0.0.1:{port}" for port in ports)
        """Where clients begin."""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Kill all."""
        for broker in self.brokers:
            broker.kill()

    def start(self) -> None:
        """Start all, and wait until each answers: none does before most of them are there."""
        try:
            for broker in self.brokers:
                broker.start(wait=False)
            for broker in self.brokers:
                broker.wait_until_it_answers()
        except BaseException:
            self.close()
            raise


def _replicated(size: int) -> dict[str, str]:
    copies, in_sync = str(size), str(max(size - 1, 1))
    return {
        "default.replication.factor": copies,
        "min.insync.replicas": in_sync,
        "offsets.topic.replication.factor": copies,
        "transaction.state.log.replication.factor": copies,
        "transaction.state.log.min.isr": in_sync,
        "replica.lag.time.max.ms": "4000",
    }


def _listeners(broker: LocalKafka, advertised: int) -> dict[str, str]:
    between = f"BETWEEN://127.0.0.1:{broker.spare_port}"
    return {
        "listeners": f"PLAINTEXT://127.0.0.1:{broker.port},CONTROLLER://127.0.0.1:{broker.controller_port},{between}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{advertised},{between}",
        "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,BETWEEN:PLAINTEXT",
        "inter.broker.listener.name": "BETWEEN",
    }
