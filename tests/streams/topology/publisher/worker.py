"""A publisher as a child process, to be killed and started again."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from connectors.settings import DEMO_PSEUDONYM_KEY, Settings


class Worker:
    """A publisher as a child process."""

    def __init__(self, settings: Settings, log: Path) -> None:
        shown = settings.model_dump(mode="json", exclude_defaults=True)
        told = {"pseudonym_key": DEMO_PSEUDONYM_KEY}
        if settings.nll_client_secret is not None:
            told["nll_client_secret"] = settings.nll_client_secret.get_secret_value()
        self._settings = json.dumps(shown | told)
        self._log = log
        self.process = self._started()

    def kill(self) -> None:
        """Kill it in the middle of whatever it does, and start it again."""
        self.process.kill()
        self.process.wait()
        self.process = self._started()

    def _started(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "tests.streams.topology.publisher.process", self._settings]
        with self._log.open("ab") as log:
            return subprocess.Popen(command, stderr=log)


@contextmanager
def worker(settings: Settings, log: Path) -> Iterator[Worker]:
    """A running publisher, killed at the end if it still runs. Its name lets a restart take over at once."""
    running = Worker(settings.model_copy(update={"instance_id": "publisher-1"}), log)
    try:
        yield running
    finally:
        if running.process.poll() is None:
            running.process.kill()
            running.process.wait()
