"""``medlist explain``: why a line is on a patient's list, why something is not, and why this dose; in words."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import click

from contracts.fact import Fact
from contracts.facts.person import Block
from streams.command.facts_file import Moment, read_facts
from streams.command.knowledge import reconciler
from streams.command.offline import FILE, latest
from streams.command.tables import ZONE
from streams.reconcile.explain import Explanation, Paragraph, Question, explain
from streams.reconcile.explain_texts import Language
from streams.reconcile.population import by_person

_NOTHING = {"sv": "Inget sådant finns på listan.", "en": "Nothing of the kind is on the list."}


@click.command("explain", short_help="Why a line is on the list, why something is not, why this dose.")
@click.argument("facts_file", metavar="FACTS.ndjson", type=FILE)
@click.option("--patient", required=True, help="Pseudonym, or a person number that stands in the file.")
@click.option("--treatment", help="Only this: an id that a list ever gave, or a part of a product's name.")
@click.option(
    "--valid-at", type=Moment(), help="The list as it is at this time. Default: the last receipt in the file."
)
@click.option("--known-at", type=Moment(), help="From what was received by then. Default: everything in the file.")
@click.option("--lang", type=click.Choice(["sv", "en"]), default="sv", show_default=True, help="Language of the texts.")
def explain_command(  # noqa: PLR0913 - one parameter per option
    facts_file: Path,
    *,
    patient: str,
    treatment: str | None,
    valid_at: datetime | None,
    known_at: datetime | None,
    lang: Language,
) -> None:
    """Say in words why a patient's list is as it is: what joined the entries, who decides, whose dose counts.

    Each line of FACTS.ndjson is one fact as a CloudEvent in structured mode.
    """
    facts = read_facts(facts_file)
    bound = reconciler()
    known = by_person(facts, bound.rules, known_at)
    pseudonym, own = _person(facts, known, patient)
    known_ids = {fact.id for fact in own}
    names = {fact.patient for fact in own} | {pseudonym}
    blocked = any(isinstance(fact.content, Block) for fact in facts if fact.patient in names)
    later = tuple(fact for fact in facts if fact.patient in names and fact.id not in known_ids and not blocked)
    loaded = bound.patient(pseudonym)
    loaded.add(own)
    asked = Question(valid_at=valid_at or latest(facts), lang=lang, show=_shown, about=treatment, later=later)
    for line in written(pseudonym, explain(loaded, asked), lang):
        click.echo(line)


def written(pseudonym: str, found: Explanation, lang: Language) -> list[str]:
    """Return an explanation as lines of text."""
    lines = [f"# {pseudonym}"]
    if found.leads_to is not None:
        lines += [found.leads_to]
    if not found.lines:
        lines += ["", _NOTHING[lang]]
    for one in found.lines:
        lines += ["", f"## {one.title}", f"   {one.treatment} / {one.strand}"]
        for paragraph in one.paragraphs:
            lines += _paragraph(paragraph)
    if found.absent is not None:
        lines += ["", *_paragraph(found.absent)]
    return lines


def _paragraph(paragraph: Paragraph) -> list[str]:
    return [f"   {paragraph.heading}", *(f"   - {sentence}" for sentence in paragraph.sentences)]


def _person(facts: Sequence[Fact], known: dict[str, list[Fact]], asked: str) -> tuple[str, list[Fact]]:
    """Return the pseudonym that goes on, and the known facts, of the person asked for; else end the command."""
    digits = asked.replace("-", "").replace("+", "")
    names = {fact.patient for fact in facts if asked == fact.patient or digits == fact.content.person.value}
    for pseudonym, own in known.items():
        if pseudonym in names or any(fact.patient in names for fact in own):
            return pseudonym, own
    raise click.ClickException(
        "the file holds no facts, known by then, of that patient: give a pseudonym (medlist reconcile shows them) or a "
        "person number with twelve digits"
    )


def _shown(when: datetime) -> str:
    return when.astimezone(ZONE).strftime("%Y-%m-%d %H:%M")
