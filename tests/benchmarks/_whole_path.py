"""From single messages, a fact each, to lists: intake and reconciler together, and the intake alone, against bare loops.

The messages are a region's mix (`renamed_mix`) in the one shape that our intake reads without checking it, as the reconciler
forwards facts: so what is measured is the path, and not the reader of a vendor's format, which costs more than all of it.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
from confluent_kafka import Consumer, TopicPartition

from connectors.kafka.clients import reader_config
from connectors.pseudonym import pseudonymiser
from contracts.envelope import encode_fact
from contracts.topics import FORWARD, QUARANTINE
from streams.command.composition import Role
from streams.simulate.load import renamed_mix
from tests.benchmarks._catching_up import (
    LONGEST_SECONDS,
    SEED,
    Run,
    alternating,
    over_best,
    produce_all,
    wait_until_caught_up,
)
from tests.benchmarks._engine_process import Took
from tests.system.medlist import PARTITIONS, PSEUDONYM_KEY, Medlist
from tests.system.process import Process

SIMULATED_PATIENTS = 256
BARE_BATCHES = (500, 5000)
"""Messages that the bare loops take at once; the better of them is what we are held against."""

Messages = Sequence[bytes]


def mixed_messages(facts: int) -> Messages:
    """So many facts, each forwarded to the patient whom it is about anyway."""
    mix = islice(renamed_mix(SEED, SIMULATED_PATIENTS, pseudonymiser(PSEUDONYM_KEY.encode())), facts)
    return [encode_fact(msgspec.structs.replace(fact, forwarded_to=fact.patient)) for fact in mix]


def deployed(kafka: str, directory: Path, messages: Messages) -> Medlist:
    """A fresh deployment with the messages waiting, spread over the partitions without regard to patients."""
    medlist = Medlist(kafka, directory)
    medlist.create_topics()
    topic = medlist.settings.topic(FORWARD)
    produce_all(
        medlist.settings.kafka_client() | {"enable.idempotence": True, "compression.type": "none"},
        ((topic, number % PARTITIONS, value, None) for number, value in enumerate(messages)),
    )
    return medlist


def run_bare(kafka: str, messages: Messages, kind: str, batch_messages: int) -> Run:
    """The bare loop of a kind through the messages."""
    with tempfile.TemporaryDirectory() as name:
        medlist = deployed(kafka, Path(name), messages)
        done = subprocess.run(
            [sys.executable, "-m", "tests.benchmarks._bare_path", kind, str(batch_messages)],
            env=os.environ | medlist.variables,
            check=True,
            stdout=subprocess.PIPE,
            text=True,
            timeout=LONGEST_SECONDS,
        )
        medlist.delete_topics()
    took = msgspec.convert(json.loads(done.stdout), Took)
    return Run(len(messages) / took.seconds, took.cpu_seconds / len(messages) * 1e6)


def run_ours(kafka: str, messages: Messages, roles: Sequence[Role]) -> Run:
    """The real processes through the messages: from the intake's first partition until all of them have nothing left."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        medlist = deployed(kafka, Path(name), messages)
        processes: dict[Role, Process] = {}
        for role in roles:
            processes[role] = stack.enter_context(medlist.role(role))
            if role != "intake":
                wait_until_caught_up(processes[role])  # waits for facts that are not there yet
        started = datetime.fromisoformat(processes["intake"].line_of("intake.assigned")["at"])
        cpu = sum(process.cpu_seconds() for process in processes.values())
        for role in ("intake", *roles):  # the intake's end is what the others' end depends on
            wait_until_caught_up(processes[role])
        seconds = (datetime.now(started.tzinfo) - started).total_seconds()
        used = sum(process.cpu_seconds() for process in processes.values()) - cpu
        refused = quarantined(medlist)
        for process in processes.values():
            process.end()
        medlist.delete_topics()
    if refused:
        raise ValueError(f"{refused} messages of the benchmark are in quarantine")
    return Run(len(messages) / seconds, used / len(messages) * 1e6)


def quarantined(medlist: Medlist) -> int:
    """How many records the quarantine has; none is expected."""
    consumer = Consumer(reader_config(medlist.settings, "benchmark"))
    topic = medlist.settings.topic(QUARANTINE)
    ends = [consumer.get_watermark_offsets(TopicPartition(topic, p), timeout=30.0)[1] for p in range(PARTITIONS)]
    consumer.close()
    return sum(ends)


def compare_path(kafka: str, facts: int, rounds: int, tell: Callable[[str], None]) -> Mapping[str, Any]:
    """Whole path and intake, each against bare loops of its own, in alternating rounds: ratios, medians, rounds."""
    messages = mixed_messages(facts)
    found: dict[str, Any] = {"facts": facts}
    roles: dict[str, tuple[Role, ...]] = {"path": ("reconciler", "intake"), "intake": ("intake",)}
    for kind, ours in roles.items():
        ways: dict[str, Callable[[], Run]] = {
            f"bare_{size}_messages": partial(run_bare, kafka, messages, kind, size) for size in BARE_BATCHES
        }
        ways["medlist"] = partial(run_ours, kafka, messages, ours)
        figures = alternating(ways, rounds, partial(tell_of, tell, kind))
        found[kind] = {"ratio": over_best(figures, "medlist"), **figures}
    return found


def tell_of(tell: Callable[[str], None], kind: str, text: str) -> None:
    """Say what the text is about."""
    tell(f"{kind}, {text}")
