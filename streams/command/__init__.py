"""The command ``medlist``."""

from typing import Final

import click

from streams.command.lazy import LazyGroup

PLACES: Final = {
    "demo": "streams.command.demo.command:demo",
    "run": "streams.command.running:run",
    "nll-sandbox": "streams.command.sandbox:nll_sandbox",
    "topics": "streams.command.topics:topics",
    "doctor": "streams.command.doctor:doctor",
    "config": "streams.command.config:config",
    "contract": "streams.command.contract:contract",
    "publish": "streams.command.publish:publish",
    "quarantine": "streams.command.quarantine:quarantine",
    "show": "streams.command.show:show",
    "rebuild": "streams.command.rebuild:rebuild",
    "reconcile": "streams.command.offline:reconcile",
    "explain": "streams.command.explain:explain_command",
    "whatif": "streams.command.whatif:whatif",
    "generate": "streams.command.simulation:generate",
    "score": "streams.command.simulation:score",
}
"""Command -> where it stands."""


@click.group(cls=LazyGroup, places=PLACES, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="medlist-sync", prog_name="medlist")
def main() -> None:
    """One medication list per patient, from everything the care chain knows.

    Try `medlist demo` first: it needs nothing but itself. `medlist reconcile` and `medlist contract check` work on
    files alone. Everything else takes its settings from MEDLIST_* variables and mounted files: see `medlist config`.
    """
