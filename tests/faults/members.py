"""The processes under test, each kept running as a supervisor would keep it: 0 and 70 and a kill start it again, 78 does not."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from streams.command.composition import Role
from streams.topology.problems import RESTART_STATUS
from tests.faults.plants import Plant
from tests.system.medlist import Medlist
from tests.system.process import Process

WORKER = (sys.executable, "-m", "tests.faults.worker")
COMMAND = (sys.executable, "-m", "streams.command", "run")
WATCHDOG_SECONDS = 25
"""Soon enough for a run to see a stuck process end itself, and longer than any fault that ends by itself."""

STOP_SECONDS = 60.0
POLL_SECONDS = 0.05


class MemberEndedError(RuntimeError):
    """A process ended in a way that a restart must not mend."""


class Member:
    """One place of a deployment, such as `reconciler-0`, and the process that fills it now."""

    def __init__(self, name: str, start: Callable[[], Process]) -> None:
        self.name = name
        self._start = start
        self.process: Process | None = None
        self.starts = 0
        self.statuses: list[int] = []
        self.clean_restarts = 0
        """How often it was asked to stop, did, and was started again: each under load, with what came meanwhile waiting."""
        self.frozen = False
        self._stopped_in_order = False

    @property
    def role(self) -> str:
        """The part of the name before the number."""
        return self.name.rpartition("-")[0]

    def start(self) -> None:
        """Start a process, unless there is one."""
        if self.process is None:
            self.process = self._start()
            self.starts += 1
            self.clean_restarts += self._stopped_in_order
            self._stopped_in_order = False

    def look(self) -> None:
        """Start again what has ended and may be. Raises `MemberEndedError` with the end of its log for what may not."""
        if self.process is None or self.process.status is None:
            return
        self._ended(self.process, self.process.status)
        self.start()

    def send(self, number: signal.Signals) -> None:
        """Send a signal, if there is a process to send it to."""
        if self.process is not None and self.process.status is None:
            self.process.popen.send_signal(number)
            self.frozen = number is signal.SIGSTOP or (self.frozen and number is not signal.SIGCONT)

    def stop(self) -> int:
        """Stop in order; the exit status, of the kill that follows where it does not stop in time.

        Raises `MemberEndedError` for one that a restart must not mend.
        """
        if self.process is None:
            return 0
        self.send(signal.SIGCONT)
        self.send(signal.SIGTERM)
        try:
            status = self.process.popen.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.send(signal.SIGKILL)
            status = self.process.popen.wait()
        self._ended(self.process, status)
        return status

    def _ended(self, process: Process, status: int) -> None:
        self.statuses.append(status)
        self.process = None
        self.frozen = False
        self._stopped_in_order = status == 0
        if status not in (0, RESTART_STATUS) and status >= 0:
            raise MemberEndedError(f"{self.name} ended with {status}:\n{process.tail()}")

    def kill(self) -> None:
        """End at once, for good."""
        if self.process is not None:
            self.process.popen.kill()
            self.process.popen.wait()
            self.process = None

    def is_ready(self) -> bool:
        """Whether the process says so."""
        return self.process is not None and self.process.ask("/ready")[0] == 200

    def is_caught_up(self) -> bool:
        """Whether the process says so."""
        return self.process is not None and self.process.ask("/caught-up")[0] == 200


class Members:
    """All processes of a deployment: an intake, reconcilers that count, a publisher."""

    def __init__(
        self, medlist: Medlist, reconcilers: int, plants: Sequence[Plant], environment: Mapping[str, str]
    ) -> None:
        self._directory = medlist.directory
        self._plants = plants
        self._environment = environment
        names = [f"reconciler-{number}" for number in range(reconcilers)]
        self._all = [
            Member("intake-0", partial(self._role, "intake-0")),
            *(Member(name, partial(self._counting, name)) for name in names),
            Member("publisher-0", partial(self._role, "publisher-0")),
        ]

    def of(self, *roles: Role) -> list[Member]:
        """Members of these roles, or all."""
        return [member for member in self._all if not roles or member.role in roles]

    def join(self, name: str) -> Member:
        """One reconciler more, started."""
        member = Member(name, partial(self._counting, name))
        self._all.append(member)
        member.start()
        return member

    def leave(self, member: Member) -> None:
        """One reconciler less, stopped in order."""
        self._all.remove(member)
        member.stop()

    def look(self) -> None:
        """Start again what has ended. Raises `MemberEndedError`."""
        for member in self._all:
            member.look()

    def watch_for(self, seconds: float) -> None:
        """Keep everything running for a while. Raises `MemberEndedError`."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.look()
            time.sleep(POLL_SECONDS)

    def are_caught_up(self) -> bool:
        """Whether every process says that everything is done: seen twice in the order of the stream."""
        return all(member.is_caught_up() for _ in range(2) for member in self._all)

    def wait_until_caught_up(self, within_seconds: float) -> bool:
        """Keep everything running until all is done; whether it came to that in time. Raises `MemberEndedError`."""
        end = time.monotonic() + within_seconds
        while time.monotonic() < end:
            self.watch_for(POLL_SECONDS)
            if self.are_caught_up():
                return True
        return False

    def kill(self) -> None:
        """End all at once, for good."""
        for member in self._all:
            member.kill()

    def _role(self, name: str) -> Process:
        return self._started(name, [*COMMAND, name.rpartition("-")[0]])

    def _counting(self, name: str) -> Process:
        return self._started(name, [*WORKER, *self._plants])

    def _started(self, name: str, command: Sequence[str]) -> Process:
        own = {"MEDLIST_INSTANCE_ID": name, "MEDLIST_WATCHDOG_SECONDS": str(WATCHDOG_SECONDS)}
        return Process(command, self._directory / f"{name}.log", {**self._environment, **own})


def logs(directory: Path) -> list[Path]:
    """The logs of all processes."""
    return sorted(directory.glob("*.log"))
