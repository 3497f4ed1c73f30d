"""Writing down what was measured, with the machine that it was measured on."""

import os
import platform
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import confluent_kafka
import msgspec

RESULTS = Path(__file__).parents[2] / "build" / "bench"


def machine() -> dict[str, Any]:
    """What a figure depends on and a reader needs to know."""
    memory_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cores": os.cpu_count(),
        "memory_gib": round(memory_bytes / 2**30, 1),
        "processor": _processor(),
        "python": platform.python_version(),
        "librdkafka": confluent_kafka.libversion()[0],
        "load_before": [round(load, 2) for load in os.getloadavg()],
        "busy_before_percent": _busy_percent(),
    }


def write(name: str, results: dict[str, Any], before: dict[str, Any]) -> Path:
    """Write `build/bench/NAME.json`, with the machine as it was `before` the run; its path."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_bytes(msgspec.json.format(msgspec.json.encode({"machine": before, **results}), indent=2) + b"\n")
    return path


def percentiles(values: Sequence[float]) -> dict[str, float]:
    """Median, 95th and 99th percentile and maximum, in the unit of the values."""
    cuts = statistics.quantiles(values, n=100, method="inclusive")
    return {
        name: round(value, 2)
        for name, value in (("p50", cuts[49]), ("p95", cuts[94]), ("p99", cuts[98]), ("max", max(values)))
    }


def _busy_percent() -> float | None:
    """How busy the machine is with other work, in percent of all its cores, looked at for a second."""
    stat = Path("/proc/stat")
    if not stat.exists():
        return None

    def times() -> tuple[int, int]:
        fields = [int(field) for field in stat.read_text(encoding="utf-8").splitlines()[0].split()[1:9]]
        return sum(fields), fields[3] + fields[4]  # idle and waiting for a disk

    all_before, idle_before = times()
    time.sleep(1.0)
    all_after, idle_after = times()
    return round(100 * (1 - (idle_after - idle_before) / (all_after - all_before)), 1)


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines() if Path("/proc/cpuinfo").exists() else []
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())
