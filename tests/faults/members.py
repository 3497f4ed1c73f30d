"""The processes under test, each kept running as a supervisor would keep it: 0 and 70 and a kill start it again, 78 does not."""

import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from streams.command.composition import Role
from streams.topology.problems import RESTART_STATUS
from tests.faults.plants import Plant
from tests.system.medlist import Medlist
from tests.system.process import Process

WORKER = (sys.executable, "-m", "tests.faults.worker")
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
        self.frozen = False

    @property
    def role(self) -> str:
        """The part of the name before the number."""
        return self.name.rpartition("-")[0]

    def start(self) -> None:
        """Start a process, unless there is one."""
        if self.process is None:
            self.process = self._start()
            self.starts += 1

    def look(self) -> None:
        """Start again what has ended and may be. Raises `MemberEndedError` with the end of its log for what may not."""
        if self.process is None or self.process.status is None:
            return
        status = self.process.status
        self.statuses.append(status)
        if status not in (0, RESTART_STATUS) and status >= 0:
            raise MemberEndedError(f"{self.name} ended with {status}:\n{self.process.tail()}")
        self.process = None
        self.frozen = False
        self.start()

    def send(self, number: signal.Signals) -> None:
        """Send a signal, if there is a process to send it to."""
        if self.process is not None and self.process.status is None:
            self.process.popen.send_signal(number)
            self.frozen = number is signal.SIGSTOP or (self.frozen and number is not signal.SIGCONT)

    def stop(self) -> int:
        """Stop for good, in order; the exit status."""
        if self.process is None:
            return 0
        self.send(signal.SIGCONT)
        self.send(signal.SIGTERM)
        status = self.process.popen.wait(STOP_SECONDS)
        self.statuses.append(status)
        self.process = None
        return status

    def kill(self) -> None:
        """End at once, for good."""
        if self.process is not None:
            self.process.popen.kill()
            self.process.popen.wait()
            self.process = None

    def is_caught_up(self) -> bool:
        """Whether the process says so."""
        return self.process is not None and self.process.ask("/caught-up")[0] == 200


class Members:
    """All processes of a deployment: an intake, reconcilers that count, a publisher."""

    def __init__(self, medlist: Medlist, reconcilers: int, plants: Sequence[Plant]) -> None:
        self._medlist = medlist
        self._plants = plants
        names = [f"reconciler-{number}" for number in range(reconcilers)]
        self._all = [
            Member("intake-0", partial(medlist.role, "intake", name="intake-0")),
            *(Member(name, partial(_counting, medlist, name, plants)) for name in names),
            Member("publisher-0", partial(medlist.role, "publisher", name="publisher-0")),
        ]

    def of(self, *roles: Role) -> list[Member]:
        """Members of these roles, or all."""
        return [member for member in self._all if not roles or member.role in roles]

    def join(self, name: str) -> Member:
        """One reconciler more, started."""
        member = Member(name, partial(_counting, self._medlist, name, self._plants))
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


def _counting(medlist: Medlist, name: str, plants: Sequence[Plant]) -> Process:
    environment = os.environ | medlist.variables | {"MEDLIST_INSTANCE_ID": name}
    return Process([*WORKER, *plants], medlist.directory / f"{name}.log", environment)


def logs(directory: Path) -> list[Path]:
    """The logs of all processes."""
    return sorted(directory.glob("*.log"))
