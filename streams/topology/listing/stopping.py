"""The end of the listing on a fault: one log line, then ``os._exit``; the restart reads on behind the last stored batch."""

import logging
import os
import sys
from collections.abc import Callable
from typing import Final, NoReturn

from connectors.telemetry import declare, get_logger
from streams.topology.problems import RESTART_STATUS
from streams.topology.publisher.problems import PublisherError

EVENTS: Final = declare({"listing.stopped": "LST-101"})

_log = get_logger()


class ListingStop:
    """Ends the process. Tests give it another ``leave``."""

    def __init__(self, leave: Callable[[int], NoReturn] = os._exit) -> None:
        self._leave = leave

    def __call__(self, cause: BaseException) -> NoReturn:
        """Log the cause and leave with its status, or with 70 for what nobody foresaw."""
        status = cause.status if isinstance(cause, PublisherError) else RESTART_STATUS
        _log.critical("listing.stopped", exc_info=cause, exit_status=status)
        logging.shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
        self._leave(status)
