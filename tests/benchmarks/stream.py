"""The stream on a real Kafka: engine, reconciler, intake and whole path against bare loops, rebuild, latency, failover, peers.

`make bench BENCH=stream` writes `build/bench/stream.json`; the broker runs on the same machine. BENCH_FACTS sets the length
of all backlogs (else `ENGINE_FACTS` and so on), BENCH_ROUNDS how often each is run, BENCH_REBUILD_FACTS the rebuild's. The other
engines (`against_peers`) are part of it; BENCH_PEERS=0 leaves them out. BENCH_PARTS=live,failover runs only these parts, and writes
`stream-live-failover.json`.
"""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from connectors.telemetry import configure
from tests.benchmarks._catching_up import compare, merging_backlog, reconciling_backlog
from tests.benchmarks._failover import measure_failover
from tests.benchmarks._live import measure_live
from tests.benchmarks._rebuilding import measure_rebuild
from tests.benchmarks._results import RESULTS, machine, write
from tests.benchmarks._whole_path import compare_path
from tests.benchmarks.against_peers import measure_peers
from tests.kafka.broker import LocalKafka

FACTS = os.environ.get("BENCH_FACTS")
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
ENGINE_FACTS = int(FACTS or "4500000")
RECONCILING_FACTS = int(FACTS or "100000")
PATH_FACTS = int(FACTS or "40000")

Figures = dict[str, Any]


def tell(text: str) -> None:
    """Show how it goes."""
    print(f"  {text}", flush=True)


def engine(broker: LocalKafka, _directory: Path) -> Figures:
    """The engine with a core that knows nothing of medicine."""
    found = compare(broker.bootstrap, merging_backlog(ENGINE_FACTS), ROUNDS, tell)
    return {"engine_over_bare": found["ratio"], "engine_alone": found}


def core(broker: LocalKafka, _directory: Path) -> Figures:
    """The engine with the real core."""
    found = compare(broker.bootstrap, reconciling_backlog(RECONCILING_FACTS), ROUNDS, tell)
    return {"core_over_bare": found["ratio"], "reconciler": found}


def path(broker: LocalKafka, _directory: Path) -> Figures:
    """Intake and reconciler together, and the intake alone."""
    found = compare_path(broker.bootstrap, PATH_FACTS, ROUNDS, tell)
    return {
        "whole_path_over_bare": found["path"]["ratio"],
        "intake_over_bare": found["intake"]["ratio"],
        "whole_path": found,
    }


def rebuild(broker: LocalKafka, directory: Path) -> Figures:
    """The command `medlist rebuild --verify`."""
    found = measure_rebuild(broker.bootstrap, directory, directory / "broker" / "data")
    tell(f"rebuild: {found}")
    return {"rebuild_facts_per_second": found["facts_per_second"], "rebuild": found}


def live(broker: LocalKafka, directory: Path) -> Figures:
    """Latency of the whole path, NLL's sandbox included."""
    found = measure_live(broker, directory, directory / "broker" / "data")
    for kind, rates in found.items():
        for rate, one in rates.items():
            through = {name: one[name] for name in ("list", "accepted_publish", "limited_by") if name in one}
            tell(f"{rate}/s {kind} (holds: {one['holds']}): {through}")
    names = {"mixed": "latency_ms", "hot": "latency_ms_beside_a_hot_patient"}
    return {names.get(kind, f"latency_ms_{kind}"): rates for kind, rates in found.items()}


def failover(broker: LocalKafka, directory: Path) -> Figures:
    """Until every partition goes on, in three kinds."""
    found = measure_failover(broker.bootstrap, directory, ROUNDS)
    tell(f"failover: {found}")
    return {"failover_s": found}


def peers(_broker: LocalKafka, _directory: Path) -> Figures:
    """Other engines, on a broker of their own."""
    return measure_peers()


PARTS: tuple[Callable[[LocalKafka, Path], Figures], ...] = (engine, core, path, rebuild, live, failover, peers)


def wanted() -> tuple[str, list[Callable[[LocalKafka, Path], Figures]]]:
    """The parts that the environment asks for, and a name for them. Raises `ValueError` for one that there is not."""
    known = {part.__name__: part for part in PARTS}
    names = [name for name in os.environ.get("BENCH_PARTS", "").split(",") if name]
    missing = sorted(set(names) - set(known))
    if missing:
        raise ValueError(f"BENCH_PARTS: no {', '.join(missing)}; there are {', '.join(known)}")
    if names:
        return "-".join(["stream", *names]), [known[name] for name in names]
    if os.environ.get("BENCH_PEERS") == "0":
        del known["peers"]
    return "stream", list(known.values())


def main() -> None:
    """Measure, print; write after each part, so that a part that fails costs no more than itself."""
    configure("warning")
    before = machine()
    results: Figures = {"rounds": ROUNDS}
    file, parts = wanted()
    for part in parts:
        with tempfile.TemporaryDirectory(prefix="medlist-bench-") as name:
            directory = Path(name)
            with LocalKafka(directory / "broker", for_speed=True) as broker:
                results |= part(broker, directory)
        write(file, dict(sorted(results.items(), key=lambda each: isinstance(each[1], dict))), before)
    for figure, value in results.items():
        if isinstance(value, float):
            print(f"{figure:40} {value:12,.2f}")
    print(RESULTS / f"{file}.json")


if __name__ == "__main__":
    main()
