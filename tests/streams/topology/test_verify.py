"""Whether the log is still the one that our position speaks of."""

import pytest

from streams.topology.position import START, Position, checksum
from streams.topology.problems import EngineCode
from streams.topology.verify import LogView, verify

APPLIED = Position(next_offset=10, checksum=checksum(b"nine"), topic_id="id-1")


def log(low: int = 0, high: int = 20, topic_id: str | None = "id-1", before: bytes | None = b"nine") -> LogView:
    """The log as it should be, but for what the test changes."""
    return LogView(low=low, high=high, topic_id=topic_id, record_before=before)


@pytest.mark.parametrize(
    ("position", "view"),
    [
        (START, log(low=0, high=0, before=None)),
        (START, log(low=0, high=20, before=None)),
        (APPLIED, log()),
        (APPLIED, log(high=10)),
        (APPLIED, log(low=10, before=None)),
        (APPLIED, log(topic_id=None)),
        (Position(next_offset=10, checksum=checksum(b"nine")), log()),
    ],
    ids=[
        "empty",
        "first start",
        "middle",
        "at the end",
        "the rest expired",
        "broker without ids",
        "position without id",
    ],
)
def test_a_log_that_we_know(position: Position, view: LogView) -> None:
    """Nothing stands against going on."""
    assert verify(0, position, view) is None


@pytest.mark.parametrize(
    ("position", "view", "code"),
    [
        (START, log(low=3, before=None), EngineCode.POSITION_OUTSIDE_LOG),
        (APPLIED, log(low=11, before=None), EngineCode.POSITION_OUTSIDE_LOG),
        (APPLIED, log(high=9, before=None), EngineCode.POSITION_OUTSIDE_LOG),
        (APPLIED, log(topic_id="id-2"), EngineCode.TOPIC_REPLACED),
        (APPLIED, log(before=b"other"), EngineCode.RECORD_CHANGED),
    ],
    ids=["head gone before the first start", "head gone", "tail gone", "made anew", "refilled"],
)
def test_a_log_that_is_another(position: Position, view: LogView, code: EngineCode) -> None:
    """A log that lost what we need, or is not the one we knew, has a code that needs a person."""
    error = verify(3, position, view)

    assert error is not None
    assert error.reason is code
    assert error.status == 78
    assert "partition 3" in error.detail
