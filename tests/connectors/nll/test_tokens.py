"""Tokens from client credentials: cached, renewed in time, asked for once, never shown."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web

from connectors.nll.tokens import ClientCredentials, Credentials, TokenUnavailableError
from connectors.nll_sandbox import serve


class Issuer:
    """A token endpoint that counts; ``answer`` replaces its next answers."""

    def __init__(self) -> None:
        self.asked = 0
        self.answer: web.Response | None = None
        self.url = ""
        self.gate = asyncio.Event()
        self.gate.set()

    async def handle(self, request: web.Request) -> web.Response:
        """Give token n, for 100 seconds."""
        self.asked += 1
        form = await request.post()
        assert (form["grant_type"], form["client_id"], form["client_secret"]) == ("client_credentials", "me", "secret")
        await self.gate.wait()
        return self.answer or web.json_response({"access_token": f"t-{self.asked}", "expires_in": 100})


class Seconds:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """The present."""
        return self.now


@asynccontextmanager
async def issuer() -> AsyncIterator[Issuer]:
    """A running token endpoint."""
    running = Issuer()
    app = web.Application()
    app.router.add_post("/token", running.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    running.url = f"http://127.0.0.1:{runner.addresses[0][1]}/token"
    try:
        yield running
    finally:
        await runner.cleanup()


@asynccontextmanager
async def tokens(url: str, clock: Seconds) -> AsyncIterator[ClientCredentials]:
    """A token source for an endpoint."""
    credentials = Credentials(url=url, client_id="me", client_secret="secret", timeout_seconds=1.0)
    async with aiohttp.ClientSession() as session:
        yield ClientCredentials(session, credentials, clock)


async def test_a_token_is_kept_until_four_fifths_of_its_life() -> None:
    """Then a new one is asked for, before the old one is refused."""
    clock = Seconds()
    async with issuer() as endpoint, tokens(endpoint.url, clock) as source:
        first = await source.get()
        clock.now += 79.9
        kept = await source.get()
        clock.now += 0.2
        renewed = await source.get()

    assert (first, kept, renewed, endpoint.asked) == ("t-1", "t-1", "t-2", 2)


async def test_many_who_need_a_token_ask_once() -> None:
    """They wait for the one request that is under way."""
    async with issuer() as endpoint, tokens(endpoint.url, Seconds()) as source:
        endpoint.gate.clear()
        waiting = [asyncio.create_task(source.get()) for _ in range(20)]
        await asyncio.sleep(0)
        endpoint.gate.set()
        got = await asyncio.gather(*waiting)

    assert set(got) == {"t-1"}
    assert endpoint.asked == 1


async def test_a_refused_token_is_not_given_again() -> None:
    """But a token that has been renewed meanwhile stays."""
    async with issuer() as endpoint, tokens(endpoint.url, Seconds()) as source:
        first = await source.get()
        source.refused(first)
        second = await source.get()
        source.refused(first)
        third = await source.get()

    assert (first, second, third) == ("t-1", "t-2", "t-2")


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (500, b"", "token-http-500"),
        (401, b'{"error": "invalid_client"}', "token-http-401"),
        (200, b"<html>", "token-unreadable"),
        (200, b'{"expires_in": 5}', "token-unreadable"),
    ],
)
async def test_an_endpoint_without_a_token_is_told_by_a_code(status: int, body: bytes, reason: str) -> None:
    """Its words are not repeated: they may hold anything."""
    async with issuer() as endpoint, tokens(endpoint.url, Seconds()) as source:
        endpoint.answer = web.Response(status=status, body=body)
        with pytest.raises(TokenUnavailableError) as told:
            await source.get()

    assert told.value.reason == reason


async def test_a_token_endpoint_that_is_not_there_is_told_by_a_code() -> None:
    """Nothing listens on the discard port."""
    async with tokens("http://127.0.0.1:9/token", Seconds()) as source:
        with pytest.raises(TokenUnavailableError) as told:
            await source.get()

    assert told.value.reason == "token-unreachable"


async def test_the_sandbox_gives_tokens_that_it_accepts() -> None:
    """The same dialect on both sides."""
    async with serve() as base, aiohttp.ClientSession() as session:
        credentials = Credentials(url=f"{base}/oauth2/token", client_id="medlist", client_secret="medlist-test-secret")
        token = await ClientCredentials(session, credentials, Seconds()).get()
        headers = {"authorization": f"Bearer {token}", "accept": "application/fhir+json"}
        headers |= {"x-request-id": "r", "x-context-id": "c", "x-org-info": "o", "x-user-agent": "u"}
        async with session.get(f"{base}/Patient?_id=p-1", headers=headers) as answer:
            assert answer.status == 200


def test_a_secret_is_not_in_what_is_printed() -> None:
    """Not in a log, not in a traceback with locals."""
    credentials = Credentials(url="https://example.org/token", client_id="me", client_secret="hush")

    assert "hush" not in repr(credentials)
