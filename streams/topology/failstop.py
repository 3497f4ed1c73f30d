"""The end of the process, on purpose: one log line with a code, then `os._exit`.

Why so hard: an exception that travels through faust, or an orderly stop, commits offsets and acknowledges records on its
way out. Nothing of ours depends on those, but a process that goes on in a state nobody foresaw is worse than a restart.
"""

from collections.abc import Coroutine
from typing import Any, Final, NoReturn

from connectors.telemetry import declare, get_logger
from streams.topology.problems import EngineCode, EngineError
from streams.topology.stopping import Stop

EVENTS: Final = declare({"engine.stopped": "ENG-100"})

_log = get_logger()


class FailStop(Stop):
    """Ends the process of the reconciler."""

    def __call__(self, cause: BaseException) -> NoReturn:
        """Log the cause and leave with its status: an `EngineError`'s own, or 70 for what nobody foresaw."""
        super().__call__(as_engine_error(cause))

    def tell(self, cause: BaseException, status: int) -> None:
        """Log the one line."""
        _log.critical("engine.stopped", exc_info=cause, exit_status=status)

    async def guard(self, work: Coroutine[Any, Any, None]) -> None:
        """Await `work`; whatever it raises ends the process. Being cancelled is not a fault: the worker is stopping."""
        try:
            await work
        except Exception as exc:  # noqa: BLE001 -- does not continue: it leaves
            self(exc)


def as_engine_error(cause: BaseException) -> EngineError:
    """The error that `cause` is, or an unforeseen one that tells its type and place, never its text: that may hold values."""
    if isinstance(cause, EngineError):
        return cause
    error = EngineError(EngineCode.UNFORESEEN, type(cause).__qualname__)
    error.__cause__ = cause
    return error.with_traceback(cause.__traceback__)
