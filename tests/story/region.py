"""A region on a real Kafka: topics, vendors that send the story, and medlist's own processes, started as anybody would."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType

from confluent_kafka import Producer
from pydantic import SecretStr

from connectors.kafka.clients import producer_config
from connectors.settings import Settings
from streams.command.composition import Composition
from streams.command.demo.observer import Observer
from streams.command.demo.story import Delivery

KEY = "a-key-of-tests-never-for-real-patients"
DEADLINE_SECONDS = 100.0


class Region(AbstractContextManager["Region"]):
    """Topics under a prefix, and the processes of medlist on them; all of them dead when the context ends."""

    def __init__(self, kafka: str, prefix: str, directory: Path) -> None:
        settings = Settings(
            kafka=kafka,
            topic_prefix=prefix,
            pseudonym_key=SecretStr(KEY),
            partitions=4,
            trust_received_at=True,
            intake_group=f"{prefix}intake",
            reconciler_group=f"{prefix}reconciler",
        )
        self.composition = Composition(settings=settings)
        self._directory = directory
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("MEDLIST_")},
            "MEDLIST_KAFKA": kafka,
            "MEDLIST_TOPIC_PREFIX": prefix,
            "MEDLIST_PSEUDONYM_KEY": KEY,
            "MEDLIST_PARTITIONS": "4",
            "MEDLIST_TRUST_RECEIVED_AT": "true",
            "MEDLIST_INTAKE_GROUP": f"{prefix}intake",
            "MEDLIST_RECONCILER_GROUP": f"{prefix}reconciler",
            "MEDLIST_INSTANCE_ID": f"{prefix}one",
        }
        self._processes: list[subprocess.Popen[bytes]] = []
        self._number = 0
        self.medlist("topics", "--apply")
        self.observer = Observer(self.composition)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for process in self._processes:
            process.kill()
            process.wait()
        self.observer.close()

    def medlist(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command of medlist to its end; it must succeed."""
        command = [sys.executable, "-m", "streams.command", *arguments]
        return subprocess.run(command, env=self._environment, capture_output=True, text=True, check=True)

    def run(self, role: str) -> subprocess.Popen[bytes]:
        """Start one of medlist's processes."""
        with self._log(role).open("ab") as log:
            command = [sys.executable, "-m", "streams.command", "run", role]
            process = subprocess.Popen(command, env=self._environment, stderr=log)
        self._processes.append(process)
        return process

    def send(self, deliveries: Iterable[Delivery]) -> int:
        """Send messages as their vendors would, each on its topic; how many were sent by now."""
        producer = Producer(producer_config(self.composition.settings))
        topics = {source.id: source.topic for source in self.composition.sources}
        for delivery in deliveries:
            self._number += 1
            headers = [(name, value) for name, value in delivery.headers if name != "medlist-message-id"]
            headers.append(("medlist-message-id", str(self._number)))
            topic = self.composition.settings.topic(topics[delivery.source])
            producer.produce(topic, delivery.value, headers=headers)
        assert producer.flush(DEADLINE_SECONDS) == 0
        return self._number

    def wait_until_answered(self, messages: int) -> None:
        """Return when so many messages were answered."""
        self.observer.wait(lambda: len(self.observer.acks) >= messages, "answers", DEADLINE_SECONDS, self._alive)

    def wait_for_the_list(self, messages: int) -> bytes:
        """Return the one patient's list once all messages are in it."""
        self.wait_until_answered(messages)
        self.observer.wait(self.observer.is_caught_up, "the list", DEADLINE_SECONDS, self._alive)
        (encoded,) = self.observer.lists.values()
        return encoded

    def applied(self) -> int:
        """How many records the reconciler was seen to have applied."""
        return sum(self.observer.positions.values())

    def wait_until_applied(self, more_than: int) -> None:
        """Return when the reconciler has stored a position beyond so many records."""
        self.observer.wait(lambda: self.applied() > more_than, "a position", DEADLINE_SECONDS, self._alive)

    def _alive(self) -> None:
        for process in self._processes:
            status = process.poll()
            assert status in {None, 0, -signal.SIGKILL}, f"a process ended with {status}:\n{self._logs()}"

    def _log(self, role: str) -> Path:
        return self._directory / f"{role}.log"

    def _logs(self) -> str:
        return "\n".join(log.read_text()[-2000:] for log in self._directory.glob("*.log"))


def stop(process: subprocess.Popen[bytes]) -> int:
    """Ask a process to stop, and wait; its exit status."""
    process.terminate()
    return process.wait(DEADLINE_SECONDS)
