"""`python -m tests.faults short|long`: random faults, a verdict, a report in `build/faults/`; exit status 1 for any fault."""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from connectors.telemetry import configure
from tests.faults.run import Plan, as_json, as_text, drawn, run
from tests.faults.stage import Setting

RESULTS = Path(__file__).parents[2] / "build" / "faults"
FAULTS = {"short": 25, "long": 220}
SEED = 20261122


def main() -> int:
    """Run, print, write; the exit status."""
    parser = argparse.ArgumentParser(prog="faults", description=__doc__)
    parser.add_argument("length", choices=sorted(FAULTS))
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--faults", type=int, help="how many, instead of the usual")
    parser.add_argument("--pause", type=float, default=3.0, help="seconds between faults, on average")
    chosen = parser.parse_args()
    configure("error")
    plan = Plan(
        seed=chosen.seed,
        strikes=drawn(chosen.seed, chosen.faults or FAULTS[chosen.length]),
        setting=Setting(seed=chosen.seed),
        pause_seconds=chosen.pause,
    )
    RESULTS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="medlist-faults-") as name:
        report = run(Path(name), plan, lambda text: print(text, flush=True))
        if report.verdict.faults:
            keep_logs(Path(name))
    (RESULTS / f"{chosen.length}.json").write_bytes(as_json(report))
    text = as_text(report)
    (RESULTS / f"{chosen.length}.txt").write_text(text + "\n", encoding="utf-8")
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
