"""The end of the process, on purpose: one log line with a code, then `os._exit`.

Why so hard: an exception that travels through faust, or an orderly stop, commits offsets and acknowledges records on its
way out. Nothing of ours depends on those, but a process that goes on in a state nobody foresaw is worse than a restart.
"""

import logging
import os
import sys
import traceback
from collections.abc import Callable, Coroutine
from typing import Any, NoReturn

import structlog
from confluent_kafka import KafkaError, KafkaException

from streams.topology.problems import EngineCode, EngineError

_log = structlog.get_logger(__name__)

EXPLAINING_FRAMES = 8


class FailStop:
    """Ends the process. Tests give it another `leave`."""

    def __init__(self, leave: Callable[[int], NoReturn] = os._exit) -> None:
        self._leave = leave

    def __call__(self, cause: BaseException) -> NoReturn:
        """Log the cause and leave with its status: a problem's own, or 70 for what nobody foresaw."""
        problem = as_problem(cause)
        _log.critical(
            "engine.stopped", code=problem.code, detail=problem.detail, remedy=problem.remedy, status=problem.status
        )
        logging.shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
        self._leave(problem.status)

    async def guard(self, work: Coroutine[Any, Any, None]) -> None:
        """Await `work`; whatever it raises ends the process. Being cancelled is not a fault: the worker is stopping."""
        try:
            await work
        except Exception as exc:  # noqa: BLE001 -- does not continue: it leaves
            self(exc)


def as_problem(cause: BaseException) -> EngineError:
    """The problem that `cause` is, or an unforeseen one that tells type and place, but no text: texts may hold values."""
    if isinstance(cause, EngineError):
        return cause
    return EngineError(EngineCode.UNFORESEEN, describe(cause))


def describe(cause: BaseException) -> str:
    """Type and place of an exception. Its text only where it comes from the Kafka client, which never sees inside values."""
    if isinstance(cause, KafkaException) and cause.args and isinstance(cause.args[0], KafkaError):
        error = cause.args[0]
        return f"{error.name()}: {error.str()}"
    frames = traceback.extract_tb(cause.__traceback__)[-EXPLAINING_FRAMES:]
    place = " < ".join(f"{os.path.basename(frame.filename)}:{frame.lineno} {frame.name}" for frame in reversed(frames))  # noqa: PTH119 -- a name, no path
    return f"{type(cause).__name__} at {place or 'unknown place'}"
