"""The end of the intake on a fault: one log line, then `os._exit`, so that nothing half done is tidied up on the way.

The uncommitted messages are read again after the restart.
"""

import logging
import os
import sys
from collections.abc import Callable
from typing import NoReturn

from connectors.telemetry import declare, get_logger
from streams.topology.intake.problems import IntakeError
from streams.topology.problems import RESTART_STATUS

EVENTS = declare({"intake.stopped": "ITK-101"})

_log = get_logger()


class IntakeStop:
    """Ends the process. Tests give it another `leave`."""

    def __init__(self, leave: Callable[[int], NoReturn] = os._exit) -> None:
        self._leave = leave

    def __call__(self, cause: BaseException) -> NoReturn:
        """Log the cause and leave with its status, or with 70 for what nobody foresaw."""
        status = cause.status if isinstance(cause, IntakeError) else RESTART_STATUS
        _log.critical("intake.stopped", exc_info=cause, exit_status=status)
        logging.shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
        self._leave(status)
