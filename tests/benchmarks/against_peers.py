"""The engine alone against other engines: the same job, broker and machine, in alternating rounds.

`make bench BENCH=against_peers` writes `build/bench/against_peers.json`; `stream` includes it where BENCH_PEERS is set. Each peer has an environment of its own in the cache, made on the
first run. BENCH_FACTS and BENCH_ROUNDS as for `stream`. Rates are from the first to the last result in the out topic, by the
broker's clock, so that no start-up counts for anybody.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
from confluent_kafka import OFFSET_BEGINNING, Consumer, ConsumerGroupTopicPartitions, TopicPartition
from confluent_kafka.admin import AdminClient

from connectors.telemetry import configure
from tests.benchmarks._catching_up import Backlog, command, fill, merging_backlog, produce, stage
from tests.benchmarks._engine_process import PARTITIONS
from tests.benchmarks._results import machine, write
from tests.kafka.broker import LocalKafka
from tests.kafka.libraries import BrokerUnavailableError, java
from tests.kafka.topics import create_topics
from tests.system.process import DEADLINE_SECONDS, Process

FACTS = int(os.environ.get("BENCH_FACTS", "40000"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "2"))
PEERS = Path(__file__).parent / "peers"
CACHE = Path(os.environ.get("MEDLIST_CACHE") or Path.home() / ".cache" / "medlist") / "peers"
LONGEST_SECONDS = 240.0
INSTALL_SECONDS = 600.0
POLL_SECONDS = 0.2

Way = Callable[[str, Backlog, Path], float]


def individual(backlog: Backlog) -> Backlog:
    """The same facts, a record each."""
    single = [
        (partition, bytes(fact))
        for partition, value in backlog.records
        for fact in msgspec.json.decode(value, type=list[msgspec.Raw])
    ]
    return Backlog(backlog.core, backlog.facts, single)


def engine(kafka: str, backlog: Backlog, directory: Path) -> float:
    """Facts a second of our engine."""
    prefix = fill(kafka, backlog)
    with Process(command("engine", backlog.core, kafka, prefix), directory / "engine.log") as process:
        process.wait_for("/caught-up", LONGEST_SECONDS)
        process.end()
    return backlog.facts / result_seconds(kafka, prefix)


class Peer(msgspec.Struct, frozen=True):
    """Another engine: its folder, the command that takes broker, prefix and a state folder, the topics it needs besides."""

    job: str
    command: tuple[str, ...]
    more_topics: tuple[str, ...] = ()

    def __call__(self, kafka: str, backlog: Backlog, directory: Path) -> float:
        """Facts a second through the backlog."""
        prefix = stage(kafka)
        if self.more_topics:
            create_topics(
                kafka, {f"{prefix}{name}": PARTITIONS for name in self.more_topics}, {"cleanup.policy": "compact"}
            )
        produce(kafka, prefix, backlog, keyed=True)
        arguments = [*self.command, kafka, prefix, tempfile.mkdtemp(dir=directory)]
        with Process(arguments, directory / f"{self.job}.log") as process:
            wait_until_committed(kafka, prefix, process)
        return backlog.facts / result_seconds(kafka, prefix)


def wait_until_committed(kafka: str, prefix: str, process: Process) -> None:
    """Return when the group has committed everything."""
    admin = AdminClient({"bootstrap.servers": kafka, "log_level": 0})
    places = [TopicPartition(f"{prefix}fact", number) for number in range(PARTITIONS)]
    with consumer_of(kafka, prefix) as consumer:
        ends = {place.partition: consumer.get_watermark_offsets(place, timeout=DEADLINE_SECONDS)[1] for place in places}
    deadline = time.monotonic() + LONGEST_SECONDS
    while time.monotonic() < deadline:
        process.require_alive()
        asked = ConsumerGroupTopicPartitions(f"{prefix}group", places)
        found = admin.list_consumer_group_offsets([asked])[f"{prefix}group"].result(DEADLINE_SECONDS)
        if all(place.offset >= ends[place.partition] for place in found.topic_partitions):
            return
        time.sleep(POLL_SECONDS)
    raise TimeoutError(f"not committed in time:\n{process.tail()}")


def result_seconds(kafka: str, prefix: str) -> float:
    """Seconds from the first to the last committed result, by the broker's clock."""
    times: list[int] = []
    with consumer_of(kafka, prefix) as consumer:
        consumer.assign([TopicPartition(f"{prefix}out", number, OFFSET_BEGINNING) for number in range(PARTITIONS)])
        left = PARTITIONS
        while left:
            for message in consumer.consume(1000, 1.0):
                if message.error() is None:
                    times.append(message.timestamp()[1])
                else:
                    left -= 1  # the end of a partition
    return (max(times) - min(times)) / 1000


