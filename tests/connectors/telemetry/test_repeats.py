"""Lines of libraries that say the same again."""

import io
import logging
from collections.abc import Callable
from typing import Any

import pytest

from connectors.telemetry import setup
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
