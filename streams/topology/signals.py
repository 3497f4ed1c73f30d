"""How a process is asked to stop."""

import signal
import threading


def asked_to_stop() -> threading.Event:
    """Return an event that SIGTERM and SIGINT set from now on. To be called from the main thread."""
    asked = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: asked.set())
    return asked
