"""The whole path at a steady rate: from a vendor's message to the committed list, and to NLL's acceptance.

Four kinds of load:
- `mixed`: of six messages five are administrations, which change the list and ask nothing of NLL, and one is a new dosage of a
  prescription that NLL has accepted before. So it is in a region's mix (`medlist score`'s simulation: one fact in six is a
  prescription; the others are administrations, dispenses, orders and what pharmacies deliver);
- `hot`: as `mixed`, but every other message is one more dose of one and the same patient; what is told is of the others;
- `changed`: every message is such a new dosage;
- `new`: every message is another new patient's first prescription, which costs NLL a create and the lookups before it.
"""

import os
import time
from collections import deque
from contextlib import ExitStack
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal, get_args

import msgspec
from confluent_kafka import OFFSET_END, Consumer, Message, Producer, TopicPartition

from connectors.kafka.clients import reader_config
from connectors.pseudonym import pseudonymiser
from contracts.publication import decode_publication
from contracts.topics import LIST, PUBLISH
from streams.command.composition import Role
from tests.benchmarks._rebuilding import bytes_of_topics
from tests.benchmarks._results import Busy, percentiles
from tests.kafka.broker import LocalKafka
from tests.system.medlist import PARTITIONS, Medlist, sandbox
from tests.system.messages import HOSPITAL_TOPIC, administration, dosage_text, person, prescription
from tests.system.process import DEADLINE_SECONDS, Process

MEASURED: tuple[Role, ...] = ("intake", "reconciler", "publisher")
WAIT_SECONDS = 30.0
HOLDS_SECONDS = 1.0
KEEPS_UP = 0.98
"""The share of messages that must have come through `HOLDS_SECONDS` after the last was sent, or the rate does not hold."""

ONE_CORE = 0.9
ALL_CORES_PERCENT = 90.0

Kind = Literal["mixed", "hot", "changed", "new"]
ONE_PRESCRIPTION_IN = 6
HOT_PATIENT = 100_000


class Load(msgspec.Struct, frozen=True):
    """So many messages a second for so long; those about known patients go around among the ones that are settled."""

    kind: Kind
    per_second: int
    seconds: float

    @property
    def followed_per_second(self) -> float:
        """Messages whose way is followed."""
        return self.per_second / 2 if self.kind == "hot" else self.per_second


WARM_UP = Load("new", 80, 15.0)
"""Long enough for the broker's compiler: a cold one takes four times the CPU, for half a minute."""

LOADS = (
    Load("mixed", 50, 15.0),
    Load("changed", 50, 15.0),
    Load("new", 50, 10.0),
    Load("mixed", 200, 15.0),
    Load("hot", 200, 15.0),
    Load("changed", 200, 15.0),
    Load("new", 200, 10.0),
    Load("mixed", 500, 10.0),
    Load("changed", 500, 5.0),
    Load("new", 500, 10.0),
)
"""What may not hold comes last, so that what it leaves behind disturbs nothing."""


class Patient(msgspec.Struct):
    """One patient of the load: what was sent last, and when it was sent, stood on the list, and was accepted."""

    index: int
    version: int = 0
    """Of the prescription."""
    given: int = 0
    """Doses."""
    shows: bytes = b""
    """What only lists that hold it contain. Nothing else is under way for the patient, so of a dose the next list is the one."""
    sent: float = 0.0
    listed: float | None = None
    accepted: float | None = None
    hashes: set[str] = msgspec.field(default_factory=set)
    """Of lists that hold the version."""
    published: tuple[str, float] = ("", 0.0)
    """The hash of the list that was published last, and when that was seen."""


