"""``medlist publish``: what would be sent toward NLL, how it stands, and trying a parked patient again."""

import asyncio
import getpass
import hashlib
import os
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

import click
import msgspec
from confluent_kafka import KafkaError, Message, Producer

from connectors.kafka.clients import DELIVERY_SECONDS, producer_config
from connectors.kafka.newest import committed, newest_of, newest_values, records
from connectors.nll.connection import connect, identity_of
from connectors.pseudonym import partition_of, pseudonymiser
from connectors.settings import Settings, load_settings
from connectors.telemetry import CodedError, configure
from contracts.medication_list import MedicationList, decode_list
from contracts.publication import Publication, PublishRequest, decode_publication, encode_request
from contracts.topics import LIST, PUBLISH, PUBLISH_REQUEST
from contracts.values import Identifier
from mappings.codes.persons import read_person
from streams.command.composition import Composition
from streams.command.publish_tables import Waiting, plan_object, print_plan, print_status, status_object
from streams.command.tables import wide_console
from streams.publish.desired import desired
from streams.publish.policy import policy_of
from streams.publish.preview import Asked, Preview, preview
from streams.publish.writes import Writes, writes_of
from streams.reconcile.explain_texts import Language
from streams.topology.wakeups import wall_clock

PSEUDONYM: Final = re.compile(r"[0-9a-f]{32}")
_json = msgspec.json.Encoder(order="deterministic", decimal_format="string")
_lang = click.option(
    "--lang", type=click.Choice(["sv", "en"]), default="sv", show_default=True, help="Language of the texts."
)
_as_json = click.option("--json", "as_json", is_flag=True, help="One JSON object.")


@click.group(short_help="Show what goes to NLL and why; how it stands; try again.")
def publish() -> None:
    """Toward Nationella läkemedelslistan: what would be sent and why, what is pending, parked or failing, trying again.

    PATIENT is a pseudonym, or a personnummer, samordningsnummer or reserve number, which needs MEDLIST_PSEUDONYM_KEY.
    """


@publish.command(short_help="Show what would be sent for a patient, and why.")
@click.argument("patient")
@click.option("--verify", is_flag=True, help="Have NLL say what would become of it ($verify): a dry run there.")
@_as_json
@_lang
def plan(patient: str, *, verify: bool, as_json: bool, lang: Language) -> None:
    """Show what the publisher would send for PATIENT now, why, and what is held back and why. Only reads are sent.

    Reads the patient's newest list, and what NLL holds; the access is logged there, as every one is.
    """
    configure("warning")
    settings = load_settings(os.environ, {"kafka", "nll_base_url", "nll_client_id"})
    pseudonym = pseudonym_of(patient, settings)
    medication_list = _newest_list(settings, pseudonym)
    told = _publication(settings, pseudonym)
    found = asyncio.run(_previewed(settings, medication_list, told, verify=verify))
    if as_json:
        click.echo(_json.encode(plan_object(found, medication_list)).decode())
        return
    print_plan(wide_console(), found, medication_list, lang)


@publish.command(short_help="Show what is pending, parked and failing, since when.")
@_as_json
@_lang
def status(*, as_json: bool, lang: Language) -> None:
    """Show how patients stand toward NLL: how many are published, who is pending, parked or failing, since when and why.

    Patients are named by pseudonym. Exit status 0, whatever is found: the metrics are there for alarms.
    """
    configure("warning")
    settings = load_settings(os.environ, {"kafka"})
    told = newest_values(settings, PUBLISH, range(settings.partitions))
    publications = [decode_publication(value) for value in told.values()]
    publications.sort(key=lambda one: (one.since, one.patient))
    waiting = _waiting(settings, {one.patient: one for one in publications})
    if as_json:
        click.echo(_json.encode(status_object(publications, waiting)).decode())
        return
    print_status(wide_console(), publications, waiting, lang)


