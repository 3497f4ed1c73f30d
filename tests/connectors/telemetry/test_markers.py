"""No patient in the telemetry: marker strings are fed through every way in, and looked for in all that comes out."""

import asyncio
import gc
import io
import logging
import re
import subprocess
import sys
import threading
import traceback
import warnings
from collections.abc import Callable

import pytest
import structlog
from mode import Service

from connectors.telemetry import CodedError, get_logger

MARKER = "Märta Märksson"
NUMBER = "19121212-1212"
TEXT = f"{MARKER} {NUMBER}"
TIME = re.compile(r'^\{"at":"[-0-9:T.+]+",', re.MULTILINE)
FRAGMENTS = ("Märta", "Märksson", "1912", "\\u00e4")


class Patient:
    """Shows itself wherever it is formatted."""

    def __repr__(self) -> str:
        return TEXT


def assert_no_marker(written: str) -> None:
    """Nothing of the marker stands in what was written, however escaped; the time of a line may well end in its digits."""
    timeless = TIME.sub("", written)
    assert timeless
    assert [fragment for fragment in FRAGMENTS if fragment in timeless] == []


def own_field() -> None:
    """As the value of a field that may be logged, in every shape of value."""
    for value in (TEXT, MARKER, NUMBER, [TEXT], {TEXT: TEXT}, Patient(), TEXT.encode(), "191212121212"):
        get_logger().info("batch.applied", system=value, topic=value, patient=value, reasons=[value], address=value)


def own_field_as_a_number() -> None:
    """As a number where a count belongs."""
    get_logger().info("batch.applied", offset=191212121212, count=1212121212, seconds=191212121212.0)


def own_unknown_field() -> None:
    """As a field that is not known, by value and by name."""
    get_logger().info("batch.applied", name=TEXT, **{TEXT: 1})


def own_event_name() -> None:
    """As the event, whole or formatted into it."""
    get_logger().info(TEXT)
    get_logger().info("patient.%s", MARKER)
    get_logger().info(f"patient.{MARKER}")


def own_context() -> None:
    """Bound to the logger or to the context before."""
    structlog.contextvars.bind_contextvars(patient=TEXT, person=TEXT)
    get_logger().bind(system=TEXT).info("batch.applied")


def own_exception() -> None:
    """In the text, a note, the cause and the locals of an exception."""
    held = TEXT
    try:
        try:
            int(held)
        except ValueError as error:
            error.add_note(TEXT)
            raise RuntimeError(TEXT) from error
    except RuntimeError:
        get_logger().exception("process.stalled")


def own_exception_group() -> None:
    """Inside a group of exceptions."""
    group = ExceptionGroup(TEXT, [KeyError(TEXT), ValueError(TEXT)])
    get_logger().error("process.stalled", exc_info=group)


def own_stack() -> None:
    """In the stack that a caller asks for."""
    held = TEXT
    get_logger().error("process.stalled", stack_info=True, stack=[*traceback.format_stack(), held])


def library_arguments() -> None:
    """As arguments of a library's line, also named ones."""
    for name in ("faust", "aiokafka.consumer.fetcher", "mode", "confluent_kafka", "asyncio", "aiohttp.access"):
        logging.getLogger(name).warning("sent %s to %r", MARKER, Patient())
        logging.getLogger(name).warning("sent %(who)s", {"who": TEXT})
        logging.getLogger(name).warning(Patient())


def library_text() -> None:
    """Formatted into a library's line before it logs, or by a log level in its name."""
    logging.getLogger("faust").error(f"value {TEXT}")  # noqa: G004 - what a library may do
    logging.getLogger("faust").error("value " + TEXT)  # noqa: G003 - what a library may do
    logging.getLogger(MARKER).error("logger")
    logging.getLogger("faust").log(35, "value %s", TEXT)


def library_extra() -> None:
    """As extra attributes of the record."""
    logging.getLogger("aiokafka").error("value", extra={"payload": TEXT, "data": {"patient": TEXT}})


def library_exception() -> None:
    """In the exception of a library's line."""
    try:
        int(TEXT)
    except ValueError:
        logging.getLogger("faust").exception("agent crashed: %r", TEXT)


def library_debug() -> None:
    """On the level where libraries log payloads, even where somebody turns it on."""
    logging.getLogger("aiokafka").setLevel(logging.DEBUG)
    logging.getLogger("aiokafka").debug("value")
    logging.getLogger("aiokafka").setLevel(logging.NOTSET)
    logging.getLogger("aiokafka").warning("value")


def service() -> None:
    """Through mode's own way of logging, which faust uses."""

    async def run() -> None:
        one = Service()
        one.log.error("crashed: %r", Patient())
        one.log.error(f"crashed: {MARKER}")  # noqa: G004 - what a library may do
        await one.stop()

    asyncio.run(run())


def warning() -> None:
    """As the text of a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=True)
        warnings.warn(TEXT, stacklevel=1)


def forgotten_task() -> None:
    """In the exception of a task that nobody waited for, which asyncio logs."""

    async def fail() -> None:
        raise ValueError(TEXT)

    async def run() -> None:
        task = asyncio.create_task(fail())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        del task
        gc.collect()

    asyncio.run(run())


def thread() -> None:
    """In an exception that ends a thread."""
    threading.excepthook(threading.ExceptHookArgs((ValueError, ValueError(TEXT), None, threading.current_thread())))


def hook() -> None:
    """In an exception that ends the process."""
    sys.excepthook(ValueError, ValueError(TEXT), None)


def coded_error() -> None:
    """As a number in a text of ours, by mistake."""
    get_logger().error("process.stalled", exc_info=CodedError("CFG-001", f"bad number {NUMBER}", f"mend {NUMBER}"))


WAYS_IN: list[Callable[[], None]] = [
    own_field,
    own_field_as_a_number,
    own_unknown_field,
    own_event_name,
    own_context,
    own_exception,
    own_exception_group,
    own_stack,
    library_arguments,
    library_text,
    library_extra,
    library_exception,
    library_debug,
    service,
    warning,
    forgotten_task,
    thread,
    hook,
    coded_error,
]


@pytest.mark.parametrize("way_in", WAYS_IN)
def test_a_marker_comes_out_nowhere(
    way_in: Callable[[], None], written: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever way a patient's data enters the telemetry, none of it is written, to the log or beside it."""
    way_in()

    beside = capsys.readouterr()
    assert_no_marker(written.getvalue())
    assert (beside.out, beside.err) == ("", "")


def test_the_search_finds_a_marker() -> None:
    """The search itself can fail: a plain line with the marker is found."""
    with pytest.raises(AssertionError):
        assert_no_marker(f'{{"event":"{TEXT}"}}')
    with pytest.raises(AssertionError):
        assert_no_marker('{"at":"2026-11-22T21:58:27.471912+00:00","offset":1912}')
    assert_no_marker('{"at":"2026-11-22T21:58:27.471912+00:00","offset":1}')


def test_a_crashing_process_writes_no_marker() -> None:
    """A process that dies of an exception leaves one coded line, and no traceback with texts."""
    script = (
        "from connectors.telemetry import configure\n"
        "configure()\n"
        f"held = {TEXT!r}\n"
        "raise ValueError(held) from KeyError(held)\n"
    )

    died = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, encoding="utf-8", timeout=30, check=False
    )

    assert died.returncode == 1
    assert died.stdout == ""
    assert_no_marker(died.stderr)
    assert [line for line in died.stderr.splitlines() if '"PRC-003"' in line] == died.stderr.splitlines()
