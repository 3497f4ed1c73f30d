"""The end of the process: its status, and a log line that holds no value."""

import io

import pytest
import structlog

from connectors.telemetry import configure
from streams.topology.failstop import FailStop
from streams.topology.problems import EngineCode, EngineError
from tests.streams.topology.fakes import Left, leave


async def raises(cause: Exception) -> None:
    """Work that fails."""
    raise cause


@pytest.mark.parametrize(
    ("cause", "status"),
    [(EngineError(EngineCode.GAP, "p"), 70), (EngineError(EngineCode.TOPIC_REPLACED, "p"), 78), (KeyError("x"), 70)],
)
async def test_the_status_tells_a_supervisor_what_to_do(cause: Exception, status: int) -> None:
    """70 starts it again, 78 calls a person; what nobody foresaw is 70."""
    with pytest.raises(Left) as left:
        await FailStop(leave).guard(raises(cause))

    assert left.value.status == status


async def test_the_log_names_code_and_place_but_no_value() -> None:
    """An exception's text may hold a person number: the line says type and place."""
    lines = io.StringIO()
    configure(stream=lines)

    with pytest.raises(Left):
        await FailStop(leave).guard(raises(ValueError("191212121212")))
    structlog.reset_defaults()

    assert "ENG-006" in lines.getvalue()
    assert "test_failstop" in lines.getvalue()
    assert "191212121212" not in lines.getvalue()


def test_every_code_stands_once_and_says_what_to_do() -> None:
    """The catalogue is for whoever is called at night."""
    assert len({code.code for code in EngineCode}) == len(EngineCode)
    assert all(code.remedy.endswith(".") and code.status in {70, 78} for code in EngineCode)
