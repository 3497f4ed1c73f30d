"""Reading a file of facts: one structured-mode CloudEvent per line; every unreadable line is named."""

from datetime import datetime
from pathlib import Path

import click
import msgspec

from contracts.envelope import UnreadableEventError, decode_fact
from contracts.fact import Fact


def read_facts(path: Path) -> list[Fact]:
    """Return the facts of a file. Ends the command with status 1, naming every bad line, if any line is no fact.

    A list without one of its facts would be a wrong list; so nothing is reconciled then.
    """
    facts: list[Fact] = []
    bad = 0
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                facts.append(decode_fact(line))
            except UnreadableEventError as error:
                bad += 1
                for problem in error.problems:
                    click.echo(f"{path.name}:{number}: {problem.code} at {problem.place}: {problem.text}", err=True)
    if bad:
        click.echo(
            f"{bad} line(s) are not facts; nothing was reconciled. Each line must be one CloudEvent in structured mode "
            "(contracts/schemas/envelope.json). Mend or remove them, and run again.",
            err=True,
        )
        raise SystemExit(1)
    if not facts:
        click.echo(f"{path.name} holds no facts: give a file with one CloudEvent per line.", err=True)
        raise SystemExit(1)
    return facts


class Moment(click.ParamType):
    """A time with zone, ISO 8601 (``2026-03-05T12:00:00+01:00``)."""

    name = "TIME"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Return the time; fails with what to write."""
        if isinstance(value, datetime):
            return value
        try:
            moment = msgspec.convert(str(value), datetime)
        except msgspec.ValidationError:
            self.fail("is no time; write it as 2026-03-05T12:00:00+01:00", param, ctx)
        if moment.tzinfo is None:
            self.fail("has no zone; write Z or +01:00 behind it", param, ctx)
        return moment
