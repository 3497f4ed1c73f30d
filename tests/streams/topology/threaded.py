"""Running a process of the stream in a thread of a test."""

import contextlib
import threading
from collections.abc import Callable, Iterator

DEADLINE_SECONDS = 60.0


class Ended(BaseException):
    """What a fail-stop raises in tests instead of leaving: it ends the thread."""


@contextlib.contextmanager
def running(work: Callable[[threading.Event], None]) -> Iterator[None]:
    """Run `work` in a thread until the context ends; then it is asked to stop, by the event that it was given, and must."""
    over = threading.Event()

    def run() -> None:
        with contextlib.suppress(Ended):
            work(over)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(DEADLINE_SECONDS)
        assert not thread.is_alive()
