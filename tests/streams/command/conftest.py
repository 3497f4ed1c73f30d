"""The command as a test calls it: in this process, with an environment of its own."""

import os
from collections.abc import Callable, Iterator

import pytest
from click.testing import CliRunner, Result

from streams.command import main
from tests.streams.command.restoring import telemetry_restored

Medlist = Callable[..., Result]


@pytest.fixture
def medlist(monkeypatch: pytest.MonkeyPatch) -> Iterator[Medlist]:
    """Run a command line; keyword arguments are variables of its environment, and no others of ours are set."""
    for name in [name for name in os.environ if name.startswith("MEDLIST_")]:
        monkeypatch.delenv(name)

    def run(*arguments: object, **environment: str) -> Result:
        return CliRunner().invoke(main, [str(one) for one in arguments], env=environment)

    with telemetry_restored():
        yield run
