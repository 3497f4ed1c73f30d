"""The end of the publisher on a fault: one log line, then ``os._exit``, so that nothing half done is tidied up on the way.

Whatever was not committed is read again after the restart, and published again: which changes nothing that was done.
"""

import logging
import os
import sys
from collections.abc import Callable
from typing import Final, NoReturn

from connectors.telemetry import declare, get_logger
from streams.topology.problems import RESTART_STATUS
from streams.topology.publisher.problems import PublisherError

EVENTS: Final = declare({"publisher.stopped": "PBS-101"})

_log = get_logger()


class PublisherStop:
    """Ends the process. Tests give it another ``leave``."""

    def __init__(self, leave: Callable[[int], NoReturn] = os._exit) -> None:
        self._leave = leave

    def __call__(self, cause: BaseException) -> NoReturn:
        """Log the cause and leave with its status, or with 70 for what nobody foresaw."""
        status = cause.status if isinstance(cause, PublisherError) else RESTART_STATUS
        _log.critical("publisher.stopped", exc_info=cause, exit_status=status)
        logging.shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
        self._leave(status)
