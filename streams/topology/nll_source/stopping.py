"""The end of reading NLL on a fault: one log line, then ``os._exit``; the restart reads on where the watermarks stand."""

from typing import Final

from connectors.telemetry import declare, get_logger
from streams.topology.stopping import Stop

EVENTS: Final = declare({"nll_source.stopped": "NLS-101"})

_log = get_logger()


class NllSourceStop(Stop):
    """Ends the process that reads NLL."""

    def tell(self, cause: BaseException, status: int) -> None:
        """Log the one line."""
        _log.critical("nll_source.stopped", exc_info=cause, exit_status=status)
