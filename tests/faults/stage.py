"""Everything that a fault can strike: broker behind a proxy, NLL's sandbox, the deployment's processes, its vendor."""

import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec

from tests.faults.load import Vendor
from tests.faults.members import Members
from tests.faults.plants import Plant
from tests.faults.proxy import Proxy
from tests.kafka.broker import LocalKafka
from tests.system.medlist import Medlist, Sandbox, address_of
from tests.system.process import Process

RECONCILERS = 2
READY_SECONDS = 120.0


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """What a stage is set up with: the vendor's random sequence and messages a second, and faults that are planted."""

    seed: int
    per_second: float = 20.0
    plants: tuple[Plant, ...] = ()


class Endpoint:
    """NLL's sandbox with its storage in a file, so that it can be killed and started again on the same port."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._port = 0
        self._process = self._start()
        self.sandbox = Sandbox(self._process, address_of(self._process))
        self._port = int(self.sandbox.url.rpartition(":")[2])

    def kill(self) -> None:
        """Kill it."""
        self._process.popen.kill()
        self._process.popen.wait()

    def start(self) -> None:
        """Start it again."""
        self._process = self._start()
        address_of(self._process)

    def _start(self) -> Process:
        command = [sys.executable, "-m", "connectors.nll_sandbox", "--port", str(self._port)]
        database = self._directory / "sandbox.sqlite"
        return Process([*command, "--database", str(database)], self._directory / "sandbox.log")


class Stage:
    """What a run has in its hands."""

    def __init__(self, directory: Path, broker: LocalKafka, proxy: Proxy, setting: Setting) -> None:
        self.directory = directory
        self.broker = broker
        self.proxy = proxy
        self.endpoint = Endpoint(directory)
        self.medlist = Medlist(f"127.0.0.1:{proxy.port}", directory, nll=self.endpoint.sandbox.url)
        self.members = Members(self.medlist, RECONCILERS, setting.plants)
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

    def heal(self) -> None:
        """Take every standing fault back; what has ended is started again by the supervision."""
        self.proxy.mode = "pass"
        self.endpoint.sandbox.tell("faults", {})


@contextmanager
def running_stage(directory: Path, setting: Setting) -> Iterator[Stage]:
    """Everything up, the vendor not yet sending; all of it gone at the end."""
    with ExitStack() as stack:
        proxy = Proxy()
        stack.callback(proxy.close)
        advertised = {"advertised.listeners": f"PLAINTEXT://127.0.0.1:{proxy.port}"}
        broker = LocalKafka(directory / "broker", properties=advertised)
        proxy.upstream = ("127.0.0.1", int(broker.bootstrap.rpartition(":")[2]))
        stack.enter_context(broker)
        stage = Stage(directory, broker, proxy, setting)
        stack.callback(stage.endpoint.kill)
        for member in stage.members.of():
            stack.callback(member.kill)
        stage.start()
        yield stage
