"""Telemetry without patients: coded events as JSON lines, through an allow-list of fields."""

from connectors.telemetry.errors import CodedError

__all__ = ["CodedError"]
