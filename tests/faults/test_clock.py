"""The clock of a process can be moved while it runs, and only that clock."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.clock import Clock

HOUR_SECONDS = 3600
TELL = (
    "import datetime, sys, time\n"
    "for _ in sys.stdin:\n"
    "    now = datetime.datetime.now(datetime.UTC).timestamp()\n"
    "    print(now, time.time(), time.monotonic(), flush=True)\n"
)


def test_a_clock_jumps_forth_and_back_while_counting_clocks_go_on(tmp_path: Path) -> None:
    """A running process sees the jump at once, by every way of asking for the time; its monotonic clock does not jump."""
    clock = Clock(tmp_path)
    if not clock.movable:
        assert not os.environ.get("CI"), "no C compiler to move clocks with"
        pytest.skip("no C compiler")
    with subprocess.Popen(
        [sys.executable, "-c", TELL],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | dict(clock.variables),
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        told = []
        for ahead in (0, 2 * HOUR_SECONDS, -2 * HOUR_SECONDS):
            clock.move(ahead)
            process.stdin.write("now\n")
            process.stdin.flush()
            told.append([float(number) for number in process.stdout.readline().split()])

    (now, same, count), (forth, _, counted), (back, also_back, _) = told
    assert abs(now - same) < HOUR_SECONDS
    assert HOUR_SECONDS < forth - now < 3 * HOUR_SECONDS
    assert -3 * HOUR_SECONDS < back - now < -HOUR_SECONDS
    assert abs(back - also_back) < HOUR_SECONDS
    assert 0 <= counted - count < HOUR_SECONDS
