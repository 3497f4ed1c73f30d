"""Commands that need nothing but a file of facts: the pure reconciler, outside any stream."""

from datetime import datetime
from pathlib import Path
from typing import Any

import click
import msgspec

from contracts.fact import Fact
from contracts.medication_list import ListItem, MedicationList
from streams.command.facts_file import Moment, read_facts
from streams.command.knowledge import reconciler
from streams.command.tables import print_list, wide_console
from streams.reconcile.explain_texts import Language
from streams.reconcile.population import lists

_json = msgspec.json.Encoder(order="deterministic", decimal_format="string")
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("facts_file", metavar="FACTS.ndjson", type=FILE)
@click.option(
    "--valid-at", type=Moment(), help="The list as it is at this time. Default: the last receipt in the file."
)
@click.option("--known-at", type=Moment(), help="From what was received by then. Default: everything in the file.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per patient and line.")
@click.option("--lang", type=click.Choice(["sv", "en"]), default="sv", show_default=True, help="Language of the texts.")
def reconcile(
    facts_file: Path, valid_at: datetime | None, known_at: datetime | None, *, as_json: bool, lang: Language
) -> None:
    """Reconcile a file of facts, offline: one list per patient.

    Each line of FACTS.ndjson is one fact as a CloudEvent in structured mode.
    """
    facts = read_facts(facts_file)
    when = valid_at or latest(facts)
    found = lists(facts, reconciler(), when, known_at)
    if as_json:
        for one in found:
            click.echo(_json.encode(as_object(one, when, known_at)).decode())
        return
    console = wide_console()
    for one in found:
        print_list(console, one, when, lang)


def latest(facts: list[Fact]) -> datetime:
    """Return the last receipt."""
    return max(fact.received_at for fact in facts)


def as_object(one: MedicationList, valid_at: datetime, known_at: datetime | None) -> dict[str, Any]:
    """Return a list as the command prints it: every key always there, ``null`` where nothing is known."""
    return {
        "patient": one.patient,
        "valid_at": valid_at,
        "known_at": known_at,
        "rules": one.rules,
        "items": [_item(item) for item in one.items],
        "findings": [
            {
                "code": f.code,
                "severity": f.severity,
                "conflict": f.conflict,
                "items": f.items,
                "facts": f.facts,
                "detail": f.detail,
            }
            for f in one.findings
        ],
        "unattached": [{"fact": u.fact, "reason": u.reason} for u in one.unattached],
        "next_change_at": one.next_change_at,
    }


def _item(item: ListItem) -> dict[str, Any]:
    shown = dict.fromkeys(ListItem.__struct_fields__)
    shown |= {name: getattr(item, name) for name in ListItem.__struct_fields__}
    shown.pop("prescriptions")
    return shown
