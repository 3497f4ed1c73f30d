"""One of our processes: its log, its health endpoint, its end."""

import json
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Any

DEADLINE_SECONDS = 120.0
POLL_SECONDS = 0.02
LOG_CHARACTERS = 3000


class Process(AbstractContextManager["Process"]):
    """A running process that logs JSON lines to standard error; dead when the context ends."""

    def __init__(self, command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None) -> None:
        self.log = log
        self._address = ""
        with log.open("ab") as stream:
            self._begin = stream.tell()
            self.popen = subprocess.Popen(
                command, stdout=stream, stderr=stream, env=None if environment is None else dict(environment)
            )

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.popen.kill()
        self.popen.wait()

    @property
    def status(self) -> int | None:
        """The exit status; `None` while it runs."""
        return self.popen.poll()

    def lines(self) -> list[dict[str, Any]]:
        """What this process has logged, line by line."""
        text = self.log.read_bytes()[self._begin :].decode()
        return [json.loads(line) for line in text.splitlines() if line.startswith("{") and line.endswith("}")]

    def tail(self) -> str:
        """The end of the log, for messages of failures."""
        return self.log.read_text(encoding="utf-8")[-LOG_CHARACTERS:]

    def line_of(self, event: str) -> dict[str, Any]:
        """The first log line of the event, waited for."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while time.monotonic() < deadline:
            found = next((line for line in self.lines() if line.get("event") == event), None)
            if found is not None:
                return found
            self.require_alive()
            time.sleep(POLL_SECONDS)
        raise TimeoutError(f"no {event}:\n{self.tail()}")

    def require_alive(self) -> None:
        """Raise `RuntimeError` with the end of the log when the process has ended."""
        if self.status is not None:
            raise RuntimeError(f"the process ended with {self.status}:\n{self.tail()}")

    def ask(self, path: str) -> tuple[int, bytes]:
        """Status and body of the health endpoint; status 0 when it does not answer (yet)."""
        if not self._address:
            served = (str(line["address"]) for line in self.lines() if line.get("event") == "health.served")
            self._address = next(served, "")
        if not self._address:
            return 0, b""
        try:
            with urllib.request.urlopen(f"http://{self._address}{path}", timeout=5) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.read()
        except OSError:
            return 0, b""

    def wait_for(self, path: str, within_seconds: float = DEADLINE_SECONDS) -> None:
        """Return when the endpoint says yes. Raises `RuntimeError` when the process ends, `TimeoutError` when it never does."""
        deadline = time.monotonic() + within_seconds
        while self.ask(path)[0] != 200:
            self.require_alive()
            if time.monotonic() > deadline:
                raise TimeoutError(f"not {path} within {within_seconds} s:\n{self.tail()}")
            time.sleep(POLL_SECONDS)

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and wait for the end; the exit status, negative when a signal killed it."""
        self.popen.send_signal(number)
        return self.popen.wait(DEADLINE_SECONDS)

    def freeze(self) -> None:
        """Stop its clockwork (SIGSTOP): connections stay open, nothing answers."""
        self.popen.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen process go on."""
        self.popen.send_signal(signal.SIGCONT)

    def cpu_seconds(self) -> float:
        """User and system time so far."""
        fields = Path(f"/proc/{self.popen.pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident_bytes(self) -> int:
        """Memory in use."""
        fields = Path(f"/proc/{self.popen.pid}/statm").read_text(encoding="utf-8").split()
        return int(fields[1]) * os.sysconf("SC_PAGE_SIZE")
