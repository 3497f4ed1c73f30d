"""The end of the process: with the status that tells a supervisor what to do, and nothing of a message in the log."""

import io
import json
from typing import NoReturn

import pytest

from connectors.telemetry import configure
from streams.topology.intake.problems import IntakeCode, IntakeError
from streams.topology.intake.stopping import IntakeStop


class Left(BaseException):
    """What leaving raises here."""


def leave(status: int) -> NoReturn:
    """Leave the test instead of the process."""
    raise Left(status)


@pytest.mark.parametrize(
    ("cause", "status"),
    [
        (IntakeError(IntakeCode.SEND_FAILED, "topic t"), 70),
        (IntakeError(IntakeCode.POSITION_LOST, "topic t partition 0"), 78),
        (ValueError("191212121212"), 70),
    ],
)
def test_the_status_says_whether_a_restart_helps(cause: BaseException, status: int) -> None:
    """70 asks for a restart, also for what nobody foresaw; 78 asks for a person. The log quotes no foreign text."""
    lines = io.StringIO()
    configure(stream=lines)

    with pytest.raises(Left) as left:
        IntakeStop(leave)(cause)

    assert left.value.args == (status,)
    told = json.loads(lines.getvalue())
    assert (told["event"], told["exit_status"]) == ("intake.stopped", status)
    assert "1912" not in lines.getvalue()
