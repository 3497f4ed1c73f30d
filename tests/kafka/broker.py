"""A real Apache Kafka of one node as a child process, for tests that stop, kill and freeze it.

`python -m tests.kafka.broker` (`make kafka`) runs one in the foreground for a developer.
"""

import argparse
import atexit
import base64
import itertools
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Self

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from tests.kafka.libraries import LOCAL, BrokerUnavailableError, java, kafka_libraries, kafka_version

_ANSWER_SECONDS = 60.0
_STOP_SECONDS = 30.0
_FORMAT_SECONDS = 60.0
_POLL_SECONDS = 0.1
_PORTS = range(20_000, 32_000)
"""Below those that systems give to whoever asks for any: a broker's stays its own before its start, and while it is down."""
_QUICK_START = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
_FAST_RUN = ("-XX:+UseSerialGC",)


class LocalKafka(AbstractContextManager["LocalKafka"]):
    """One broker with its data in `directory`; port and data stay the same over `stop`, `kill` and `start`.

    `for_speed` gives the compiler its second stage: slower to start, honest latencies, for benchmarks. `properties`
    are added to the server's, and win; they may be changed until the first start. `cluster` is the id of the cluster that
    it belongs to. Raises `BrokerUnavailableError` where Java, Maven or the jars cannot be had.
    """

    def __init__(
        self,
        directory: Path,
        *,
        for_speed: bool = False,
        properties: dict[str, str] | None = None,
        cluster: str | None = None,
    ) -> None:
        self._directory = directory
        self._flags = (_FAST_RUN if for_speed else _QUICK_START) + ("-Xmx512m",)
        self.properties = dict(properties or {})
        self._cluster = cluster or cluster_id()
        self._port, self.controller_port, self.spare_port = _free_ports()
        self._process: subprocess.Popen[bytes] | None = None
        self._java = java()
        self._class_path = f"{kafka_libraries(kafka_version())}/*"

    @property
    def bootstrap(self) -> str:
        """The broker's address, `127.0.0.1:PORT`."""
        return f"127.0.0.1:{self._port}"

    @property
    def log(self) -> Path:
        """The file with everything that the broker printed."""
        return self._directory / "broker.log"

    @property
    def port(self) -> int:
        """Where clients are answered."""
        return self._port

    @property
    def process_id(self) -> int:
        """The process id of the running broker."""
        return self._running().pid

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.kill()

    def start(self, *, wait: bool = True) -> None:
        """Start the broker, and wait until it answers unless told not to."""
        if self._process is not None:
            raise RuntimeError("the broker is running already")
        settings = self._formatted()
        atexit.register(self.kill)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*self._command(*self._flags), "kafka.Kafka", str(settings)], stdout=log, stderr=log
            )
        if wait:
            self.wait_until_it_answers()

    def wait_until_it_answers(self) -> None:
        """Return when a client has been told the topics; raises with the end of the log if that never happens."""
        deadline = time.monotonic() + _ANSWER_SECONDS
        admin = AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0, "reconnect.backoff.max.ms": 200})
        while True:
            if self._running().poll() is not None or time.monotonic() > deadline:
                raise BrokerUnavailableError(f"the broker does not answer:\n{self.log.read_text()[-3000:]}")
            try:
                if admin.list_topics(timeout=1).brokers:
                    return
            except KafkaException:
                time.sleep(_POLL_SECONDS)

    def stop(self) -> None:
        """Stop the broker in good order (SIGTERM), and wait until it is gone."""
        process = self._running()
        process.send_signal(signal.SIGTERM)
        process.wait(_STOP_SECONDS)
        self._gone()

    def kill(self) -> None:
        """Kill the broker (SIGKILL); does nothing if there is none."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._gone()

    def wait_until_it_ends(self, within_seconds: float) -> bool:
        """Wait for a broker that ends by itself, as one does that cannot write; whether it did, or was killed for not."""
        try:
            self._running().wait(within_seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            return False
        self._gone()
        return True

    def restart(self) -> None:
        """Stop in good order and start again on the same data and port."""
        self.stop()
        self.start()

    def freeze(self) -> None:
        """Stop the broker's clockwork (SIGSTOP): connections stay open, nothing answers."""
        self._running().send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen broker go on."""
        self._running().send_signal(signal.SIGCONT)

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise RuntimeError("the broker is not running")
        return self._process

    def _gone(self) -> None:
        self._process = None
        atexit.unregister(self.kill)

    def _command(self, *flags: str) -> list[str]:
        quiet = "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"
        return [self._java, *flags, quiet, "-cp", self._class_path]

    def _formatted(self) -> Path:
        """The settings file, with the data directory formatted if it is new."""
        data = self._directory / "data"
        settings = self._directory / "server.properties"
        if data.exists():
            return settings
        self._directory.mkdir(parents=True, exist_ok=True)
        text = (LOCAL / "server.properties").read_text(encoding="utf-8")
        for name, value in (("port", self._port), ("controller_port", self.controller_port), ("data", data)):
            text = text.replace(f"{{{name}}}", str(value))
        text += "".join(f"{name}={value}\n" for name, value in self.properties.items())
        settings.write_text(text, encoding="utf-8")
        format_data = [*self._command(*_QUICK_START, "-Xmx128m"), "kafka.tools.StorageTool", "format"]
        told = subprocess.run(
            [*format_data, "-t", self._cluster, "-c", str(settings)],
            capture_output=True,
            text=True,
            timeout=_FORMAT_SECONDS,
            check=False,
        )
        if told.returncode != 0:
            raise BrokerUnavailableError(f"the broker's data directory cannot be made:\n{told.stderr[-2000:]}")
        return settings


def cluster_id() -> str:
    """A new one. A leading zero byte begins it with "A": an id that begins with a dash would be read as an option."""
    return base64.urlsafe_b64encode(b"\x00" + secrets.token_bytes(15)).decode().rstrip("=")


def _free_ports() -> tuple[int, int, int]:
    """Three ports, free just now, that nobody is given who asks for any."""
    one, other, third = itertools.islice(filter(_is_free, secrets.SystemRandom().sample(_PORTS, len(_PORTS))), 3)
    return one, other, third


def _is_free(port: int) -> bool:
    with socket.socket() as tried:
        try:
            tried.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def main() -> int:
    """Run a broker until Ctrl-C; its data is gone afterwards."""
    parser = argparse.ArgumentParser(description="A local Apache Kafka for development, on a free port.")
    parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="medlist-kafka-") as directory:
        try:
            broker = LocalKafka(Path(directory))
        except BrokerUnavailableError as unavailable:
            print(unavailable, file=sys.stderr)
            return 1
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        with broker:
            print(f"Apache Kafka {kafka_version()} answers; Ctrl-C ends it. For medlist and its tests:")
            print(f"  export MEDLIST_KAFKA={broker.bootstrap}", flush=True)
            try:
                signal.pause()
            except KeyboardInterrupt:
                print("stopping")
    return 0


if __name__ == "__main__":
    sys.exit(main())
