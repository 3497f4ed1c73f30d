"""Every role, started where something else listens already."""

import socket
from pathlib import Path

import pytest

from streams.command.composition import ROLES, Role
from streams.topology.problems import OPERATOR_STATUS
from tests.system.medlist import Medlist
from tests.system.process import DEADLINE_SECONDS

pytestmark = [pytest.mark.kafka]


@pytest.mark.parametrize("role", ROLES)
def test_a_health_port_that_is_taken_ends_a_role_with_a_code(kafka: str, tmp_path: Path, role: Role) -> None:
    """And with the status that says that starting it again cannot help."""
    medlist = Medlist(kafka, tmp_path, nll="http://127.0.0.1:1")
    medlist.create_topics()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with medlist.role(role, HEALTH_HOST="127.0.0.1", HEALTH_PORT=port) as process:
            status = process.popen.wait(DEADLINE_SECONDS)
    medlist.delete_topics()

    assert status == OPERATOR_STATUS
    assert "ENG-016" in [line.get("error_code") for line in process.lines()], process.tail()
