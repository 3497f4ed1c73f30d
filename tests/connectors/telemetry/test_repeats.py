"""Lines of libraries that say the same again."""

import io
import logging
import threading
from collections.abc import Callable
from typing import Any

import pytest

from connectors.telemetry import configure, get_logger, setup
from connectors.telemetry.repeats import AGAIN_SECONDS, KNOWN_MOST, Repeats


def test_the_same_is_written_once_and_then_counted() -> None:
    """After a while once more, with how many were left out in between."""
    repeats = Repeats()

    told = [repeats.left_out(b"away", 100.0 + second) for second in range(5)]

    assert told == [0, None, None, None, None]
    assert repeats.left_out(b"other", 105.0) == 0
    assert repeats.left_out(b"away", 100.0 + AGAIN_SECONDS) == 4
    assert repeats.left_out(b"away", 101.0 + AGAIN_SECONDS) is None


def test_only_so_much_is_remembered() -> None:
    """What was said longest ago is forgotten, and written again."""
    repeats = Repeats()
    for number in range(KNOWN_MOST + 1):
        repeats.left_out(str(number).encode(), 100.0)

    assert repeats.left_out(b"0", 100.0) == 0
    assert repeats.left_out(str(KNOWN_MOST).encode(), 100.0) is None


def test_a_library_that_tries_again_and_again_is_heard_once(
    written: io.StringIO, lines: Callable[[], list[dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each kind of failure is told at once; the next time that one is told, so is how often it came."""
    now = 100.0
    monkeypatch.setattr(setup, "monotonic", lambda: now)

    def fail(error: Exception, node: int) -> None:
        logging.getLogger("aiokafka.client").error("Unable connect to node with id %s", node, exc_info=error)

    for _ in range(50):
        fail(ConnectionError(), 1)
        fail(TimeoutError(), 1)
    now += AGAIN_SECONDS
    fail(ConnectionError(), 2)

    assert [line.get("skipped") for line in lines()] == [None, None, 49]


DEADLINE_SECONDS = 5.0


class Dying:
    """Something in a circle that Python finds while a lock is held, and that speaks as it goes: an `asyncio.Task` does."""

    def __init__(self, last_words: Callable[[], object]) -> None:
        self._last_words: list[Callable[[], object]] = [last_words]

    def __call__(self) -> None:
        """Its end; it has one."""
        if self._last_words:
            self._last_words.pop()()


def ends(work: Callable[[], object]) -> bool:
    """Whether it does, in a thread."""
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(DEADLINE_SECONDS)
    return not thread.is_alive()


def test_who_speaks_while_it_is_counted_does_not_wait_for_ever() -> None:
    """A thread that waits for itself would hold every other that logs."""
    repeats = Repeats()
    dying = Dying(lambda: repeats.left_out(b"other", 100.0))

    class Said(bytes):
        __slots__ = ()

        def __hash__(self) -> int:
            dying()
            return super().__hash__()

    assert ends(lambda: repeats.left_out(Said(b"away"), 100.0))


@pytest.mark.usefixtures("written")
def test_who_speaks_while_a_line_is_written_does_not_wait_for_ever() -> None:
    """Both lines are whole."""
    dying = Dying(lambda: get_logger().info("health.served"))

    class Stream(io.StringIO):
        def write(self, text: str) -> int:
            dying()
            return super().write(text)

    stream = Stream()
    configure("info", stream)

    assert ends(lambda: get_logger().info("health.served"))
    assert len(stream.getvalue().splitlines()) == 2
