"""The whole path at a steady rate: from a vendor's message to the committed list, and to NLL's acceptance."""

import time
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from confluent_kafka import OFFSET_END, Consumer, Producer, TopicPartition

from connectors.kafka.clients import reader_config
from connectors.pseudonym import pseudonymiser
from contracts.publication import decode_publication
from contracts.topics import LIST, PUBLISH
from streams.command.composition import Role
from tests.benchmarks._results import percentiles
from tests.system.medlist import PARTITIONS, Medlist, sandbox
from tests.system.messages import HOSPITAL_TOPIC, person, prescription
from tests.system.process import DEADLINE_SECONDS, Process

WARM_UP_MESSAGES = 100
MEASURED: tuple[Role, ...] = ("intake", "reconciler", "publisher")
WAIT_SECONDS = 30.0
KEEPS_UP = 0.98
"""The share of messages that must have come through within `WAIT_SECONDS`, or the rate does not hold."""


class LivePath:
    """Sends one prescription each for new patients; notes when their lists are committed, and when NLL has accepted."""

    def __init__(self, medlist: Medlist) -> None:
        settings = medlist.settings
        self._pseudonym = pseudonymiser(settings.pseudonym_secret())
        self._topic = settings.topic(HOSPITAL_TOPIC)
        self._list_topic = settings.topic(LIST)
        self._producer = Producer(settings.kafka_client() | {"enable.idempotence": True, "linger.ms": 0})
        config = reader_config(settings, "benchmark") | {"fetch.wait.max.ms": 5}
        self._consumer = Consumer(config)
        topics = (self._list_topic, settings.topic(PUBLISH))
        self._consumer.assign([TopicPartition(name, p, OFFSET_END) for name in topics for p in range(PARTITIONS)])
        self._consumer.poll(1.0)
        self._persons = 0
        self.sent: dict[str, float] = {}
        self.listed: dict[str, float] = {}
        self.accepted: dict[str, float] = {}

    def run(self, messages: int, per_second: float) -> None:
        """Send so many messages at this rate, and read until all have come through or `WAIT_SECONDS` have passed."""
        self.sent, self.listed, self.accepted = {}, {}, {}
        begun = time.monotonic()
        for number in range(messages):
            while time.monotonic() < begun + number / per_second:
                self._read(0.001)
            self._send()
        deadline = time.monotonic() + WAIT_SECONDS
        while len(self.accepted) < messages and time.monotonic() < deadline:
            self._read(0.005)

    def close(self) -> None:
        """Stop reading."""
        self._consumer.close()

    def _send(self) -> None:
        index = self._persons
        self._persons += 1
        patient = self._pseudonym(person(index))
        value = prescription(index, str(index), datetime.now(UTC))
        self.sent[patient] = time.monotonic()
        self._producer.produce(self._topic, value, partition=index % PARTITIONS)
        self._producer.poll(0)

    def _read(self, wait_seconds: float) -> None:
        messages = self._consumer.consume(100, wait_seconds)
        now = time.monotonic()
        for message in messages:
            if message.error() is not None:
                continue
            patient = (message.key() or b"").decode()
            if message.topic() == self._list_topic:
                self.listed.setdefault(patient, now)
            elif decode_publication(message.value() or b"").state == "published":
                self.accepted.setdefault(patient, now)


def measure_live(kafka: str, directory: Path, seconds_by_rate: Mapping[int, float]) -> dict[str, Any]:
    """Latencies in milliseconds by rate (messages a second): to the list and to the acceptance, and whether the rate holds."""
    found: dict[str, Any] = {}
    with ExitStack() as stack:
        nll = stack.enter_context(sandbox(directory))
        medlist = Medlist(kafka, directory, nll=nll.url)
        medlist.create_topics()
        roles: dict[str, Process] = {role: stack.enter_context(medlist.role(role)) for role in MEASURED}
        for process in roles.values():
            process.wait_for("/ready", DEADLINE_SECONDS)
        processes = {**roles, "nll_sandbox": nll.process}
        live = LivePath(medlist)
        live.run(WARM_UP_MESSAGES, min(seconds_by_rate))
        for rate, seconds in seconds_by_rate.items():
            before = {name: process.cpu_seconds() for name, process in processes.items()}
            live.run(round(rate * seconds), rate)
            used = {name: process.cpu_seconds() - before[name] for name, process in processes.items()}
            found[str(rate)] = figures(live) | {
                "cpu_ms_per_message": {name: round(cpu * 1000 / len(live.sent), 2) for name, cpu in used.items()}
            }
        live.close()
    return found


def figures(live: LivePath) -> dict[str, Any]:
    """Percentiles of one run; without them when too little came through."""
    holds = len(live.accepted) >= KEEPS_UP * len(live.sent)
    told: dict[str, Any] = {"messages": len(live.sent), "accepted": len(live.accepted), "holds": holds}
    for name, seen in (("list", live.listed), ("accepted_publish", live.accepted)):
        if len(seen) > 1:  # percentiles need two
            told[name] = percentiles([(at - live.sent[patient]) * 1000 for patient, at in seen.items()])
    return told
