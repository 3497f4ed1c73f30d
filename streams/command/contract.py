"""``medlist contract check``: what a vendor's message would become, without sending it anywhere."""

import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import click
import msgspec

from connectors.pseudonym import pseudonymiser
from connectors.settings import DEMO_PSEUDONYM_KEY
from contracts.envelope import decode_fact, to_event
from contracts.fact import Fact
from contracts.quarantine import Place, outcome_of
from contracts.sources import DEFAULT_SOURCES
from contracts.topics import FORWARD
from mappings.sources.readers import READERS
from streams.command.facts_file import Moment
from streams.topology.intake.interpreting import Edge, Interpreted, Received, interpret
from streams.topology.intake.limits import IntakeLimits
from streams.topology.intake.routes import routes
from streams.topology.wakeups import wall_clock

SYSTEMS = {source.id: source for source in DEFAULT_SOURCES if source.topic != FORWARD}
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group(short_help="Check a vendor's messages, offline.")
def contract() -> None:
    """Check messages against what medlist reads, offline."""


@contract.command(short_help="Show the facts that messages would become, or their problems.")
@click.option("--system", required=True, type=click.Choice(list(SYSTEMS)), help="The source system that sends it.")
@click.option("--header", "headers", multiple=True, metavar="NAME=VALUE", help="A Kafka header of the messages.")
@click.option("--received-at", type=Moment(), help="When they are received. Default: now.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per file: its facts and its problems.")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=FILE)
def check(
    system: str, headers: tuple[str, ...], received_at: datetime | None, files: tuple[Path, ...], *, as_json: bool
) -> None:
    """Show what each FILE, one message as it would be sent, becomes: facts, or every problem with its place.

    The same code as the intake's, and nothing leaves the machine. Patients are shown by pseudonyms under the demo's
    public key. Exit status 1 if any message has a problem.
    """
    given = tuple(_header(text) for text in headers)
    bad = 0
    for path in files:
        found = _interpret(system, path, given, received_at or wall_clock())
        bad += bool(found.problems)
        click.echo(_as_line(path, found) if as_json else _as_text(path, found))
    sys.exit(1 if bad else 0)


def _interpret(system: str, path: Path, headers: tuple[tuple[str, bytes], ...], at: datetime) -> Interpreted:
    source = SYSTEMS[system]
    route = routes([source], READERS, str)[source.topic]
    edge = Edge(pseudonym=pseudonymiser(DEMO_PSEUDONYM_KEY.encode()), trust_received_at=False, limits=IntakeLimits())
    place = Place(topic=source.topic, partition=0, offset=0)
    return interpret(Received(place=place, value=path.read_bytes(), at=at, headers=headers), route, edge)


def _header(text: str) -> tuple[str, bytes]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise click.BadParameter("write NAME=VALUE", param_hint="--header")
    return name, value.encode()


def _as_line(path: Path, found: Interpreted) -> str:
    told: dict[str, Any] = {
        "file": str(path),
        "outcome": outcome_of(len(found.facts), len(found.problems)),
        "facts": [json.loads(fact.data) for fact in found.facts],
        "problems": [msgspec.to_builtins(problem) for problem in found.problems],
    }
    return json.dumps(told, ensure_ascii=False)


def _as_text(path: Path, found: Interpreted) -> str:
    lines = [f"{path}: {outcome_of(len(found.facts), len(found.problems))}"]
    lines += [f"  fact     {_fact(decode_fact(fact.data))}" for fact in found.facts]
    lines += [f"  problem  {p.code}  {p.place}: {p.text}" for p in found.problems]
    return "\n".join(lines)


def _fact(fact: Fact) -> str:
    event = to_event(fact)
    content = msgspec.to_builtins(event.data)
    drug = content.get("medication", {}).get("text") or ""
    status = content.get("status", "")
    when = "" if fact.occurred_at is None else fact.occurred_at.isoformat()
    return "  ".join(word for word in (fact.type, fact.source_id, status, when, drug) if word)
