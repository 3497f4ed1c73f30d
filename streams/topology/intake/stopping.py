"""The end of the intake on a fault: one log line, then `os._exit`, so that nothing half done is tidied up on the way.

The uncommitted messages are read again after the restart.
"""

from typing import Final

from connectors.telemetry import declare, get_logger
from streams.topology.stopping import Stop

EVENTS: Final = declare({"intake.stopped": "ITK-101"})

_log = get_logger()


class IntakeStop(Stop):
    """Ends the process of the intake."""

    def tell(self, cause: BaseException, status: int) -> None:
        """Log the one line."""
        _log.critical("intake.stopped", exc_info=cause, exit_status=status)
