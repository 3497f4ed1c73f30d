"""``medlist whatif``: what would differ, patient by patient, if other rules were in force."""

import os
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path

import click
import msgspec

from connectors.settings import Settings, load_settings
from connectors.telemetry import configure
from contracts.medication_list import Change
from streams.command.facts_file import Moment, read_facts
from streams.command.knowledge import reconciler
from streams.command.offline import FILE, latest
from streams.command.rebuild import over_partitions, place_of, tell_step
from streams.reconcile.policy import Rules, RulesError, default_rules, parse_rules
from streams.reconcile.population import lists
from streams.topology.rebuilding.differing import Difference, Differing, Question, differ, difference_of

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


@click.command("whatif", short_help="What would differ, patient by patient, under other rules.")
@click.argument("facts_file", metavar="[FACTS.ndjson]", type=FILE, required=False)
@click.option(
    "--recorded", is_flag=True, help="Instead of a file: all facts that medlist.fact.v1 of the deployment holds."
)
@click.option(
    "--rules", type=RulesFolder(), multiple=True, required=True, help="Twice: from these rules, to those rules."
)
@click.option("--valid-at", type=Moment(), help="The lists as they are at this time. Default: the last receipt known.")
@click.option(
    "--workers", type=click.IntRange(1, 256), default=None, help="Processes for --recorded. Default: two per core."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object per patient that differs, and one of totals.")
def whatif(  # noqa: PLR0913 - a command's options
    facts_file: Path | None,
    rules: tuple[Rules, ...],
    valid_at: datetime | None,
    workers: int | None,
    *,
    recorded: bool,
    as_json: bool,
) -> None:
    """Compare the lists that two sets of rules make of the same facts.

    RULES is a folder with default.toml and precedence.csv, or `default`. Lists are made with each, and what differs is
    told per patient, as the changes that whoever subscribes to changes would be sent. With --recorded the facts are read
    beside the running stream, which is not disturbed; nothing is written.
    """
    if len(rules) != 2:  # noqa: PLR2004 - from, to
        raise click.UsageError("give --rules twice: from these rules, to those rules (a folder, or default)")
    if recorded == (facts_file is not None):
        raise click.UsageError("give either a file of facts or --recorded")
    if not as_json:
        click.echo(f"{rules[0].name} {rules[0].identity} -> {rules[1].name} {rules[1].identity}")
    told = of_file(facts_file, rules, valid_at) if facts_file else of_deployment(rules, valid_at, workers)
    differ = patients = 0
    for patients_there, differences in told:
        patients += patients_there
        differ += len(differences)
        for difference in differences:
            click.echo(_as_json(difference) if as_json else _as_text(difference))
    if as_json:
        totals = {"patients": patients, "differ": differ, "from": rules[0].identity, "to": rules[1].identity}
        click.echo(_json.encode(totals).decode())
    else:
        click.echo(f"\n{differ} of {patients} patients would differ.")


def of_file(path: Path, rules: Sequence[Rules], valid_at: datetime | None) -> Iterator[tuple[int, list[Difference]]]:
    """Yield how many patients a file of facts has, and whose lists would differ, sorted by pseudonym."""
    facts = read_facts(path)
    when = valid_at or latest(facts)
    one, other = ({made.patient: made for made in lists(facts, reconciler(r), when)} for r in rules)
    found = (difference_of(one[patient], other[patient]) for patient in sorted(one))
    yield len(one), [difference for difference in found if difference is not None]


def of_deployment(
    rules: Sequence[Rules], valid_at: datetime | None, workers: int | None
) -> Iterator[tuple[int, list[Difference]]]:
    """Yield the same for each partition of the deployment's facts, as it is done. Progress goes to standard error."""
    configure("warning")
    settings = load_settings(os.environ, {"kafka"})
    work = partial(_differ_one, tuple(rules), valid_at)
    for done in over_partitions(work, settings, range(settings.partitions), workers):
        yield done.patients, done.differences


def _differ_one(rules: Sequence[Rules], valid_at: datetime | None, settings: Settings, number: int) -> Differing:
    asked = Question(
        place=place_of(settings, number),
        one=reconciler(rules[0]),
        other=reconciler(rules[1]),
        valid_at=valid_at,
    )
    return differ(asked, tell_step)


def _as_json(difference: Difference) -> str:
    return _json.encode({"patient": difference.patient, "changes": difference.changes}).decode()


def _as_text(difference: Difference) -> str:
    return "\n".join([f"\n# {difference.patient}", *(f"  {_words(c, difference)}" for c in difference.changes)])


def _words(change: Change, difference: Difference) -> str:
    about = difference.products.get(change.treatment or "")
    arrow = f"{change.before or '-'} -> {change.after or '-'}"
    return f"{change.kind}: {about + ': ' if about else ''}{arrow}"
