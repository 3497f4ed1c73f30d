"""The command ``medlist``."""

import click

from streams.command.offline import reconcile


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="medlist-sync", prog_name="medlist")
def main() -> None:
    """One medication list per patient, from everything the care chain knows."""


main.add_command(reconcile)
