"""``medlist show``: the newest list of one patient, from ``medlist.list.v1``."""

import sys
from datetime import UTC, datetime

import click
import msgspec
from confluent_kafka import TIMESTAMP_NOT_AVAILABLE, Message

from connectors.kafka.newest import records
from connectors.pseudonym import partition_of
from connectors.settings import Settings
from connectors.telemetry import CodedError, configure
from contracts.medication_list import MedicationList, decode_list
from contracts.topics import LIST
from mappings.fhir.exact_json import write_json
from mappings.fhir.regional import Edition, list_version, regional_bundle
from streams.command.tables import ZONE, print_list, wide_console
from streams.command.whose import settings_and_pseudonym
from streams.reconcile.explain_texts import Language

_NOTHING = {"sv": "Det finns ingen lista för den patienten.", "en": "There is no list of that patient."}


@click.command(short_help="Show the newest list of a patient.")
@click.argument("patient", metavar="PATIENT")
@click.option("--fhir", is_flag=True, help="The list as a FHIR R4 Bundle (JSON), as on medlist.list-fhir.v1.")
@click.option("--system", help="OID of the number, where it is a region's own.")
@click.option("--lang", type=click.Choice(["sv", "en"]), default="sv", show_default=True, help="Language of the texts.")
def show(patient: str, *, fhir: bool, system: str | None, lang: Language) -> None:
    """Show the newest list of PATIENT as it was put out: lines, layers side by side, and what was noticed.

    PATIENT is a pseudonym, or a person number with twelve digits, which needs MEDLIST_PSEUDONYM_KEY. A number on the command
    line stands in the shell's history; `-` reads it from the standard input instead. Exit status 1 if there is no list.
    """
    configure("warning")
    settings, pseudonym = settings_and_pseudonym(patient, system, datetime.now(ZONE).date())
    found = newest_list(settings, pseudonym)
    if found is None:
        click.echo(_NOTHING[lang], err=True)
        sys.exit(1)
    one, edition = found
    if fhir:
        click.echo(msgspec.json.format(write_json(regional_bundle(one, edition)), indent=2))
        return
    print_list(wide_console(), one, edition.put_out_at, lang)


def newest_list(settings: Settings, pseudonym: str) -> tuple[MedicationList, Edition] | None:
    """Return the newest list of a patient, ``None`` when there is none.

    Reads the patient's partition from its beginning. Raises ``CodedError`` when the broker does not give it, or when it
    holds something else than lists.
    """
    newest: Message | None = None
    for message in records(settings, LIST, [partition_of(pseudonym, settings.partitions)]):
        if message.key() == pseudonym.encode():
            newest = message
    value = newest.value() if newest is not None else None
    if newest is None or value is None:
        return None
    try:
        one = decode_list(value)
    except msgspec.DecodeError as error:
        place = f"partition {newest.partition()} offset {newest.offset()}"
        raise CodedError("CMD-002", f"no list: {place}", "Look at what writes to the list topic.") from error
    return one, Edition(version=list_version(value), put_out_at=_written_at(newest))


def _written_at(message: Message) -> datetime | None:
    kind, milliseconds = message.timestamp()
    return None if kind == TIMESTAMP_NOT_AVAILABLE else datetime.fromtimestamp(milliseconds / 1000, UTC)
