"""`python -m tests.faults short|long`: random faults, a verdict, a report in `build/faults/`; exit status 1 for any fault.

`long` is at least 200 faults, at least 30 minutes and at least 100 clean restarts with a backlog. `--brokers 3`
(`make faults BROKERS=3`) strikes three brokers that replicate to each other; its report stands beside that of one.
"""

import argparse
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from connectors.telemetry import configure
from tests.faults.run import Plan, as_json, as_text, drawn, run
from tests.faults.stage import Setting

RESULTS = Path(__file__).parents[2] / "build" / "faults"
FAULTS = {"short": 25, "long": 220}
LEAST_SECONDS = {"short": 0.0, "long": 1900.0}
LEAST_RESTARTS = {"short": 0, "long": 120}
SEED = 20261122


def main() -> int:
    """Run, print, write; the exit status."""
    parser = argparse.ArgumentParser(prog="faults", description=__doc__)
    parser.add_argument("length", choices=sorted(FAULTS))
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--faults", type=int, help="how many, instead of the usual")
    parser.add_argument("--pause", type=float, default=3.0, help="seconds between faults, on average")
    parser.add_argument("--brokers", type=int, default=1, choices=(1, 3), help="with three any one may be lost")
    chosen = parser.parse_args()
    configure("error")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that a run that is stopped leaves nothing running
    plan = Plan(
        seed=chosen.seed,
        strikes=drawn(
            chosen.seed, chosen.faults or FAULTS[chosen.length], least_restarts=LEAST_RESTARTS[chosen.length]
        ),
        setting=Setting(seed=chosen.seed, brokers=chosen.brokers),
        pause_seconds=chosen.pause,
        least_seconds=0.0 if chosen.faults else LEAST_SECONDS[chosen.length],
    )
    RESULTS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="medlist-faults-") as directory:
        report = run(Path(directory), plan, lambda text: print(text, flush=True))
        if report.verdict.faults:
            keep_logs(Path(directory))
    name = chosen.length if chosen.brokers == 1 else f"{chosen.length}-{chosen.brokers}-brokers"
    (RESULTS / f"{name}.json").write_bytes(as_json(report))
    text = as_text(report)
    (RESULTS / f"{name}.txt").write_text(text + "\n", encoding="utf-8")
    print(text)
    return 1 if report.verdict.faults else 0


def keep_logs(directory: Path) -> None:
    """Keep the processes' logs of a run that found something."""
    kept = RESULTS / "logs"
    shutil.rmtree(kept, ignore_errors=True)
    kept.mkdir()
    for log in directory.glob("*.log"):
        shutil.copy(log, kept)


if __name__ == "__main__":
    sys.exit(main())