@contextmanager
def consumer_of(kafka: str, prefix: str) -> Iterator[Consumer]:
    """A reader of committed records."""
    consumer = Consumer(
        {
            "bootstrap.servers": kafka,
            "group.id": f"{prefix}reader",
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
            "log_level": 0,
        }
    )
    try:
        yield consumer
    finally:
        consumer.close()


def environment(job: str) -> str:
    """The Python of a peer's own environment, made if need be."""
    place = CACHE / job
    python = place / "bin" / "python"
    if not (place / "made").exists():
        venv.create(place, clear=True, with_pip=True)
        install = [
            str(python),
            "-m",
            "pip",
            "install",
            "--quiet",
            "--requirement",
            str(PEERS / job / "requirements.txt"),
        ]
        subprocess.run(install, check=True, timeout=INSTALL_SECONDS)
        (place / "made").touch()
    return str(python)


def java_command(job: str) -> tuple[str, ...]:
    """What runs a peer in Java from its source, its libraries fetched by Maven if need be."""
    jars = CACHE / job
    if not (jars / "made").exists():
        maven = shutil.which("mvn")
        if maven is None:
            raise BrokerUnavailableError("no Maven to fetch Kafka Streams with: install it (Debian: maven)")
        fetch = [maven, "-q", "-B", "-ntp", "-f", str(PEERS / job / "pom.xml"), "dependency:copy-dependencies"]
        subprocess.run([*fetch, f"-DoutputDirectory={jars}"], check=True, timeout=INSTALL_SECONDS)
        (jars / "made").touch()
    quiet = "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"
    return (java(), quiet, "-Xmx1g", "-cp", f"{jars}/*", str(PEERS / job / "Job.java"))


def measure_peers() -> dict[str, Any]:
    """Rates of the engine and of each peer, and the ratios."""
    ways: dict[str, Way] = {
        "engine": engine,
        "quix": Peer("quix", (environment("quix"), str(PEERS / "quix" / "job.py"))),
        "faust_tables": Peer(
            "faust_tables", (sys.executable, str(PEERS / "faust_tables" / "job.py")), ("group-patients-changelog",)
        ),
        "kafka_streams": Peer("kafka_streams", java_command("kafka_streams")),
    }
    packed = merging_backlog(FACTS)
    backlogs = {"packed": packed, "individual": individual(packed)}
    rates: dict[str, dict[str, list[float]]] = {kind: {name: [] for name in ways} for kind in backlogs}
    with tempfile.TemporaryDirectory(prefix="medlist-peers-") as name:
        directory = Path(name)
        properties = {"log.message.timestamp.type": "LogAppendTime"}
        with LocalKafka(directory / "broker", for_speed=True, properties=properties) as broker:
            for _ in range(ROUNDS):
                for kind, backlog in backlogs.items():
                    for way in [name for name in ways if (kind, name) != ("individual", "engine")]:
                        rate = ways[way](broker.bootstrap, backlog, directory)
                        rates[kind][way].append(round(rate, 1))
                        print(f"  {kind:10} {way:13} {rate:10,.0f} facts/s", flush=True)
    return summary(rates) | {"peer_facts": packed.facts, "peer_rounds": ROUNDS}


def main() -> None:
    """Measure, print, write."""
    configure("warning")
    before = machine()
    results = measure_peers()
    print({name: value for name, value in results.items() if name.startswith("engine_over")})
    print(write("against_peers", results, before))


def summary(rates: dict[str, dict[str, list[float]]]) -> dict[str, Any]:
    """Medians, and the engine (which always packs) over each peer, on packed and on individual facts."""
    medians = {
        kind: {name: statistics.median(values) for name, values in ways.items() if values}
        for kind, ways in rates.items()
    }
    ours = medians["packed"]["engine"]
    ratios: dict[str, Any] = {}
    for name in medians["packed"]:
        if name != "engine":
            ratios[f"engine_over_{name}"] = round(ours / medians["packed"][name], 2)
            ratios[f"engine_over_{name}_individual"] = round(ours / medians["individual"][name], 2)
    return ratios | {"peer_facts_per_second": medians, "peer_facts_per_second_of_rounds": rates}


if __name__ == "__main__":
    main()
