"""Places in the code: which statement spoke."""

import sys
from types import FrameType
from typing import Final

_MACHINERY: Final = ("connectors.telemetry", "structlog", "logging", "warnings", "mode.utils.logging")


def speaker() -> FrameType | None:
    """The frame of the statement that logged: the innermost one outside the machinery of logging."""
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - the only way to the code object that spoke
    while frame is not None:
        module = f"{frame.f_globals.get('__name__', '')}."
        if not any(module.startswith(f"{part}.") for part in _MACHINERY):
            return frame
        frame = frame.f_back
    return None


def place_of(frame: FrameType) -> str:
    """`module:line function` of what the frame is executing."""
    return f"{frame.f_globals.get('__name__', '?')}:{frame.f_lineno} {frame.f_code.co_name}"
