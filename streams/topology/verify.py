"""Whether the log is still the one that our position speaks of. Pure.

Kafka would answer a position it no longer has with a silent reset, and a topic that was made anew looks like the old one
as soon as it is long enough. Both would be a silent loss; here both are a loud stop.
"""

import msgspec

from streams.topology.position import Position, checksum
from streams.topology.problems import EngineCode, EngineError


class LogView(msgspec.Struct):
    """A fact partition as the broker shows it: offsets `low` (first kept) to `high` (next to be written)."""

    low: int
    high: int
    topic_id: str | None
    record_before: bytes | None
    """The value just before our position; `None` when there is none or it is no longer kept."""


def verify(partition: int, position: Position, log: LogView) -> EngineError | None:
    """The reason not to go on from `position`, or `None`.

    A position at `low` whose record before is gone by retention is fine: everything that is gone was applied.
    """
    if position.topic_id is not None and log.topic_id is not None and position.topic_id != log.topic_id:
        return EngineError(EngineCode.TOPIC_REPLACED, f"partition {partition}: {position.topic_id}, now {log.topic_id}")
    if not log.low <= position.next_offset <= log.high:
        where = f"partition {partition}: position {position.next_offset} outside the log {log.low}-{log.high}"
        return EngineError(EngineCode.POSITION_OUTSIDE_LOG, where)
    if position.checksum is None or log.record_before is None:
        return None
    if checksum(log.record_before) != position.checksum:
        where = f"partition {partition}: record at offset {position.next_offset - 1}"
        return EngineError(EngineCode.RECORD_CHANGED, where)
    return None
