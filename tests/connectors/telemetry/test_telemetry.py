"""What a log line says: code, event, fields; what libraries and exceptions become."""

import errno
import logging
from collections.abc import Callable

import pytest
from confluent_kafka import KafkaError, KafkaException

from connectors.telemetry import CodedError, declare, get_logger
from connectors.telemetry.catalogue import CatalogueError

Lines = Callable[[], list[dict[str, object]]]


def only(lines: Lines) -> dict[str, object]:
    """The one line that was written, without its time."""
    [line] = lines()
    assert str(line.pop("at")).endswith("+00:00")
    return line


def test_a_line_has_code_event_level_and_its_fields(lines: Lines) -> None:
    """A declared event is written with its code, and every field that is allowed."""
    get_logger().info("batch.applied", topic="medlist.fact.v1", partition=3, offset=17, facts=100, seconds=0.25)

    assert only(lines) == {
        "code": "REC-005",
        "event": "batch.applied",
        "level": "info",
        "topic": "medlist.fact.v1",
        "partition": 3,
        "offset": 17,
        "facts": 100,
        "seconds": 0.25,
    }


def test_what_is_left_out_is_counted(lines: Lines) -> None:
    """Unknown fields and values of the wrong shape are missing from the line, but not silently."""
    get_logger().warning("batch.applied", name="x", partition="three", count=True, offset=1)

    assert only(lines) == {"code": "REC-005", "event": "batch.applied", "level": "warning", "offset": 1, "dropped": 3}


def test_an_undeclared_event_is_told_by_its_place(lines: Lines) -> None:
    """An event that nobody declared shows where it was logged instead of what it was called."""
    get_logger().info("something.happened", count=1)

    line = only(lines)
    assert (line["code"], line["event"], line["count"]) == ("TEL-001", "event.undeclared", 1)
    assert "test_telemetry" in str(line["place"])


def test_nothing_below_info_is_written(lines: Lines) -> None:
    """There is no debug level."""
    get_logger().debug("batch.applied")
    logging.getLogger("faust").debug("x")

    assert lines() == []


@pytest.mark.parametrize(
    "events",
    [
        {"Fact.Applied": "ABC-001"},
        {"applied": "ABC-001"},
        {"fact.applied": "abc1"},
        {"process.started": "ABC-001"},
        {"fact.applied": "PRC-001"},
    ],
)
def test_a_wrong_declaration_is_refused(events: dict[str, str]) -> None:
    """An event is noun.verb, and neither its name nor its code may stand for something else already."""
    with pytest.raises(CatalogueError):
        declare(events)


def test_a_declared_event_can_be_logged(lines: Lines) -> None:
    """A package's own events join the catalogue, and may be declared again by a second import."""
    declare({"test.declared": "TST-001"})
    declare({"test.declared": "TST-001"})

    get_logger().info("test.declared")

    assert only(lines) == {"code": "TST-001", "event": "test.declared", "level": "info"}


def test_an_exception_is_told_by_classes_and_places(lines: Lines) -> None:
    """An exception shows its class, its causes' classes and where in the code it was raised."""
    try:
        try:
            int("x")
        except ValueError as error:
            raise LookupError from error
    except LookupError:
        get_logger().exception("process.stalled")

    line = only(lines)
    assert (line["level"], line["error"], line["causes"]) == ("error", "LookupError", ["ValueError"])
    assert isinstance(line["where"], list)
    assert line["where"][0].endswith("test_an_exception_is_told_by_classes_and_places")


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (
            CodedError("CFG-001", "no broker", "Set it."),
            {"error_code": "CFG-001", "error_text": "no broker", "remedy": "Set it."},
        ),
        (KafkaException(KafkaError(KafkaError._MSG_TIMED_OUT)), {"kafka_error": "_MSG_TIMED_OUT"}),
        (OSError(errno.ENOSPC, "no space", "/secret/path"), {"errno": "ENOSPC"}),
    ],
)
def test_an_exception_shows_the_codes_it_has(lines: Lines, error: Exception, told: dict[str, str]) -> None:
    """What is a code or a text of our own is told, so that an operator knows what to do."""
    get_logger().error("process.stalled", exc_info=error)

    line = only(lines)
    assert {name: line[name] for name in told} == told
    assert "/secret" not in str(line)


def test_a_coded_error_is_found_inside_a_group(lines: Lines) -> None:
    """The remedy is told even when the error comes wrapped, as from a task group."""
    group = ExceptionGroup("tasks", [ValueError("x"), CodedError("CFG-001", "m", "r")])

    get_logger().error("process.stalled", exc_info=group)

    line = only(lines)
    assert (line["error"], line["error_code"]) == ("ExceptionGroup", "CFG-001")


E_CONSTANT = "a text of this module: %s"


def test_a_library_line_shows_its_literal_text(lines: Lines) -> None:
    """A text that stands literally in the source of the function or its module is told, its arguments counted."""
    logging.getLogger("asyncio.conn").warning("connection to %s closed", "x")
    logging.getLogger("asyncio.conn").warning(E_CONSTANT, "x")

    assert [(line["code"], line["logger"], line["text"], line["dropped"]) for line in lines()] == [
        ("TEL-002", "asyncio", "connection to %s closed", 1),
        ("TEL-002", "asyncio", "a text of this module: %s", 1),
    ]


def test_a_library_line_always_shows_its_place(lines: Lines) -> None:
    """A text that was put together is left out, and the place tells which statement it was."""
    logging.getLogger("faust").warning("put " + str(1))  # noqa: G003 - what a library may do

    line = only(lines)
    assert "text" not in line
    assert "test_a_library_line_always_shows_its_place" in str(line["place"])


def test_librdkafka_shows_its_facility(lines: Lines) -> None:
    """Of librdkafka's lines the kind of event is told: it is a constant of the library."""
    logging.getLogger("confluent_kafka").error("%s [%s] %s", "FAIL", "rdkafka#producer-1", "x")

    assert only(lines)["facility"] == "FAIL"
