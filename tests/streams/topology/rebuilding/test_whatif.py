"""What other rules would change, over everything that a deployment has recorded."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.resources import files
from itertools import islice
from pathlib import Path

import pytest
from confluent_kafka import Producer

from contracts.envelope import encode_fact
from contracts.topics import FACT
from streams.command.whatif import of_file
from streams.reconcile.policy import default_rules, parse_rules
from streams.simulate.load import region_mix
from tests.benchmarks._catching_up import SEED, reconciling_backlog
from tests.system.medlist import Medlist

pytestmark = pytest.mark.kafka

FACTS = 1500
DEADLINE_SECONDS = 120


@pytest.fixture
def medlist(kafka: str, tmp_path: Path) -> Iterator[Medlist]:
    """A deployment of its own whose fact topic holds a region's facts."""
    deployment = Medlist(kafka, tmp_path)
    deployment.create_topics()
    producer = Producer({"bootstrap.servers": deployment.settings.kafka, "enable.idempotence": True})
    for partition, value in reconciling_backlog(FACTS).records:
        producer.produce(deployment.settings.topic(FACT), value, partition=partition)
    assert producer.flush(60) == 0
    yield deployment
    deployment.delete_topics()


@pytest.fixture
def other_rules(tmp_path: Path) -> Path:
    """Rules under which entries count as held at once only after a hundred days together."""
    folder = tmp_path / "other"
    shutil.copytree(str(files("streams.reconcile") / "rules"), folder)
    rules = folder / "default.toml"
    text = rules.read_text(encoding="utf-8")
    assert text.count("overlap_tolerance_hours = 24") == 1
    rules.write_text(text.replace("overlap_tolerance_hours = 24", "overlap_tolerance_hours = 2400"))
    return folder


def test_recorded_facts_differ_as_the_same_facts_in_a_file_do(
    medlist: Medlist, other_rules: Path, tmp_path: Path
) -> None:
    """Patient by patient the very changes that the pure comparison of the same facts finds; and there are some."""
    facts = list(islice(region_mix(SEED), FACTS))
    at = max(fact.received_at for fact in facts)
    path = tmp_path / "facts.ndjson"
    path.write_bytes(b"".join(encode_fact(fact) + b"\n" for fact in facts))
    rules = (
        default_rules(),
        parse_rules((other_rules / "default.toml").read_bytes(), (other_rules / "precedence.csv").read_bytes()),
    )
    ((patients, expected),) = of_file(path, rules, at)

    command = [sys.executable, "-m", "streams.command", "whatif", "--recorded", "--json"]
    told = subprocess.run(
        [*command, "--rules", "default", "--rules", str(other_rules), "--valid-at", at.isoformat()],
        env=os.environ | medlist.variables,
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
        check=True,
    )

    *found, totals = [json.loads(line) for line in told.stdout.splitlines()]
    assert expected
    assert {one["patient"]: len(one["changes"]) for one in found} == {d.patient: len(d.changes) for d in expected}
    assert (totals["patients"], totals["differ"]) == (patients, len(expected))
    assert "partitions done" in told.stderr
