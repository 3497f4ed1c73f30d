"""The one way out: every line of the process, ours or a library's, is a JSON object made here.

An own event passes: context and fields -> allow-list -> catalogue -> exception -> tripwire -> JSON. A library's record
passes: place and literal text -> what it said just before is only counted -> tripwire -> JSON. Nothing else is connected to
the output.
"""

import contextlib
import logging
import sys
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from time import monotonic
from types import TracebackType
from typing import Any, TextIO, cast

import msgspec
import structlog
from structlog.typing import EventDict, FilteringBoundLogger

from connectors.telemetry.catalogue import UNDECLARED, code_of
from connectors.telemetry.exceptions import describe
from connectors.telemetry.fields import allowed
from connectors.telemetry.library import describe_record
from connectors.telemetry.places import place_of, speaker
from connectors.telemetry.repeats import Repeats
from connectors.telemetry.tripwire import redact

_QUIET_UNLESS_WARNING = ("aiohttp.access", "urllib3", "docker")  # they log paths and hosts per request


def configure(level: str = "info", stream: TextIO | None = None) -> None:
    """Send all logging of the process, and what it crashes of, as JSON lines to `stream` (default: standard error).

    `level` is `info`, `warning` or `error`; nothing below info is ever written, since libraries log payloads there.
    Replaces every handler of the root logger and the hooks for uncaught exceptions; a later call replaces an earlier.
    """
    threshold = max(logging.INFO, logging.getLevelNamesMapping()[level.upper()])
    lines = _Lines(stream or sys.stderr)
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, _own_event],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=lambda *_: lines,
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    for handler in list(root.handlers):
        root.removeHandler(handler)
    root.addHandler(_LibraryHandler(lines, threshold))
    root.setLevel(threshold)
    for name in _QUIET_UNLESS_WARNING:
        logging.getLogger(name).setLevel(max(logging.WARNING, threshold))
    logging.captureWarnings(capture=True)
    _tell_of_crashes()


def get_logger() -> FilteringBoundLogger:
    """A logger of coded events: `log.info("fact.applied", partition=3, offset=17)`."""
    return cast("FilteringBoundLogger", structlog.get_logger())


class _Lines:
    """Writes whole lines, one at a time; the methods are the levels that structlog calls."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = threading.RLock()  # what Python throws away in between, here too, may write a line

    def msg(self, line: str) -> None:
        # A closed pipe leaves nowhere to say so, and must not stop the work.
        with self._lock, contextlib.suppress(OSError, ValueError):
            self._stream.write(line + "\n")
            self._stream.flush()

    debug = info = warning = error = critical = exception = fatal = log = msg


class _LibraryHandler(logging.Handler):
    def __init__(self, lines: _Lines, threshold: int) -> None:
        super().__init__(threshold)
        self._lines = lines
        self._repeats = Repeats()

    def emit(self, record: logging.LogRecord) -> None:
        told = describe_record(record)
        skipped = self._repeats.left_out(msgspec.json.encode(told), monotonic())
        if skipped is not None:
            self._lines.msg(_finished(told | ({"skipped": skipped} if skipped else {})))

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name is logging's
        """Never print the record, as logging would."""


def _own_event(_logger: object, method: str, given: EventDict) -> str:
    """The last processor: from what the caller gave to the finished line."""
    event = given.pop("event")
    cause = _exception(given.pop("exc_info", None))
    fields, dropped = allowed(given)
    if not isinstance(event, str) or code_of(event) is None:
        event = UNDECLARED
        frame = speaker()
        fields["place"] = None if frame is None else place_of(frame)
    if dropped:
        fields["dropped"] = dropped
    if cause is not None:
        fields |= describe(cause)
    level = "error" if method == "exception" else method
    return _finished({"event": event, "level": level} | fields)


def _finished(told: Mapping[str, object]) -> str:
    head = {"at": datetime.now(UTC).isoformat(timespec="microseconds"), "code": code_of(str(told["event"]))}
    return msgspec.json.encode(head | cast("dict[str, Any]", redact(told))).decode()


def _exception(given: object) -> BaseException | None:
    match given:
        case BaseException():
            return given
        case (_, BaseException() as error, _):
            return error
        case None | False | (None, None, None):
            return None
        case _:
            return sys.exc_info()[1]


def _tell_of_crashes() -> None:
    def tell(kind: type[BaseException], error: BaseException | None, _: TracebackType | None) -> None:
        if not issubclass(kind, KeyboardInterrupt):
            get_logger().critical("process.crashed", exc_info=error)

    sys.excepthook = tell
    threading.excepthook = lambda crash: tell(crash.exc_type, crash.exc_value, crash.exc_traceback)
    sys.unraisablehook = lambda crash: tell(crash.exc_type, crash.exc_value, crash.exc_traceback)