class LivePath:
    """Sends prescriptions; notes when lists that hold them are committed, and when NLL has accepted one of those lists."""

    def __init__(self, medlist: Medlist) -> None:
        settings = medlist.settings
        self._pseudonym = pseudonymiser(settings.pseudonym_secret())
        self._topic = settings.topic(HOSPITAL_TOPIC)
        self._list_topic = settings.topic(LIST)
        self._producer = Producer(settings.kafka_client() | {"enable.idempotence": True, "linger.ms": 0})
        self._consumer = Consumer(reader_config(settings, "benchmark") | {"fetch.wait.max.ms": 50})
        topics = (self._list_topic, settings.topic(PUBLISH))
        self._consumer.assign([TopicPartition(name, p, OFFSET_END) for name in topics for p in range(PARTITIONS)])
        self._consumer.poll(1.0)
        self._persons = 0
        self._hot_doses = 0
        self._open: dict[str, Patient] = {}
        self._done: deque[Patient] = deque()
        self.ran: list[Patient] = []

    def run(self, load: Load) -> float:
        """Send what the load says and read until all has come through or `WAIT_SECONDS` have passed; when sending ended."""
        self.ran = []
        begun = time.monotonic()
        for number in range(round(load.per_second * load.seconds)):
            while time.monotonic() < begun + number / load.per_second or (load.kind != "new" and not self._done):
                self._read(0.001)
            if load.kind == "hot" and number % 2:
                self._heat()
            else:
                self._send(load.kind, number if load.kind != "hot" else number // 2)
        ended = time.monotonic()
        while self._open and time.monotonic() < ended + WAIT_SECONDS:
            self._read(0.005)
        self._open.clear()
        return ended

    def close(self) -> None:
        """Stop."""
        self._producer.flush(DEADLINE_SECONDS)
        self._consumer.close()

    def _send(self, kind: Kind, number: int) -> None:
        now = datetime.now(UTC)
        if kind == "new":
            patient = Patient(self._persons, version=-1)
            self._persons += 1
        else:
            known = self._done.popleft()
            patient = Patient(known.index, known.version, known.given)
        order = str(patient.index)
        if kind in {"mixed", "hot"} and number % ONE_PRESCRIPTION_IN:
            patient.given += 1
            value = administration(patient.index, order, now, patient.given)
        else:
            patient.version += 1
            patient.shows = dosage_text(patient.version).encode()
            value = prescription(patient.index, order, now, patient.version)
        self.ran.append(patient)
        self._open[self._pseudonym(person(patient.index))] = patient
        patient.sent = time.monotonic()
        self._put(patient.index, value)

    def _heat(self) -> None:
        """One more dose of the hot patient."""
        self._hot_doses += 1
        self._put(HOT_PATIENT, administration(HOT_PATIENT, str(HOT_PATIENT), datetime.now(UTC), self._hot_doses))

    def _put(self, index: int, value: bytes) -> None:
        self._producer.produce(self._topic, value, partition=index % PARTITIONS)
        self._producer.poll(0)

    def _read(self, wait_seconds: float) -> None:
        messages = self._consumer.consume(100, wait_seconds)
        now = time.monotonic()
        for message in messages:
            name = (message.key() or b"").decode() if message.error() is None else ""
            patient = self._open.get(name)
            if patient is not None:
                self._note(patient, message, now)
                if patient.accepted is not None:
                    self._done.append(self._open.pop(name))

    def _note(self, patient: Patient, message: Message, now: float) -> None:
        value = message.value() or b""
        if message.topic() == self._list_topic:
            if patient.shows not in value:
                return
            patient.hashes.add(sha256(value).hexdigest())
            patient.listed = patient.listed or now
        else:
            publication = decode_publication(value)
            if publication.state == "published":
                patient.published = (publication.list_hash, now)
        found, at = patient.published  # either may come first: they are read from different partitions
        if found in patient.hashes:
            patient.accepted = at


def measure_live(broker: LocalKafka, directory: Path, broker_data: Path) -> dict[str, dict[str, Any]]:
    """By kind of load and rate (messages a second): latencies in milliseconds, whether the rate holds, and what limits it.

    `topic_bytes_per_message`: what a message costs on the broker's disk where hardly anything is packed together.
    """
    found: dict[str, dict[str, Any]] = {kind: {} for kind in get_args(Kind)}
    with ExitStack() as stack:
        nll = stack.enter_context(sandbox(directory))
        medlist = Medlist(broker.bootstrap, directory, nll=nll.url)
        medlist.create_topics()
        roles: dict[str, Process] = {role: stack.enter_context(medlist.role(role)) for role in MEASURED}
        for process in roles.values():
            process.wait_for("/ready", DEADLINE_SECONDS)
        ids = {name: process.popen.pid for name, process in roles.items()}
        ids |= {"nll_sandbox": nll.process.popen.pid, "broker": broker.process_id, "benchmark": os.getpid()}
        live = LivePath(medlist)
        live.run(WARM_UP)
        for load in LOADS:
            busy, before = Busy(ids), bytes_of_topics(broker_data, medlist)
            ended = live.run(load)
            told = found[load.kind][str(load.per_second)] = figures(live.ran, ended, busy, load.followed_per_second)
            after = bytes_of_topics(broker_data, medlist)
            told["topic_bytes_per_message"] = {
                name: round((after[name] - before[name]) / len(live.ran)) for name in after
            }
        live.close()
    return found


def figures(ran: list[Patient], ended: float, busy: Busy, per_second: float) -> dict[str, Any]:
    """One run in figures. Percentiles are of what came through; without `holds` they say little."""
    in_time = sum(each.accepted is not None and each.accepted <= ended + HOLDS_SECONDS for each in ran)
    came = [each.accepted for each in ran if each.accepted is not None]
    listed = [each.listed for each in ran if each.listed is not None]
    listed_in_time = sum(each.listed is not None and each.listed <= ended + HOLDS_SECONDS for each in ran)
    wanted = KEEPS_UP * len(ran)
    sent_per_second = len(ran) / (ended - ran[0].sent)
    holds = in_time >= wanted and sent_per_second >= KEEPS_UP * per_second
    told: dict[str, Any] = {"messages": len(ran), "listed": len(listed), "accepted": len(came), "holds": holds}
    told["sent_per_second"] = round(sent_per_second, 1)
    if len(came) > 1:
        begun = min(each.sent for each in ran)
        told["accepted_per_second"] = round(len(came) / (max(came) - begun), 1)
        told["list"] = percentiles([(each.listed - each.sent) * 1000 for each in ran if each.listed is not None])
        told["accepted_publish"] = percentiles(
            [(each.accepted - each.sent) * 1000 for each in ran if each.accepted is not None]
        )
    told["cpu_ms_per_message"] = {name: round(used * 1000 / len(ran), 2) for name, used in busy.cpu_seconds().items()}
    told["cores_used"] = busy.cores()
    if not holds:
        told["limited_by"] = limit_of(listed_in_time, wanted, busy)
    return told


def limit_of(listed_in_time: int, wanted: float, busy: Busy) -> str:
    """Where it waits when a rate does not hold, and what was used up. A process of ours cannot use more than one core."""
    where = "before the list" if listed_in_time < wanted else "between list and acceptance"
    cores = {name: used for name, used in busy.cores().items() if name != "broker"}
    name, used = max(cores.items(), key=lambda each: each[1])
    if used >= ONE_CORE:
        return f"{where}: {name} uses a whole core"
    if busy.percent() >= ALL_CORES_PERCENT:
        return f"{where}: all cores are busy, of these most with {name}"
    return f"{where}: waiting, no core is used up"
