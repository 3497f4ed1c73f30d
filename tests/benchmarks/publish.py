"""How fast lists reach NLL: `python -m tests.benchmarks.publish`; figures in `build/bench/publish.json`.

Two versions of each patient's list (two prescriptions; then one of them changed) go through a real Kafka and the publisher to the
sandbox in a process of its own. First as fast as it goes, all lists waiting: publishes a second. Then other patients at half
of that pace: from the list's record to the record that tells it is published. The share of the process's CPU time that is
spent in `fhir.resources`, which reads a sample of what is sent, is measured in both.
"""

import argparse
import hashlib
import os
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import msgspec
from confluent_kafka import Producer

from connectors.kafka.newest import records
from connectors.settings import Settings
from connectors.telemetry import configure
from contracts.medication_list import MedicationList, encode_list
from contracts.publication import decode_publication
from contracts.sources import DEFAULT_SOURCES
from contracts.topics import LIST, PUBLISH, PUBLISH_REQUEST
from mappings.fhir.medication_request import KnownPatient, Terms, medication_request
from mappings.fhir.validation import fhir_problems
from streams.publish import execute
from streams.topology.publisher import PublisherParts, run_publisher
from tests.benchmarks._results import machine, percentiles, write
from tests.faults.publishing import sandbox
from tests.kafka.found import some_broker
from tests.kafka.topics import create_topics
from tests.streams.publish.cases import (
    METOPROLOL_50,
    NOW,
    PARACETAMOL,
    TOKEN,
    dosage,
    line,
    replaced,
    standing,
    the_list,
)
from tests.streams.publish.population import person
from tests.streams.topology.publisher.wire import PARTITIONS, committed, eventually

PATIENTS: Final = 400
PACED_PATIENTS: Final = 150
WAIT_SECONDS: Final = 300.0


class Stopwatch:
    """Counts the time spent in the other FHIR implementation."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.calls = 0
        self._real = fhir_problems

    def __call__(self, resource: Any) -> Any:
        """As the real one, timed."""
        began = time.thread_time()
        try:
            return self._real(resource)
        finally:
            self.seconds += time.thread_time() - began
            self.calls += 1


def versions(number: int) -> tuple[MedicationList, MedicationList]:
    """A patient's list, and the same with one prescription changed."""
    who = person(number)
    one = standing(f"a-{number}", medication=METOPROLOL_50, person=who)
    other = standing(f"b-{number}", medication=PARACETAMOL, person=who)
    changed = replaced(one, dosage=dosage("2 tabletter varje morgon", "2"))
    first = the_list(line(one), line(other), patient=f"patient-{number}", person=who, rules="1")
    return first, the_list(line(changed), line(other), patient=f"patient-{number}", person=who, rules="2")


class Stand:
    """Kafka, sandbox and publisher, running."""

    def __init__(self, settings: Settings, stopwatch: Stopwatch) -> None:
        self.settings = settings
        self.stopwatch = stopwatch
        self._producer = Producer(settings.kafka_client() | {"acks": "all", "linger.ms": 0})
        self._sent = 0

    def send(self, one: MedicationList) -> None:
        """Put a list where the reconciler would."""
        partition = int(one.patient.rpartition("-")[2]) % PARTITIONS
        topic = self.settings.topic(LIST)
        self._producer.produce(topic, encode_list(one), key=one.patient.encode(), partition=partition)
        self._producer.poll(0)
        self._sent += 1

    def settle(self) -> None:
        """Wait until every list that was sent is published and committed."""
        assert self._producer.flush(30) == 0
        eventually(lambda: committed(self.settings) >= self._sent, "every list is committed", WAIT_SECONDS)

    def measured(self, lists: Sequence[MedicationList], writes: int, per_second: float | None = None) -> dict[str, Any]:
        """Send lists, at a pace or at once; what it took until all were settled."""
        began, cpu, fhir, calls = time.monotonic(), time.process_time(), self.stopwatch.seconds, self.stopwatch.calls
        for number, one in enumerate(lists):
            if per_second is not None:
                time.sleep(max(began + number / per_second - time.monotonic(), 0.0))
            self.send(one)
        self.settle()
        seconds, cpu_seconds = time.monotonic() - began, time.process_time() - cpu
        return {
            "lists": len(lists),
            "writes": writes,
            "seconds": round(seconds, 2),
            "publishes_per_second": round(len(lists) / seconds, 1),
            "writes_per_second": round(writes / seconds, 1),
            "cpu_seconds": round(cpu_seconds, 2),
            "cpu_milliseconds_per_publish": round(1000 * cpu_seconds / len(lists), 2),
            "fhir_resources_calls": self.stopwatch.calls - calls,
            "fhir_resources_share_of_cpu": round((self.stopwatch.seconds - fhir) / cpu_seconds, 4),
        }

    def latencies(self, lists: Sequence[MedicationList]) -> dict[str, float]:
        """From a list's record to the record that tells it is published, in milliseconds, by the brokers' timestamps."""
        hashes = {_hash(encode_list(one)) for one in lists}
        put = {
            _hash(message.value() or b""): message.timestamp()[1]
            for message in records(self.settings, LIST, range(PARTITIONS))
        }
        told: list[float] = []
        for message in records(self.settings, PUBLISH, range(PARTITIONS)):
            publication = decode_publication(message.value() or b"")
            if publication.list_hash in hashes and publication.state == "published":
                told.append(message.timestamp()[1] - put[publication.list_hash])
        assert len(told) == len(lists)
        return percentiles(told)


