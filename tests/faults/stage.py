"""Everything that a fault can strike: brokers behind proxies, NLL's sandbox, the deployment's processes, its vendor."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec
from confluent_kafka.admin import AdminClient

from connectors.kafka.clients import client_config
from tests.faults.clock import Clock
from tests.faults.load import Vendor
from tests.faults.members import Members
from tests.faults.plants import Plant
from tests.faults.proxy import Proxy
from tests.kafka.cluster import LocalCluster
from tests.system.medlist import Medlist, Sandbox, address_of
from tests.system.process import Process

RECONCILERS = 2
READY_SECONDS = 120.0
ADMIN_SECONDS = 30.0


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """What a stage is set up with: the vendor's random sequence and messages a second, brokers, and faults that are planted."""

    seed: int
    per_second: float = 20.0
    brokers: int = 1
    """With three every record is on all of them, and any one may be lost."""
    plants: tuple[Plant, ...] = ()


class Endpoint:
    """NLL's sandbox with its storage in a file, so that it can be killed and started again on the same port."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._port = 0
        self._process: Process | None = None
        self._sandbox: Sandbox | None = None

    @property
    def sandbox(self) -> Sandbox:
        """The sandbox, once it was started."""
        if self._sandbox is None:
            raise RuntimeError("the endpoint was never started")
        return self._sandbox

    def kill(self) -> None:
        """Kill it, if it runs."""
        if self._process is not None:
            self._process.popen.kill()
            self._process.popen.wait()
            self._process = None

    def start(self) -> None:
        """Start it, again on the port that it had, and wait until it answers."""
        command = [sys.executable, "-m", "connectors.nll_sandbox", "--port", str(self._port)]
        database = self._directory / "sandbox.sqlite"
        self._process = Process([*command, "--database", str(database)], self._directory / "sandbox.log")
        self._sandbox = Sandbox(self._process, address_of(self._process))
        self._port = int(self._sandbox.url.rpartition(":")[2])


class Network:
    """Brokers, each behind a proxy that its clients are sent to."""

    def __init__(self, directory: Path, brokers: int) -> None:
        self.proxies = [Proxy() for _ in range(brokers)]
        self.cluster = LocalCluster(directory / "brokers", brokers, advertised=[proxy.port for proxy in self.proxies])
        for proxy, broker in zip(self.proxies, self.cluster.brokers, strict=True):
            proxy.upstream = ("127.0.0.1", broker.port)

    def start(self) -> None:
        """Start the brokers."""
        self.cluster.start()

    def close(self) -> None:
        """End all of it."""
        self.cluster.close()
        for proxy in self.proxies:
            proxy.close()


class Stage:
    """What a run has in its hands."""

    def __init__(self, directory: Path, network: Network, endpoint: Endpoint, setting: Setting) -> None:
        self.directory = directory
        self.brokers = network.cluster.brokers
        self.proxies = network.proxies
        self.endpoint = endpoint
        self.clock = Clock(directory)
        self.medlist = Medlist(network.cluster.bootstrap, directory, nll=endpoint.sandbox.url)
        environment = os.environ | self.medlist.variables | dict(self.clock.variables)
        self.members = Members(self.medlist, RECONCILERS, setting.plants, environment)
        self.vendor = Vendor(self.medlist, setting.seed, setting.per_second)

    def start(self) -> None:
        """Create the topics, start everything, and wait until it is ready."""
        self.medlist.create_topics()
        for member in self.members.of():
            member.start()
        deadline = time.monotonic() + READY_SECONDS
        for member in self.members.of():
            if member.process is not None:
                member.process.wait_for("/ready", deadline - time.monotonic())

    def admin(self) -> AdminClient:
        """A client that has just learned the brokers. Raises `KafkaException` when none answers."""
        client = AdminClient(client_config(self.medlist.settings))
        client.list_topics(timeout=ADMIN_SECONDS)
        return client

    def heal(self) -> None:
        """Take every standing fault back; what has ended is started again by the supervision."""
        for proxy in self.proxies:
            proxy.mode = "pass"
        self.clock.move(0)
        self.endpoint.sandbox.tell("faults", {})


@contextmanager
def running_stage(directory: Path, setting: Setting) -> Iterator[Stage]:
    """Everything up, the vendor not yet sending; all of it gone at the end, also when it never came up."""
    with ExitStack() as stack:
        network = Network(directory, setting.brokers)
        stack.callback(network.close)
        network.start()
        endpoint = Endpoint(directory)
        stack.callback(endpoint.kill)
        endpoint.start()
        stage = Stage(directory, network, endpoint, setting)
        stack.callback(stage.members.kill)
        stage.start()
        yield stage
