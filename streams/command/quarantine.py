"""``medlist quarantine``: what waits there and why, and putting it back once its cause is mended."""

import json
import os
from collections.abc import Iterable, Sequence
from datetime import datetime

import click
import msgspec

from connectors.settings import Settings, load_settings
from connectors.telemetry import configure
from contracts.quarantine import REPLAY_OF_HEADER, Place, Quarantined
from streams.topology.intake import read_quarantine, replay_quarantine

SHOWN_PROBLEMS = 20


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """One message of the quarantine as people and scripts see it: no byte of the message itself.

    ``problems`` are pairs of code and place. ``replay_of`` is the id that the message had before it was put back, and
    came here once more. ``whole`` is false while parts of a large message are missing.
    """

    id: str
    source: str
    received_at: datetime
    place: Place
    problems: tuple[tuple[str, str], ...]
    facts: int
    bytes: int
    whole: bool
    replay_of: str | None = None


@click.group(short_help="Show what waits in quarantine; put it back.")
def quarantine() -> None:
    """Messages that could not become facts, or only in part: kept whole, with every problem named."""


@quarantine.command("list", short_help="Show what waits, and why.")
@click.option("--source", default=None, help="Only messages from this source system.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per message and line.")
def list_command(source: str | None, *, as_json: bool) -> None:
    """Show every message of the quarantine, the oldest first: its id, and the code and place of each problem.

    The messages themselves are not shown, they hold patients. A message stays listed when it was put back and became
    facts: the quarantine is a log.
    """
    records = list(read_quarantine(_settings()))
    found = [one for one in waiting(records) if source in {None, one.source}]
    for one in found:
        click.echo(_as_line(one) if as_json else _as_text(one))
    for place in sorted({one for one in records if isinstance(one, Place)}):
        click.echo(f"{_text_of(place)}: none of medlist's records; somebody else writes to the quarantine", err=True)
    if not as_json:
        click.echo(f"{len(found)} in quarantine" + (f" from {source}." if source else "."))


@quarantine.command("replay", short_help="Put messages back on their topics.")
@click.argument("ids", metavar="ID...", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object per message and line.")
def replay_command(ids: Sequence[str], *, as_json: bool) -> None:
    """Put the messages of these IDs back on the topics they came from, byte for byte; the intake reads them anew.

    All or none: an ID that is not there, or not whole, is named and nothing is put back. Twice is harmless: facts are
    known again by their ids.
    """
    for one in waiting(replay_quarantine(_settings(), sorted(set(ids))).values()):
        place = one.place
        click.echo(_as_line(one) if as_json else f"{one.id}: put back on {place.topic}, partition {place.partition}")


def waiting(records: Iterable[Quarantined | Place]) -> list[Waiting]:
    """Return the messages that these records are of, the oldest first, each once."""
    by_id: dict[str, dict[int, Quarantined]] = {}
    for record in records:
        if isinstance(record, Quarantined):
            by_id.setdefault(record.id, {})[record.part] = record
    found = [_waiting([parts[number] for number in sorted(parts)]) for parts in by_id.values()]
    return sorted(found, key=lambda one: (one.received_at, one.id))


def _waiting(parts: Sequence[Quarantined]) -> Waiting:
    first = parts[0]
    problems = {(problem.code, problem.place) for part in parts for problem in part.problems}
    replay_of = next(
        (value.decode(errors="replace") for name, value in first.headers if name == REPLAY_OF_HEADER), None
    )
    return Waiting(
        id=first.id,
        source=first.source,
        received_at=first.received_at,
        place=first.place,
        problems=tuple(sorted(problems)),
        facts=first.facts,
        bytes=sum(len(part.original) for part in parts),
        whole=len(parts) == first.parts,
        replay_of=replay_of,
    )


def _settings() -> Settings:
    configure("warning")
    return load_settings(os.environ, {"kafka"})


def _as_line(one: Waiting) -> str:
    return json.dumps(msgspec.to_builtins(one), ensure_ascii=False)


def _as_text(one: Waiting) -> str:
    received = one.received_at.isoformat(timespec="seconds")
    lines = [f"{one.id}  {one.source}  {received}  {_text_of(one.place)}, {one.bytes} bytes"]
    if one.replay_of is not None:
        lines.append(f"  was put back before, as {one.replay_of}")
    if one.facts:
        lines.append(f"  {one.facts} facts could be read all the same")
    if not one.whole:
        lines.append("  parts of it are missing: it cannot be put back")
    lines += [f"  {code}  {place}" for code, place in one.problems[:SHOWN_PROBLEMS]]
    if len(one.problems) > SHOWN_PROBLEMS:
        lines.append(f"  and {len(one.problems) - SHOWN_PROBLEMS} more problems")
    return "\n".join(lines)


def _text_of(place: Place) -> str:
    return f"{place.topic}[{place.partition}] at {place.offset}"