@publish.command(short_help="Have a parked patient tried again.")
@click.argument("patient")
@click.option("--by", "asked_by", help="Who asks, by HSA-id. Default: the account at this terminal.")
@click.option("--why", "motivation", help="Why it should go well now.")
def unpark(patient: str, asked_by: str | None, motivation: str | None) -> None:
    """Ask the publisher to try the newest list of PATIENT again, though nothing of it has changed.

    The request is a record that the publisher heeds when it runs, also if it is down now. `medlist publish status` tells
    what became of it. A parked patient is tried again by itself when the list asks for something else.
    """
    configure("warning")
    settings = load_settings(os.environ, {"kafka"})
    pseudonym = pseudonym_of(patient, settings)
    if _publication(settings, pseudonym) is None:
        remedy = "See `medlist publish status` for the patients that are known."
        raise CodedError("PUB-003", "nothing was ever published, parked or tried for this patient", remedy)
    request = PublishRequest(
        patient=pseudonym,
        kind="unpark",
        asked_at=datetime.now(UTC),
        asked_by=asked_by or getpass.getuser(),
        motivation=motivation,
    )
    _send(settings, request)
    click.echo(pseudonym)


def pseudonym_of(patient: str, settings: Settings) -> str:
    """Return the pseudonym of a patient who is named by it or by a person number. Raises ``CodedError`` (``PUB-001``)."""
    if PSEUDONYM.fullmatch(patient):
        return patient
    person = read_person(patient, None, "PATIENT", datetime.now(UTC).date())
    if not isinstance(person, Identifier):
        remedy = "Write the pseudonym (32 hexadecimal digits) or the person number with twelve digits."
        raise CodedError("PUB-001", f"PATIENT names nobody: {person.text}", remedy)
    return pseudonymiser(settings.pseudonym_secret())(person)


def _newest_list(settings: Settings, pseudonym: str) -> MedicationList:
    value = newest_of(settings, LIST, pseudonym, partition_of(pseudonym, settings.partitions))
    if value is None:
        remedy = "Check the number and MEDLIST_PSEUDONYM_KEY; a patient has a list once a fact has arrived."
        raise CodedError("PUB-002", "the patient has no list", remedy)
    return decode_list(value)


def _waiting(settings: Settings, told: Mapping[str, Publication]) -> Waiting:
    """Return who has a list that the publisher has not told of: behind what it has committed, and another than it told."""
    partitions = range(settings.partitions)
    starts = committed(settings, LIST, partitions, settings.publisher_group)
    since: dict[str, datetime] = {}
    for message in records(settings, LIST, partitions, starts=starts):
        patient, value = (message.key() or b"").decode(), message.value()
        known = told.get(patient)
        if value is None or (known is not None and known.list_hash == hashlib.sha256(value).hexdigest()):
            since.pop(patient, None)
        else:
            put_at = datetime.fromtimestamp(message.timestamp()[1] / 1000, UTC)
            since.setdefault(patient, put_at)
    return Waiting(patients=len(since), since=min(since.values(), default=None))


def _publication(settings: Settings, pseudonym: str) -> Publication | None:
    value = newest_of(settings, PUBLISH, pseudonym, partition_of(pseudonym, settings.partitions))
    return None if value is None else decode_publication(value)


async def _previewed(
    settings: Settings, medication_list: MedicationList, told: Publication | None, *, verify: bool
) -> Preview:
    policy = policy_of(Composition(settings=settings).sources)
    asked = Asked(desired=desired(medication_list, policy), writes=Writes() if told is None else writes_of(told))
    async with connect(settings, identity_of(settings)) as client:
        return await preview(client, policy, wall_clock, asked, verify=verify)


def _send(settings: Settings, request: PublishRequest) -> None:
    failed: list[str] = []

    def delivered(error: KafkaError | None, _message: Message) -> None:
        if error is not None:
            failed.append(error.name())

    producer = Producer(producer_config(settings))
    producer.produce(
        settings.topic(PUBLISH_REQUEST),
        value=encode_request(request),
        key=request.patient.encode(),
        partition=partition_of(request.patient, settings.partitions),
        headers=[("content-type", b"application/json")],
        on_delivery=delivered,
    )
    if producer.flush(DELIVERY_SECONDS) or failed:
        remedy = "Check MEDLIST_KAFKA and the rights of this user; run `medlist topics --apply` after an upgrade."
        raise CodedError("PUB-004", f"the request was not taken: {', '.join(failed) or 'no answer'}", remedy)
