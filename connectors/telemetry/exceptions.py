"""What may be told about an exception: its classes, its codes, and the places in the code. Never its text or locals.

The text of an exception that is not ours may quote a message (`invalid literal for int(): '19121212-1212'`), and the
locals of a frame hold patients.
"""

import errno
from collections.abc import Iterator
from types import TracebackType

from confluent_kafka import KafkaError, KafkaException

from connectors.telemetry.errors import CodedError

_MOST_CAUSES = 10
_MOST_PLACES = 20


def describe(error: BaseException) -> dict[str, object]:
    """The fields of a log line for an exception: its class as `error`, its code places as `where`.

    As they apply also `causes` (classes), `error_code`, `error_text` and `remedy` of the outermost `CodedError` in the
    chain, `kafka_error` (librdkafka's name of it) and `errno`.
    """
    chain = list(_chain(error))
    told: dict[str, object] = {"error": _class_name(error), "where": _places(error.__traceback__)}
    if chain[1:]:
        told["causes"] = [_class_name(cause) for cause in chain[1:]]
    for link in chain:
        told = _codes(link) | told  # the outermost link wins
    return told


def _codes(error: BaseException) -> dict[str, object]:
    match error:
        case CodedError():
            return {"error_code": error.code, "error_text": error.message, "remedy": error.remedy}
        case KafkaException() if error.args and isinstance(error.args[0], KafkaError):
            return {"kafka_error": error.args[0].name()}
        case OSError(errno=int(number)) if number in errno.errorcode:
            return {"errno": errno.errorcode[number]}
        case _:
            return {}


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The exception, then what caused it and what a group holds, each once, as far as `_MOST_CAUSES`."""
    waiting = [error]
    seen: set[int] = set()
    while waiting and len(seen) <= _MOST_CAUSES:
        link = waiting.pop(0)
        if id(link) in seen:
            continue
        seen.add(id(link))
        yield link
        if isinstance(link, BaseExceptionGroup):
            waiting.extend(link.exceptions)
        cause = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
        if cause is not None:
            waiting.append(cause)


def _class_name(error: BaseException) -> str:
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _places(traceback: TracebackType | None) -> list[str]:
    """`module:line function` of the innermost frames, outermost first."""
    places = []
    while traceback is not None:
        frame = traceback.tb_frame
        module = frame.f_globals.get("__name__", "?")
        places.append(f"{module}:{traceback.tb_lineno} {frame.f_code.co_name}")
        traceback = traceback.tb_next
    return places[-_MOST_PLACES:]
