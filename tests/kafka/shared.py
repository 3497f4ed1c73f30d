"""`python -m tests.kafka.shared COMMAND...`: run a command whose processes share one real Kafka, named by `MEDLIST_KAFKA`.

Tests that run in several processes at once (`pytest -n`) would start a broker in each. Where none can be had the command runs
all the same, without one: what that means is said where a test asks for it (`tests/conftest.py`).
"""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.kafka.found import some_broker
from tests.kafka.libraries import BrokerUnavailableError

_NAME = "MEDLIST_KAFKA"


def run(command: Sequence[str]) -> int:
    """The exit status of the command; the broker ends with it."""
    with tempfile.TemporaryDirectory(prefix="medlist-kafka-") as directory, contextlib.ExitStack() as stack:
        environment = dict(os.environ)
        try:
            broker = stack.enter_context(some_broker(Path(directory) / "broker", environment.get(_NAME)))
        except BrokerUnavailableError as unavailable:
            sys.stderr.write(f"no Kafka: {unavailable}\n")
        else:
            environment[_NAME] = broker.bootstrap
        return subprocess.call(command, env=environment)


def main() -> int:
    """Run; Ctrl-C is for the command to answer, and this process waits for it."""
    signal.signal(signal.SIGINT, lambda _number, _frame: None)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
