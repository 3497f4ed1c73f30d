"""Telemetry without patients: coded events as JSON lines, through an allow-list of fields.

    log = get_logger()
    log.info("batch.applied", topic="medlist.fact.v1", partition=3, offset=17, facts=100)

Fields stand in `fields`, events in `catalogue`; a package adds its own events with `declare`.
"""

from connectors.telemetry.catalogue import declare
from connectors.telemetry.errors import CodedError
from connectors.telemetry.setup import configure, get_logger

__all__ = ["CodedError", "configure", "declare", "get_logger"]
