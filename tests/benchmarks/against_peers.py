"""The engine alone against other engines: the same job, broker and machine, in alternating rounds.

`make bench BENCH=against_peers` writes `build/bench/against_peers.json`; `stream` includes it unless BENCH_PEERS=0. Each peer has
an environment of its own in the cache, made on the first run. BENCH_PEER_FACTS facts a pass (300,000; two passes, of which the
second counts), BENCH_PEER_ROUNDS rounds (2). Two kinds of input:

- `packed`: records of 100 facts, for all of them;
- `individual`: a record per fact. The peers read these; of ours, the intake's loop packs them, in the measured path.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import venv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from connectors.telemetry import configure
from tests.benchmarks._catching_up import Backlog, merging_backlog
from tests.benchmarks._peers import Engine, Peer
from tests.benchmarks._results import machine, write
from tests.kafka.broker import LocalKafka
from tests.kafka.libraries import BrokerUnavailableError, java

FACTS = int(os.environ.get("BENCH_PEER_FACTS", "300000"))
ROUNDS = int(os.environ.get("BENCH_PEER_ROUNDS", "2"))
PEERS = Path(__file__).parent / "peers"
CACHE = Path(os.environ.get("MEDLIST_CACHE") or Path.home() / ".cache" / "medlist") / "peers"
INSTALL_SECONDS = 600.0
SLOW_SHARE = 4
"""Of the backlog, the part that a peer gets that needs minutes for the whole."""


def individual(backlog: Backlog) -> Backlog:
    """The same facts, a record each."""
    single = [
        (partition, bytes(fact))
        for partition, value in backlog.records
        for fact in msgspec.json.decode(value, type=list[msgspec.Raw])
    ]
    return Backlog(backlog.core, backlog.facts, single)


def environment(job: str) -> str:
    """The Python of a peer's own environment, made if need be."""
    place = CACHE / job
    python = place / "bin" / "python"
    if not (place / "made").exists():
        venv.create(place, clear=True, with_pip=True)
        requirements = str(PEERS / job / "requirements.txt")
        install = [str(python), "-m", "pip", "install", "--quiet", "--requirement", requirements]
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
    ways: dict[str, Engine | Peer] = {
        "engine": Engine(),
        "quix": Peer("quix", (environment("quix"), str(PEERS / "quix" / "job.py"))),
        "faust_tables": Peer(
            "faust_tables",
            (sys.executable, str(PEERS / "faust_tables" / "job.py")),
            ("group-patients-changelog",),
            SLOW_SHARE,
        ),
        "kafka_streams": Peer("kafka_streams", java_command("kafka_streams")),
    }
    backlogs: dict[tuple[str, int], Backlog] = {}
    for share in {way.share for way in ways.values()}:
        packed = merging_backlog(FACTS // share)
        backlogs |= {("packed", share): packed, ("individual", share): individual(packed)}
    rates: dict[str, dict[str, list[float]]] = {kind: {name: [] for name in ways} for kind, _ in backlogs}
    properties = {"log.message.timestamp.type": "LogAppendTime"}
    with tempfile.TemporaryDirectory(prefix="medlist-peers-") as name:
        directory = Path(name)
        with LocalKafka(directory / "broker", for_speed=True, properties=properties) as broker:
            for kind in list(rates) * ROUNDS:
                for peer, way in ways.items():
                    rate = way(broker.bootstrap, backlogs[kind, way.share], directory, single=kind == "individual")
                    rates[kind][peer].append(round(rate, 1))
                    print(f"  {kind:10} {peer:13} {rate:10,.0f} facts/s", flush=True)
    return summary(rates) | {"peer_facts": FACTS, "peer_rounds": ROUNDS}


def summary(rates: Mapping[str, Mapping[str, list[float]]]) -> dict[str, Any]:
    """Medians, and the engine over each peer: on packed facts, and on individual ones with the intake's packing inside."""
    medians = {kind: {name: statistics.median(found) for name, found in ways.items()} for kind, ways in rates.items()}
    ratios: dict[str, Any] = {}
    for name in medians["packed"]:
        if name != "engine":
            for kind, suffix in (("packed", ""), ("individual", "_individual")):
                ratios[f"engine_over_{name}{suffix}"] = round(medians[kind]["engine"] / medians[kind][name], 2)
    return ratios | {"peer_facts_per_second": medians, "peer_facts_per_second_of_rounds": rates}


def main() -> None:
    """Measure, print, write."""
    configure("warning")
    before = machine()
    results = measure_peers()
    print({name: value for name, value in results.items() if name.startswith("engine_over")})
    print(write("against_peers", results, before))


if __name__ == "__main__":
    main()
