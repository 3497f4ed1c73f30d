"""``medlist topics``: what must exist on the brokers, what differs, and making it right."""

import json
import os
import sys
import time
from collections.abc import Iterable, Sequence

import click
from confluent_kafka.admin import AdminClient
from rich import box
from rich.table import Table
from rich.text import Text

from connectors.kafka.clients import client_config
from connectors.kafka.topics import (
    Difference,
    Missing,
    apply_differences,
    describe_difference,
    plan_topics,
    read_topics,
)
from connectors.settings import load_settings
from connectors.telemetry import configure
from contracts.topics import TopicSpec
from streams.command.composition import Composition
from streams.command.tables import wide_console

KNOWN_SECONDS = 15.0
LOOK_SECONDS = 0.1


@click.command(short_help="Show which topics must exist; create what is missing.")
@click.option("--apply", "apply_", is_flag=True, help="Create missing topics and correct settings.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object: the topics, and what differs.")
def topics(*, apply_: bool, as_json: bool) -> None:
    """Compare the topics that medlist needs with those on the brokers.

    Without MEDLIST_KAFKA only what must exist is shown. Partitions are never changed: a patient's place depends on their
    number. Exit status 1 if something differs and was not made right.
    """
    configure("warning")
    settings = load_settings(os.environ, {"kafka"} if apply_ else ())
    specs = Composition(settings=settings).topics
    if settings.kafka is None:
        _show(specs, None, as_json=as_json)
        return
    admin = AdminClient(client_config(settings))
    differences = differences_of(admin, specs)
    if apply_ and differences:
        apply_differences(admin, differences)
        differences = _once_known(admin, specs)
    _show(specs, differences, as_json=as_json)
    sys.exit(1 if differences else 0)


def differences_of(admin: AdminClient, specs: Sequence[TopicSpec]) -> tuple[Difference, ...]:
    """Return what is not as declared. Raises ``CodedError`` when no broker answers."""
    return plan_topics(specs, read_topics(admin, [spec.name for spec in specs]))


def _once_known(admin: AdminClient, specs: Sequence[TopicSpec]) -> tuple[Difference, ...]:
    """Return what differs once every broker knows the topics that were created: they learn of them a moment later."""
    deadline = time.monotonic() + KNOWN_SECONDS
    while True:
        differences = differences_of(admin, specs)
        if not any(isinstance(one, Missing) for one in differences) or time.monotonic() > deadline:
            return differences
        time.sleep(LOOK_SECONDS)


def _show(specs: Iterable[TopicSpec], differences: tuple[Difference, ...] | None, *, as_json: bool) -> None:
    """Print the topics; ``None`` for differences: nobody was asked."""
    if as_json:
        declared = [
            {"name": s.name, "partitions": s.partitions, "settings": dict(s.settings), "purpose": s.purpose}
            for s in specs
        ]
        told = None if differences is None else [describe_difference(one) for one in differences]
        click.echo(json.dumps({"topics": declared, "differences": told}, ensure_ascii=False))
        return
    console = wide_console()
    table = Table("Topic", "Partitions", "Settings", "Purpose", box=box.SIMPLE_HEAD, pad_edge=False)
    for spec in specs:
        settings = "\n".join(f"{name}={value}" for name, value in sorted(spec.settings.items()))
        table.add_row(spec.name, str(spec.partitions), Text(settings), Text(spec.purpose))
    console.print(table)
    if differences is None:
        console.print("MEDLIST_KAFKA is not set: nobody was asked what exists.")
    elif not differences:
        console.print("All of them are as they must be.", style="green")
    for one in differences or ():
        console.print(describe_difference(one), style="red", markup=False)
    if differences:
        console.print("Run `medlist topics --apply` to create what is missing and to correct settings.")
