"""A group of commands that are imported when they are asked for: an offline command does not wait for Kafka clients."""

import importlib
from collections.abc import Mapping
from typing import Any

import click

from connectors.telemetry import CodedError


class Refused(click.ClickException):
    """A coded error as a person at a terminal reads it: what is wrong, and what to do. Exit status 1."""

    def __init__(self, error: CodedError) -> None:
        super().__init__(str(error))


class LazyGroup(click.Group):
    """A click group whose commands are named as ``module:attribute``, in the order given."""

    def __init__(self, *args: Any, places: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._places = places

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names of the commands, in the order of the table."""
        return list(self._places)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """Import and return a command; ``None`` for an unknown name."""
        place = self._places.get(cmd_name)
        if place is None:
            return None
        module, _, attribute = place.partition(":")
        command = getattr(importlib.import_module(module), attribute)
        assert isinstance(command, click.Command)  # noqa: S101 - a mistake in the table
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; a coded error becomes its text and exit status 1."""
        try:
            return super().invoke(ctx)
        except CodedError as error:
            raise Refused(error) from error
