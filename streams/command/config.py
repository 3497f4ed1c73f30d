"""``medlist config``: every setting, what it is now, and what to write."""

import json
import os

import click

from connectors.settings import PREFIX, SECRETS_DIR, Settings, load_settings


@click.command(short_help="Show every setting and its value, secrets masked.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object, variable to value.")
def config(*, as_json: bool) -> None:
    """Show the settings of this environment; secrets are masked.

    Settings are MEDLIST_* variables, or files of the same names in the directory that MEDLIST_SECRETS_DIR names, as
    Kubernetes mounts a Secret. A variable wins over a file. Exit status 1, naming everything, if one is wrong or unknown.
    """
    shown = load_settings(os.environ).masked()
    if as_json:
        click.echo(json.dumps(shown, ensure_ascii=False))
        return
    click.echo(f"# {SECRETS_DIR}={os.environ.get(SECRETS_DIR, '')}: a directory with one file per setting")
    for name, field in Settings.model_fields.items():
        variable = f"{PREFIX}{name.upper()}"
        value = shown[variable]
        text = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
        click.echo(f"{variable}={text}\n    # {field.description}")
