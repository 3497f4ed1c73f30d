"""What tests of processes on the embedded broker may ask for."""

import pytest

from connectors.kafka import clients


@pytest.fixture
def short_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """The group forgets a member soon: the embedded broker waits for one that has left as for one that died."""
    monkeypatch.setattr(clients, "SESSION_SECONDS", 3.0)
