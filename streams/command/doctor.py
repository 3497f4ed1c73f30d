"""``medlist doctor``: can everything be reached that is needed, and what to do if not."""

import asyncio
import json
import os
import sys
import time
from collections.abc import Callable, Iterator

import aiohttp
import click
import msgspec
from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # documented there, but not re-exported by its types
    AdminClient,
    OffsetSpec,
)
from rich.console import Console
from rich.text import Text

from connectors.kafka.clients import client_config
from connectors.kafka.topics import Missing, describe_difference
from connectors.nll.tokens import ClientCredentials, Credentials, TokenUnavailableError
from connectors.settings import Settings, load_settings
from connectors.telemetry import CodedError, configure
from contracts.topics import QUARANTINE
from streams.command.composition import Composition
from streams.command.tables import wide_console
from streams.command.topics import differences_of

ASK_SECONDS = 5.0
LATELY_SECONDS = 24 * 3600


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at. ``remedy`` says what to do where it is not ``ok``."""

    name: str
    ok: bool
    found: str
    remedy: str | None = None


@click.command(short_help="Check that everything medlist needs can be reached.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object with every check.")
def doctor(*, as_json: bool) -> None:
    """Check the settings, the brokers, the topics, the quarantine, the pseudonym key, and the NLL endpoint with its tokens.

    Changes nothing. Each failure says what to do. Exit status 1 if anything is wrong.
    """
    configure("error")
    checks = list(check_all())
    if as_json:
        click.echo(json.dumps({"ok": all(c.ok for c in checks), "checks": [msgspec.to_builtins(c) for c in checks]}))
    else:
        _print(wide_console(), checks)
    sys.exit(0 if all(check.ok for check in checks) else 1)


def check_all() -> Iterator[Check]:
    """Yield every check. Without right settings nothing else can be checked."""
    try:
        settings = load_settings(os.environ)
    except CodedError as error:
        yield Check(name="settings", ok=False, found=error.message, remedy=error.remedy)
        return
    yield Check(name="settings", ok=True, found="readable")
    yield _pseudonym_key(settings)
    broker = _broker(settings)
    yield broker
    if broker.ok:
        topics = _guarded("topics", lambda: _topics(settings))
        yield topics
        if topics.ok:
            yield _quarantine(settings)
    yield from asyncio.run(_nll(settings))


def _pseudonym_key(settings: Settings) -> Check:
    if settings.pseudonym_key is None:
        remedy = (
            "Make one, 32 characters or more, and keep it for ever: lists are keyed with it. MEDLIST_PSEUDONYM_KEY."
        )
        return Check(name="pseudonym key", ok=False, found="not set", remedy=remedy)
    return Check(name="pseudonym key", ok=True, found="set")


def _broker(settings: Settings) -> Check:
    if settings.kafka is None:
        return Check(name="brokers", ok=False, found="not set", remedy="Set MEDLIST_KAFKA to host:port of a broker.")
    try:
        listed = AdminClient(client_config(settings)).list_topics(timeout=ASK_SECONDS)
    except KafkaException as exc:
        found = f"{settings.kafka} does not answer: {exc.args[0].name()}"
        remedy = "Check the address, the network, and MEDLIST_KAFKA_SECURITY_PROTOCOL with its login."
        return Check(name="brokers", ok=False, found=found, remedy=remedy)
    return Check(name="brokers", ok=True, found=f"{len(listed.brokers)} at {settings.kafka}")


def _topics(settings: Settings) -> Check:
    specs = Composition(settings=settings).topics
    differences = differences_of(AdminClient(client_config(settings)), specs)
    if differences:
        missing = [one.spec.name for one in differences if isinstance(one, Missing)]
        told = [f"{len(missing)} of {len(specs)} are missing ({missing[0]}, ...)"] if missing else []
        told += [describe_difference(one) for one in differences if not isinstance(one, Missing)]
        found = "; ".join(told)
        return Check(name="topics", ok=False, found=found, remedy="Run `medlist topics --apply`.")
    return Check(name="topics", ok=True, found=f"{len(specs)} as they must be")


def _quarantine(settings: Settings) -> Check:
    """How much waits there, and how much of it came lately; that is no fault of the system."""
    admin = AdminClient(client_config(settings))
    since = round((time.time() - LATELY_SECONDS) * 1000)
    specs = (OffsetSpec.earliest(), OffsetSpec.for_timestamp(since), OffsetSpec.latest())  # type: ignore[no-untyped-call]
    try:
        begin, lately, end = (_offsets(admin, settings, spec) for spec in specs)
    except KafkaException as exc:
        remedy = "Check the right to describe and read medlist.quarantine.v1."
        return Check(name="quarantine", ok=False, found=f"cannot be read: {exc.args[0].name()}", remedy=remedy)
    total = sum(end.values()) - sum(begin.values())
    # Where nothing came since then, there is no offset for it (-1).
    new = sum(end[number] - offset for number, offset in lately.items() if offset >= 0)
    told = f"{total} records, {new} of them of the last day"
    return Check(name="quarantine", ok=True, found=f"{told}: see `medlist quarantine list`" if total else told)


def _offsets(admin: AdminClient, settings: Settings, spec: OffsetSpec) -> dict[int, int]:
    name = settings.topic(QUARANTINE)
    asked = {TopicPartition(name, number): spec for number in range(settings.partitions)}
    answers = admin.list_offsets(asked, request_timeout=ASK_SECONDS)
    return {place.partition: answer.result().offset for place, answer in answers.items()}


async def _nll(settings: Settings) -> list[Check]:
    if settings.nll_base_url is None:
        remedy = "Set MEDLIST_NLL_BASE_URL; for a try-out start `medlist nll-sandbox`. Only the publisher needs it."
        return [Check(name="NLL endpoint", ok=False, found="not set", remedy=remedy)]
    async with aiohttp.ClientSession(
        timeout=aiohttp.ClientTimeout(total=ASK_SECONDS), cookie_jar=aiohttp.DummyCookieJar(), trust_env=False
    ) as session:
        return [await _endpoint(session, settings.nll_base_url), await _token(session, settings)]


async def _endpoint(session: aiohttp.ClientSession, base: str) -> Check:
    try:
        async with session.get(f"{base.rstrip('/')}/$ping", allow_redirects=False) as answer:
            return Check(name="NLL endpoint", ok=True, found=f"answers with HTTP {answer.status}")
    except (aiohttp.ClientError, TimeoutError) as error:
        remedy = "Check MEDLIST_NLL_BASE_URL, the network (Sjunet or the agreed way), and the certificates."
        return Check(name="NLL endpoint", ok=False, found=f"does not answer: {type(error).__name__}", remedy=remedy)


async def _token(session: aiohttp.ClientSession, settings: Settings) -> Check:
    if settings.nll_token_url is None or settings.nll_client_id is None or settings.nll_client_secret is None:
        remedy = "Set MEDLIST_NLL_TOKEN_URL, MEDLIST_NLL_CLIENT_ID and MEDLIST_NLL_CLIENT_SECRET."
        return Check(name="NLL token", ok=False, found="not set", remedy=remedy)
    credentials = Credentials(
        url=settings.nll_token_url,
        client_id=settings.nll_client_id,
        client_secret=settings.nll_client_secret.get_secret_value(),
        scope=settings.nll_scope,
        timeout_seconds=ASK_SECONDS,
    )
    try:
        await ClientCredentials(session, credentials, time.monotonic).get()
    except TokenUnavailableError as error:
        remedy = "Check MEDLIST_NLL_TOKEN_URL; for token-http-4xx the client's name, secret and scope."
        return Check(name="NLL token", ok=False, found=error.reason, remedy=remedy)
    return Check(name="NLL token", ok=True, found="granted")


def _guarded(name: str, check: Callable[[], Check]) -> Check:
    try:
        return check()
    except CodedError as error:
        return Check(name=name, ok=False, found=error.message, remedy=error.remedy)


def _print(console: Console, checks: list[Check]) -> None:
    for check in checks:
        mark = Text("ok    ", style="green") if check.ok else Text("WRONG ", style="bold red")
        console.print(mark + Text(f"{check.name}: {check.found}", style=""))
        if check.remedy is not None:
            console.print(Text(f"      {check.remedy}", style="yellow"))
