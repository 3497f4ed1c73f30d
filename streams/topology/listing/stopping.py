"""The end of the listing on a fault: one log line, then ``os._exit``; the restart reads on behind the last stored batch."""

from typing import Final

from connectors.telemetry import declare, get_logger
from streams.topology.stopping import Stop

EVENTS: Final = declare({"listing.stopped": "LST-101"})

_log = get_logger()


class ListingStop(Stop):
    """Ends the process of the listing."""

    def tell(self, cause: BaseException, status: int) -> None:
        """Log the one line."""
        _log.critical("listing.stopped", exc_info=cause, exit_status=status)
