"""Telemetry into a string, and everything put back afterwards."""

import io
import json
import logging
import sys
import threading
from collections.abc import Callable, Iterator

import pytest
import structlog

from connectors.telemetry import configure


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """Everything the process logs during the test."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    hooks = sys.excepthook, threading.excepthook, sys.unraisablehook
    stream = io.StringIO()
    configure("info", stream)
    yield stream
    logging.captureWarnings(capture=False)
    sys.excepthook, threading.excepthook, sys.unraisablehook = hooks
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


@pytest.fixture
def lines(written: io.StringIO) -> Callable[[], list[dict[str, object]]]:
    """A function that returns the lines so far, each as the JSON object it must be."""
    return lambda: [json.loads(line) for line in written.getvalue().splitlines()]
