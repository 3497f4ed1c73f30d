"""Writing down what was measured, with the machine that it was measured on."""

import os
import platform
import statistics
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import confluent_kafka
import msgspec

RESULTS = Path(__file__).parents[2] / "build" / "bench"
STAT = Path("/proc/stat")


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


class Busy:
    """What some processes and the machine have computed since this was made."""

    def __init__(self, process_ids: Mapping[str, int]) -> None:
        self._ids = dict(process_ids)
        self._began = time.monotonic()
        self._cpu = self._seconds()
        self._machine = _times()

    def cpu_seconds(self) -> dict[str, float]:
        """User and system time of each."""
        return {name: now - self._cpu[name] for name, now in self._seconds().items()}

    def cores(self) -> dict[str, float]:
        """How many cores each has used, on the average."""
        passed = time.monotonic() - self._began
        return {name: round(used / passed, 2) for name, used in self.cpu_seconds().items()}

    def percent(self) -> float:
        """How busy all cores together have been, with anything."""
        return _percent(self._machine, _times())

    def _seconds(self) -> dict[str, float]:
        return {name: _cpu_seconds(number) for name, number in self._ids.items()}


def _cpu_seconds(process_id: int) -> float:
    fields = Path(f"/proc/{process_id}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _busy_percent() -> float | None:
    """How busy the machine is with other work, in percent of all its cores, looked at for a second."""
    if not STAT.exists():
        return None
    before = _times()
    time.sleep(1.0)
    return _percent(before, _times())


def _times() -> tuple[int, int]:
    fields = [int(field) for field in STAT.read_text(encoding="utf-8").splitlines()[0].split()[1:9]]
    return sum(fields), fields[3] + fields[4]  # idle and waiting for a disk


def _percent(before: tuple[int, int], after: tuple[int, int]) -> float:
    return round(100 * (1 - (after[1] - before[1]) / max(after[0] - before[0], 1)), 1)


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines() if Path("/proc/cpuinfo").exists() else []
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())
