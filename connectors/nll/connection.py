"""From settings to a client: one session, one token source, closed together."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp

from connectors.nll.client import Endpoint, NllClient
from connectors.nll.requests import Identity
from connectors.nll.tokens import ClientCredentials, Credentials, FixedToken, Tokens
from connectors.settings import Settings
from connectors.telemetry.errors import CodedError

CONNECTIONS_MOST = 32


def identity_of(settings: Settings) -> Identity:
    """Return who this system is toward the endpoint, by the settings."""
    return Identity(org_info=settings.nll_org_info, user_agent=settings.nll_user_agent)


@asynccontextmanager
async def connect(settings: Settings, identity: Identity, token: str | None = None) -> AsyncIterator[NllClient]:
    """A client of the endpoint that the settings name; ``token`` is one that never changes, in place of credentials.

    Raises ``CodedError`` (``NLL-001``) when the settings name no endpoint, or no way to a token.
    """
    if settings.nll_base_url is None:
        raise CodedError("NLL-001", "no NLL endpoint is set", "Set MEDLIST_NLL_BASE_URL.")
    connector = aiohttp.TCPConnector(limit=CONNECTIONS_MOST)
    # No environment proxies, no cookies: what goes where is set here and nowhere else.
    async with aiohttp.ClientSession(
        connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False
    ) as session:
        endpoint = Endpoint(base_url=settings.nll_base_url.rstrip("/"), identity=identity)
        yield NllClient(session, endpoint, _tokens(session, settings, token))


def _tokens(session: aiohttp.ClientSession, settings: Settings, token: str | None) -> Tokens:
    if token is not None:
        return FixedToken(token)
    if settings.nll_token_url is None or settings.nll_client_id is None or settings.nll_client_secret is None:
        remedy = "Set MEDLIST_NLL_TOKEN_URL, MEDLIST_NLL_CLIENT_ID and MEDLIST_NLL_CLIENT_SECRET."
        raise CodedError("NLL-001", "nothing to get NLL access tokens with", remedy)
    credentials = Credentials(
        url=settings.nll_token_url,
        client_id=settings.nll_client_id,
        client_secret=settings.nll_client_secret.get_secret_value(),
        scope=settings.nll_scope,
    )
    return ClientCredentials(session, credentials, time.monotonic)
