"""Keeping children running: 70 and a kill are restarted, everything else is final."""

import asyncio
import os
import signal
import sys
import time
from pathlib import Path

import pytest

from streams.topology.supervisor import Child, RestartPolicy, is_restart, next_wait, supervise_all

QUICK = RestartPolicy(first_wait_seconds=0.01, longest_wait_seconds=0.05, stop_seconds=0.3)
DEADLINE_SECONDS = 10.0

DIES_TWICE = """
import os, pathlib, signal, sys
starts = pathlib.Path(sys.argv[1])
starts.write_text(starts.read_text() + "x")
match len(starts.read_text()):
    case 1: sys.exit(70)
    case 2: os.kill(os.getpid(), signal.SIGKILL)
sys.exit(int(sys.argv[2]))
"""
WAITS = "import pathlib, sys, time; pathlib.Path(sys.argv[1]).write_text('up'); time.sleep(60)"
DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);" + WAITS


def python(name: str, code: str, *arguments: object) -> Child:
    """A child that runs this code."""
    return Child(name, (sys.executable, "-c", code, *map(str, arguments)))


@pytest.mark.parametrize(("status", "again"), [(0, False), (1, False), (78, False), (70, True), (-9, True)])
def test_what_is_started_again(status: int, *, again: bool) -> None:
    """70 asks for it, a kill (negative) deserves it; 0 is done, the rest needs a person."""
    assert is_restart(status) is again


def test_waits_grow_while_a_child_dies_young() -> None:
    """They double up to a limit, and start over after a healthy life."""
    policy = RestartPolicy(first_wait_seconds=1, longest_wait_seconds=3, healthy_seconds=60)

    assert next_wait(None, 0, policy) == 1
    assert next_wait(1, 5, policy) == 2
    assert next_wait(2, 5, policy) == 3
    assert next_wait(3, 60, policy) == 1


@pytest.mark.parametrize("final", [0, 78])
async def test_a_child_is_run_until_it_ends_for_good(tmp_path: Path, final: int) -> None:
    """A child that exits with 70 and is killed once is started three times; its third status is the result."""
    starts = tmp_path / "starts"
    starts.write_text("")

    status = await supervise_all([python("child", DIES_TWICE, starts, final)], asyncio.Event(), QUICK)

    assert starts.read_text() == "xxx"
    assert status == final


async def test_when_one_ends_for_good_the_others_are_stopped(tmp_path: Path) -> None:
    """Half a system helps nobody: the first final status is the result."""
    started = time.monotonic()

    status = await supervise_all(
        [python("waits", WAITS, tmp_path / "up"), python("ends", "import sys; sys.exit(78)")], asyncio.Event(), QUICK
    )

    assert status == 78
    assert time.monotonic() - started < DEADLINE_SECONDS


@pytest.mark.parametrize("code", [WAITS, DEAF], ids=["stops when asked", "deaf, so it is killed"])
async def test_a_stop_reaches_the_child(tmp_path: Path, code: str) -> None:
    """Asked to stop, the supervisor stops its child in time, and that is no failure."""
    stop, up = asyncio.Event(), tmp_path / "up"
    running = asyncio.create_task(supervise_all([python("child", code, up)], stop, QUICK))
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not up.exists():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)

    stop.set()

    assert await asyncio.wait_for(running, DEADLINE_SECONDS) == 0


def test_signals_are_negative_statuses() -> None:
    """What `is_restart` relies on: a killed child's status is minus the signal."""
    assert os.waitstatus_to_exitcode(signal.SIGKILL) == -9
