"""How fast lists are rebuilt from the facts and compared with the live ones, by the command itself."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from confluent_kafka import Producer

from contracts.topics import FACT
from tests.benchmarks._catching_up import LONGEST_SECONDS, Backlog
from tests.system.medlist import Medlist
from tests.system.process import DEADLINE_SECONDS


def measure_rebuild(kafka: str, directory: Path, backlog: Backlog) -> dict[str, Any]:
    """What `medlist rebuild --verify --json` says of a deployment that has taken the backlog in; its stream goes on running."""
    medlist = Medlist(kafka, directory)
    medlist.create_topics()
    producer = Producer({"bootstrap.servers": kafka, "enable.idempotence": True, "log_level": 0})
    for partition, value in backlog.records:
        producer.produce(medlist.settings.topic(FACT), value, partition=partition)
        producer.poll(0)
    if producer.flush(DEADLINE_SECONDS):
        raise TimeoutError("the backlog could not be written")
    with medlist.role("reconciler") as reconciler:
        reconciler.wait_for("/caught-up", LONGEST_SECONDS)
        told = subprocess.run(
            [sys.executable, "-m", "streams.command", "rebuild", "--verify", "--json"],
            env=os.environ | medlist.variables,
            capture_output=True,
            text=True,
            timeout=LONGEST_SECONDS,
            check=False,
        )
        reconciler.end()
    found: dict[str, Any] = json.loads(told.stdout.splitlines()[-1])
    return found