def _hash(value: bytes) -> str:
    return hashlib.sha256(value).hexdigest()


@contextmanager
def stand() -> Iterator[Stand]:
    """Everything up."""
    stopwatch = Stopwatch()
    setattr(execute, "fhir_problems", stopwatch)  # noqa: B010 - timed; the module does not export the name
    prefix = f"b{uuid.uuid4().hex[:8]}."
    with (
        tempfile.TemporaryDirectory(prefix="medlist-bench-") as name,
        sandbox() as there,
        some_broker(Path(name) / "broker", os.environ.get("MEDLIST_KAFKA")) as broker,
    ):
        create_topics(broker.bootstrap, {f"{prefix}{one}": PARTITIONS for one in (LIST, PUBLISH, PUBLISH_REQUEST)})
        settings = Settings.for_demo(broker.bootstrap, nll_base_url=there.url, topic_prefix=prefix)
        settings = settings.model_copy(update={"publisher_group": f"{prefix}medlist-publisher"})
        over = threading.Event()
        arguments = (settings, DEFAULT_SOURCES, lambda: NOW, over, PublisherParts(token=TOKEN))
        publisher = threading.Thread(target=run_publisher, args=arguments)
        publisher.start()
        try:
            yield Stand(settings, stopwatch)
        finally:
            over.set()
            publisher.join(30)


def validation_cost() -> dict[str, float]:
    """What reading one resource with `fhir.resources` costs, in milliseconds; the first time it also builds its classes."""
    resource = medication_request(standing(), Terms(subject=KnownPatient("p-1")))
    assert isinstance(resource, dict)
    began = time.perf_counter()
    fhir_problems(resource)
    first = time.perf_counter() - began
    costs = []
    for _ in range(100):
        began = time.perf_counter()
        fhir_problems(resource)
        costs.append(1000 * (time.perf_counter() - began))
    return {"first_milliseconds": round(1000 * first, 1)} | {
        f"{k}_milliseconds": v for k, v in percentiles(costs).items()
    }


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(prog="publish", description=__doc__)
    parser.add_argument("--patients", type=int, default=PATIENTS, help="whose lists all wait")
    parser.add_argument("--paced", type=int, default=PACED_PATIENTS, help="whose lists come at half of that pace")
    chosen = parser.parse_args()
    configure("error")
    before = machine()
    waiting = [versions(number) for number in range(chosen.patients)]
    paced = [versions(number) for number in range(chosen.patients, chosen.patients + chosen.paced)]
    results: dict[str, Any] = {"fhir_resources_one_resource": validation_cost()}
    with stand() as standing_by:
        warm = versions(10 * (chosen.patients + chosen.paced))
        standing_by.measured(warm[:1], 2)
        results["created"] = standing_by.measured([first for first, _ in waiting], 2 * len(waiting))
        results["updated"] = standing_by.measured([second for _, second in waiting], len(waiting))
        pace = results["created"]["publishes_per_second"] / 2
        for name, lists, writes in (
            ("created_paced", [first for first, _ in paced], 2 * len(paced)),
            ("updated_paced", [second for _, second in paced], len(paced)),
        ):
            told = standing_by.measured(lists, writes, pace)
            results[name] = told | {"latency_milliseconds": standing_by.latencies(lists)}
    one = results["fhir_resources_one_resource"]["p50_milliseconds"]
    for name in ("created", "updated"):
        told = results[name]
        share = one * told["writes"] / (1000 * told["cpu_seconds"] + one * told["writes"])
        told["fhir_resources_share_if_all_were_read"] = round(share, 3)
    print(msgspec.json.format(msgspec.json.encode(results), indent=2).decode())
    print(write("publish", results, before))


if __name__ == "__main__":
    main()
