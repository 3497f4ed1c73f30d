"""Keeps child processes running where no Kubernetes does it: in the demo, in `medlist run all`, on laptops.

A child that asks to be started again (status 70), or that was killed, is; after a wait that doubles while it keeps dying
young. Any other end is final: 0 means that it was done, everything else that a person must look.
"""

import asyncio
import signal
import time
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from connectors.telemetry import declare, get_logger
from streams.topology.problems import RESTART_STATUS, STOPPED_STATUS

EVENTS: Final = declare({"child.started": "SUP-001", "child.ended": "SUP-002", "child.killed": "SUP-003"})

_log = get_logger()


class Child(msgspec.Struct, frozen=True):
    """One process to keep running; `environment` replaces this process's when given."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] | None = None


class RestartPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """How patient the supervisor is."""

    first_wait_seconds: float = 0.5
    longest_wait_seconds: float = 30.0
    healthy_seconds: float = 60.0
    """A child that lived this long starts over with the first wait."""
    stop_seconds: float = 30.0
    """How long a child may take to stop before it is killed."""


def is_restart(status: int) -> bool:
    """Whether an exit status asks for a restart: 70, or killed by a signal (negative, as `asyncio` tells it)."""
    return status == RESTART_STATUS or status < 0


def next_wait(last_wait_seconds: float | None, lived_seconds: float, policy: RestartPolicy) -> float:
    """Seconds to wait before the next start, given the wait before the last one and how long the child then lived."""
    if last_wait_seconds is None or lived_seconds >= policy.healthy_seconds:
        return policy.first_wait_seconds
    return min(last_wait_seconds * 2, policy.longest_wait_seconds)


async def supervise(child: Child, stop: asyncio.Event, policy: RestartPolicy) -> int:
    """Run the child, again and again, until it ends for good or `stop` is set; its last exit status, 0 when stopped."""
    wait_seconds: float | None = None
    while not stop.is_set():
        started = time.monotonic()
        status = await _run_once(child, stop, policy)
        if stop.is_set():
            break
        if not is_restart(status):
            return status
        wait_seconds = next_wait(wait_seconds, time.monotonic() - started, policy)
        try:
            await asyncio.wait_for(stop.wait(), wait_seconds)
        except TimeoutError:
            continue
    return STOPPED_STATUS


async def supervise_all(children: Sequence[Child], stop: asyncio.Event, policy: RestartPolicy) -> int:
    """Run all children; when one ends for good, or `stop` is set, stop the others. The first final status, 0 if none."""
    tasks = [asyncio.create_task(supervise(child, stop, policy)) for child in children]
    if not tasks:
        return STOPPED_STATUS
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    stop.set()
    await asyncio.wait(tasks)
    return next((task.result() for task in done if task.result()), STOPPED_STATUS)


def run_supervised(children: Sequence[Child], policy: RestartPolicy | None = None) -> int:
    """Run all children in the foreground until one ends for good, or this process gets SIGTERM or SIGINT."""

    async def main() -> int:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        return await supervise_all(children, stop, policy or RestartPolicy())

    return asyncio.run(main())


async def _run_once(child: Child, stop: asyncio.Event, policy: RestartPolicy) -> int:
    """Start the child and wait for its end; stop it when `stop` is set. Its exit status."""
    process = await asyncio.create_subprocess_exec(*child.command, env=child.environment)
    _log.info("child.started", role=child.name, process_id=process.pid)
    ended, stopping = asyncio.create_task(process.wait()), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait((ended, stopping), return_when=asyncio.FIRST_COMPLETED)
        if not ended.done():
            await _stop(child, process, ended, policy.stop_seconds)
    finally:
        stopping.cancel()
        if process.returncode is None:
            process.kill()  # we are being torn down ourselves: leave no orphan
    status = await ended
    _log.info("child.ended", role=child.name, exit_status=abs(status), fatal=not is_restart(status) and status != 0)
    return status


async def _stop(child: Child, process: asyncio.subprocess.Process, ended: asyncio.Task[int], seconds: float) -> None:
    process.terminate()
    try:
        await asyncio.wait_for(asyncio.shield(ended), seconds)
    except TimeoutError:
        _log.warning("child.killed", role=child.name)
        process.kill()
