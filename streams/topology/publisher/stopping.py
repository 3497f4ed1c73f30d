"""The end of the publisher on a fault: one log line, then ``os._exit``, so that nothing half done is tidied up on the way.

Whatever was not committed is read again after the restart, and published again: which changes nothing that was done.
"""

from typing import Final

from connectors.telemetry import declare, get_logger
from streams.topology.stopping import Stop

EVENTS: Final = declare({"publisher.stopped": "PBS-101"})

_log = get_logger()


class PublisherStop(Stop):
    """Ends the process of the publisher."""

    def tell(self, cause: BaseException, status: int) -> None:
        """Log the one line."""
        _log.critical("publisher.stopped", exc_info=cause, exit_status=status)
