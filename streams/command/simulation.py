"""``medlist generate`` and ``medlist score``: a simulated region, and how well the lists agree with its truth."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import click

from contracts.fact import Fact
from contracts.medication_list import MedicationList
from streams.command.knowledge import reconciler
from streams.simulate import generate as generate_world
from streams.simulate import headline, render
from streams.simulate import score as score_world
from streams.simulate.world import FACTS_FILE, TRUTH_FILE

DIRECTORY = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command(short_help="Simulate patients: their facts, and the truth.")
@click.option("--patients", default=100, show_default=True, type=click.IntRange(1), help="How many.")
@click.option("--seed", default=1, show_default=True, help="Equal seeds give equal bytes.")
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="Directory to write into.")
def generate(patients: int, seed: int, out: Path) -> None:
    """Simulate a region's patients: what every system writes about them, and what they really take.

    Writes facts.ndjson, which `medlist reconcile` reads, and truth.json, which `medlist score` compares with.
    """
    counts = generate_world(patients, seed, out)
    told = ", ".join(f"{count} {name}" for name, count in counts.items())
    click.echo(f"{told}: {out / FACTS_FILE}, {out / TRUTH_FILE}")


@click.command(short_help="Score the lists of simulated patients against the truth.")
@click.argument("directory", metavar="DIR", type=DIRECTORY)
@click.option("--hide-ids", is_flag=True, help="Hide every link between records that a source stated.")
@click.option("--json", "as_json", is_flag=True, help="Only the last line: the figures as one JSON object.")
@click.option("--misses", default=20, show_default=True, help="How many misses to show, the worst first.")
def score(directory: Path, misses: int, *, hide_ids: bool, as_json: bool) -> None:
    """Compare the lists of a generated DIR with its truth: wrong merges, missed links, wrong states, by kind of mess.

    The last line is JSON with precision, recall, states_right and by_kind.
    """
    result = score_world(directory, lists_at, hide_ids=hide_ids)
    if not as_json:
        click.echo(render(result, misses))
    click.echo(headline(result).decode())


def lists_at(facts: Sequence[Fact], times: Sequence[datetime]) -> Sequence[MedicationList]:
    """Return the list of one patient at each time, from all facts, every fact named."""
    patient = reconciler().patient(facts[0].patient)
    patient.add(facts)
    return [patient.list_at(when, every_fact=True) for when in times]
