"""The threads of a process, beside the one that works: none may die or hang without the process ending.

- One that dies of an exception ends the process at once, whichever it is (`end_with_a_dead_thread`).
- One that hangs is seen by a guard, which only compares times: it has no client and waits for nobody, so it cannot hang itself.

Who sees what: the guard of publisher, listing and nll-source sees their loop; the intake's watchdog sees its loop, and a guard that
watchdog; the reconciler's watchdog sees its stream and the thread that asks where partitions end, and a guard the event loop
in which all of that turns. Where only the health endpoint hangs, `/alive` gives no answer.
"""

import logging
import os
import sys
import threading
from collections.abc import Callable
from typing import Final, NoReturn

from streams.topology.problems import RESTART_STATUS

LOOK_SECONDS: Final = 1.0


def end_with_a_dead_thread(leave: Callable[[int], NoReturn] = os._exit) -> None:
    """From now on leave with status 70 when a thread dies of an exception, once that is logged."""
    tell = threading.excepthook

    def end(crash: threading.ExceptHookArgs) -> None:
        tell(crash)
        logging.shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
        leave(RESTART_STATUS)

    threading.excepthook = end


class Guard:
    """A thread that asks every second whether there is a fault, and hands it to `stop`; once started, until it is closed."""

    def __init__(
        self, name: str, fault: Callable[[], BaseException | None], stop: Callable[[BaseException], object]
    ) -> None:
        self._fault = fault
        self._stop = stop
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def close(self) -> None:
        """Look no more."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(LOOK_SECONDS):
            fault = self._fault()
            if fault is not None:
                self._stop(fault)
