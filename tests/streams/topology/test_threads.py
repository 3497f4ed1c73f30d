"""The threads of a process: none dies or hangs unseen."""

import logging
import subprocess
import sys
import threading

import pytest

from streams.topology import threads
from streams.topology.threads import Guard

DIES = """
import threading
from connectors.telemetry import configure
from streams.topology.threads import end_with_a_dead_thread

configure()
end_with_a_dead_thread()
threading.Thread(target=lambda: int("no number"), daemon=True).start()
threading.Event().wait()
"""


def test_a_process_ends_with_a_thread_that_dies() -> None:
    """Whichever it is: it asks for a restart, and the log tells where it died."""
    ended = subprocess.run([sys.executable, "-c", DIES], capture_output=True, timeout=60, check=False)

    assert ended.returncode == 70
    assert b'"event":"process.crashed"' in ended.stderr


def test_a_guard_hands_a_fault_on_until_it_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """It asks again and again, and not once more after that."""
    monkeypatch.setattr(threads, "LOOK_SECONDS", 0.001)
    fault, told = RuntimeError(), threading.Event()
    asked, stopped = [], []

    def look() -> BaseException | None:
        asked.append(1)
        return fault if len(asked) == 3 else None

    def stop(cause: BaseException) -> None:
        stopped.append(cause)
        told.set()

    guard = Guard("guard-of-a-test", look, stop)
    guard.start()
    assert told.wait(30)
    guard.close()

    assert stopped == [fault]
    assert "guard-of-a-test" not in {one.name for one in threading.enumerate()}


def test_a_guard_that_never_began_is_closed_too() -> None:
    """What could not start is tidied up like the rest."""
    Guard("never", lambda: None, logging.error).close()

    assert "never" not in {one.name for one in threading.enumerate()}
