"""The stream on a real Kafka: its engine and its reconciler against bare loops, the whole path's latency, failover.

`make bench BENCH=stream` writes `build/bench/stream.json`; the broker runs on the same machine. BENCH_FACTS sets the length
of the backlogs (100,000 merging and 20,000 reconciling facts unless set), BENCH_ROUNDS how often each is run; BENCH_PEERS=1 adds the comparison with other engines.
"""

import os
import tempfile
from pathlib import Path
from typing import Any

from connectors.telemetry import configure
from tests.benchmarks._catching_up import compare, merging_backlog, reconciling_backlog
from tests.benchmarks._failover import measure_failover
from tests.benchmarks._live import measure_live
from tests.benchmarks._rebuilding import measure_rebuild
from tests.benchmarks._results import machine, write
from tests.benchmarks.against_peers import measure_peers
from tests.kafka.broker import LocalKafka

FACTS = os.environ.get("BENCH_FACTS")
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
MERGING_FACTS = int(FACTS or "100000")
RECONCILING_FACTS = int(FACTS or "20000")
SECONDS_BY_RATE = {50: 10.0, 200: 10.0}
FAILOVER_ROUNDS = 1


def tell(text: str) -> None:
    """Show how it goes."""
    print(f"  {text}", flush=True)


def main() -> None:
    """Measure, print, write."""
    configure("warning")
    before = machine()
    with tempfile.TemporaryDirectory(prefix="medlist-bench-") as name:
        directory = Path(name)
        with LocalKafka(directory / "broker", for_speed=True) as broker:
            kafka = broker.bootstrap
            engine = compare(kafka, merging_backlog(MERGING_FACTS), ROUNDS, tell)
            backlog = reconciling_backlog(RECONCILING_FACTS)
            core = compare(kafka, backlog, ROUNDS, tell)
            rebuilt = measure_rebuild(kafka, directory, backlog)
            latency = measure_live(kafka, directory, SECONDS_BY_RATE)
            failover = measure_failover(kafka, directory, FAILOVER_ROUNDS)
    results: dict[str, Any] = {
        "engine_over_bare": engine["ratio"],
        "core_over_bare": core["ratio"],
        "latency_ms": latency,
        "failover_s": failover,
        "rebuild_facts_per_second": rebuilt["facts_per_second"],
        "rounds": ROUNDS,
        "engine_alone": engine,
        "reconciler": core,
        "rebuild": rebuilt,
    }
    if os.environ.get("BENCH_PEERS"):
        results |= measure_peers()
    path = write("stream", results, before)
    for title, found in (("engine alone", engine), ("reconciler", core)):
        rate = found["engine"]["facts_per_second"]
        print(f"{title:13} {rate:10,.0f} facts/s, {found['ratio']} of the best bare loop")
    for rate, found in latency.items():
        print(
            f"at {rate}/s (holds: {found['holds']}): list {found.get('list')}, accepted {found.get('accepted_publish')} ms"
        )
    print(f"rebuild {rebuilt['facts_per_second']:,.0f} facts/s, identical: {rebuilt['identical']}")
    print(f"failover {failover} s; {path}")


if __name__ == "__main__":
    main()
