"""Writing down what was measured, with the machine that it was measured on."""

import os
import platform
import statistics
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
        "load_before": round(os.getloadavg()[0], 2),
    }


def write(name: str, results: dict[str, Any]) -> Path:
    """Write `build/bench/NAME.json`; its path."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_bytes(msgspec.json.format(msgspec.json.encode({"machine": machine(), **results}), indent=2) + b"\n")
    return path


def percentiles(values: Sequence[float]) -> dict[str, float]:
    """Median, 95th and 99th percentile and maximum, in the unit of the values."""
    cuts = statistics.quantiles(values, n=100, method="inclusive")
    return {
        name: round(value, 2)
        for name, value in (("p50", cuts[49]), ("p95", cuts[94]), ("p99", cuts[98]), ("max", max(values)))
    }


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines() if Path("/proc/cpuinfo").exists() else []
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())
