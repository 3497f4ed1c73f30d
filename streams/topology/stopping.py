"""The end of a process on purpose: one log line, then ``os._exit``, so that nothing half done is tidied up on the way."""

import logging
import os
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import NoReturn

from streams.topology.problems import RESTART_STATUS, StopError


class Stop(ABC):
    """Ends the process. Tests give it another ``leave``."""

    def __init__(self, leave: Callable[[int], NoReturn] = os._exit) -> None:
        self._leave = leave

    def __call__(self, cause: BaseException) -> NoReturn:
        """Log the cause and leave with its status, or with 70 for what nobody foresaw."""
        status = cause.status if isinstance(cause, StopError) else RESTART_STATUS
        self.tell(cause, status)
        logging.shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
        self._leave(status)

    @abstractmethod
    def tell(self, cause: BaseException, status: int) -> None:
        """Log the one line, under the event of this kind of process."""
