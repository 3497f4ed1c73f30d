"""``medlist demo``."""

import sys
import tempfile
from importlib.resources import as_file
from pathlib import Path
from typing import Any

import click
import msgspec

from connectors.telemetry import CodedError, configure
from streams.command.demo.showing import Outcome, show
from streams.command.demo.stage import running_stage
from streams.command.demo.story import ROOT, Delivery, load_story
from streams.command.demo.telling import Teller
from streams.command.offline import as_object
from streams.command.tables import wide_console
from streams.reconcile.explain_texts import Language

LOG_CHARACTERS = 4000
_json = msgspec.json.Encoder(order="deterministic", decimal_format="string")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="End with one line of JSON: the lists, and what reached NLL.")
@click.option("--lang", type=click.Choice(["sv", "en"]), default="sv", show_default=True, help="Language of the texts.")
def demo(*, as_json: bool, lang: Language) -> None:
    """Show one patient's week, end to end, on this machine.

    Real messages of five systems go through broker, intake, reconciler and publisher to a sandbox of NLL: some late, some
    twice, one taken back, one broken. The list is shown after each of them. Needs no settings, no network and no Kafka.
    Exit status 1 if the list after any message, or what stands in the sandbox in the end, is not the expected one.
    """
    story = load_story()
    with tempfile.TemporaryDirectory(prefix="medlist-demo-") as name:
        outcome = _run(story, Path(name), Teller(wide_console(), lang))
    if as_json:
        click.echo(_json.encode(as_json_object(outcome, story)).decode())
    sys.exit(1 if outcome.wrong or not outcome.published_right else 0)


def as_json_object(outcome: Outcome, story: tuple[Delivery, ...]) -> dict[str, Any]:
    """Return what ``--json`` prints."""
    last = max(delivery.received_at for delivery in story)
    return {
        "lists": [as_object(one, last, None) for one in outcome.lists],
        "published": {
            "states": {one.patient: one.state for one in outcome.publications},
            "prescriptions": outcome.found,
            "held": [held for one in outcome.publications for held in one.held],
        },
        "quarantined": [{"source": one.source, "problems": one.problems} for one in outcome.quarantine],
        "unexpected_after": outcome.wrong,
        "published_as_expected": outcome.published_right,
    }


def _run(story: tuple[Delivery, ...], directory: Path, teller: Teller) -> Outcome:
    with (directory / "demo.log").open("a", encoding="utf-8") as stream:
        configure(stream=stream)
        teller.starting()
        try:
            with as_file(ROOT / "nll.json") as seed, running_stage(story[0].received_at, directory, [seed]) as stage:
                return show(stage, story, teller)
        except CodedError as error:
            stream.flush()
            click.echo(f"\n{error}\n", err=True)
            for log in sorted(directory.glob("*.log")):
                click.echo(f"--- {log.name}\n{log.read_text(encoding='utf-8')[-LOG_CHARACTERS:]}", err=True)
            sys.exit(1)
        finally:
            configure()
