"""``medlist whatif``: what would differ, patient by patient, if other rules were in force."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import click
import msgspec

from contracts.medication_list import Change, MedicationList
from streams.command.facts_file import Moment, read_facts
from streams.command.knowledge import reconciler
from streams.command.offline import FILE, latest
from streams.reconcile.changes import changes
from streams.reconcile.policy import Rules, RulesError, default_rules, parse_rules
from streams.reconcile.population import lists

TOML, PRECEDENCE = "default.toml", "precedence.csv"
_json = msgspec.json.Encoder(order="deterministic", decimal_format="string")


class RulesFolder(click.ParamType):
    """A folder with ``default.toml`` and ``precedence.csv``, or the word ``default`` for the rules of the package."""

    name = "RULES"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Rules:
        """Return the rules; fails naming every problem."""
        if isinstance(value, Rules):
            return value
        if value == "default":
            return default_rules()
        folder = Path(str(value))
        try:
            return parse_rules((folder / TOML).read_bytes(), (folder / PRECEDENCE).read_bytes())
        except OSError as error:
            self.fail(f"{folder} must hold {TOML} and {PRECEDENCE}: {error.strerror}", param, ctx)
        except RulesError as error:
            self.fail("\n  ".join([f"the rules in {folder} cannot be used:", *error.problems]), param, ctx)


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """What would differ for one patient: changes from the first rules' list to the second's."""

    patient: str
    changes: tuple[Change, ...]


@click.command("whatif", short_help="What would differ, patient by patient, under other rules.")
@click.argument("facts_file", metavar="FACTS.ndjson", type=FILE)
@click.option(
    "--rules", type=RulesFolder(), multiple=True, required=True, help="Twice: from these rules, to those rules."
)
@click.option(
    "--valid-at", type=Moment(), help="The lists as they are at this time. Default: the last receipt in the file."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object per patient that differs, and one of totals.")
def whatif(facts_file: Path, rules: tuple[Rules, ...], valid_at: datetime | None, *, as_json: bool) -> None:
    """Compare the lists that two sets of rules make of the same facts.

    RULES is a folder with default.toml and precedence.csv, or `default`. Lists are made with each, and what differs is
    told per patient, as the changes that whoever subscribes to changes would be sent.
    """
    if len(rules) != 2:  # noqa: PLR2004 - from, to
        raise click.UsageError("give --rules twice: from these rules, to those rules (a folder, or default)")
    facts = read_facts(facts_file)
    when = valid_at or latest(facts)
    one, other = ({made.patient: made for made in lists(facts, reconciler(r), when)} for r in rules)
    found = list(differences(one, other))
    if as_json:
        for difference in found:
            click.echo(_json.encode(difference).decode())
        totals = {"patients": len(one.keys() | other.keys()), "differ": len(found)}
        click.echo(_json.encode({**totals, "from": rules[0].identity, "to": rules[1].identity}).decode())
        return
    click.echo(f"{rules[0].name} {rules[0].identity} -> {rules[1].name} {rules[1].identity}")
    for difference in found:
        click.echo(f"\n# {difference.patient}")
        for change in difference.changes:
            click.echo(f"  {_words(change, one[difference.patient], other[difference.patient])}")
    click.echo(f"\n{len(found)} of {len(one)} patients would differ.")


def differences(one: dict[str, MedicationList], other: dict[str, MedicationList]) -> Iterator[Difference]:
    """Yield what differs between two sets of lists, by patient. The identity of the rules is no difference."""
    for patient in sorted(one.keys() | other.keys()):
        before, after = one.get(patient), other.get(patient)
        if after is None or before is None:
            continue
        found = tuple(changes(before, after, {}))
        if found:
            yield Difference(
                patient=patient, changes=tuple(msgspec.structs.replace(change, cause="rules") for change in found)
            )


def _words(change: Change, before: MedicationList, after: MedicationList) -> str:
    names = {item.treatment: item.product for made in (before, after) for item in made.items}
    about = names.get(change.treatment or "")
    arrow = f"{change.before or '-'} -> {change.after or '-'}"
    return f"{change.kind}: {about + ': ' if about else ''}{arrow}"
