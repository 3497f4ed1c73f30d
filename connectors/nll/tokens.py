"""Bearer tokens from client credentials (RFC 6749, section 4.4): cached, refreshed at 80 % of their life, one at a time."""

import asyncio
from collections.abc import Callable
from typing import Final, Protocol

import aiohttp
import msgspec

REFRESH_AT: Final = 0.8
"""The share of a token's life after which a new one is asked for."""

_OK: Final = 200


class TokenUnavailableError(Exception):
    """No token could be had now; ``reason`` is a code, never an answer's text."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Credentials(msgspec.Struct, frozen=True, kw_only=True):
    """Where tokens are had, and as whom. ``timeout_seconds`` bounds one request."""

    url: str
    client_id: str
    client_secret: str
    scope: str | None = None
    timeout_seconds: float = 10.0

    def __repr__(self) -> str:
        return f"Credentials(url={self.url!r}, client_id={self.client_id!r})"


class Tokens(Protocol):
    """Gives bearer tokens."""

    async def get(self) -> str:
        """Return a token that should hold. Raises ``TokenUnavailableError``."""
        ...

    def refused(self, token: str) -> None:
        """Tell that the endpoint did not accept this token: it is not given again."""
        ...


class _Granted(msgspec.Struct, frozen=True):
    access_token: str
    expires_in: float = 0.0


class ClientCredentials:
    """Tokens of one client. ``monotonic`` gives seconds that only rise."""

    def __init__(
        self, session: aiohttp.ClientSession, credentials: Credentials, monotonic: Callable[[], float]
    ) -> None:
        self._session = session
        self._credentials = credentials
        self._monotonic = monotonic
        self._token: str | None = None
        self._fresh_until = 0.0
        self._flight = asyncio.Lock()

    async def get(self) -> str:
        """Return the cached token, or a new one that all waiting callers share. Raises ``TokenUnavailableError``."""
        async with self._flight:
            if self._token is None or self._monotonic() >= self._fresh_until:
                asked_at = self._monotonic()
                granted = await self._ask()
                self._token = granted.access_token
                self._fresh_until = asked_at + REFRESH_AT * granted.expires_in
            return self._token

    def refused(self, token: str) -> None:
        """Forget this token, unless it has been replaced meanwhile."""
        if token == self._token:
            self._token = None

    async def _ask(self) -> _Granted:
        credentials = self._credentials
        form = {
            "grant_type": "client_credentials",
            "client_id": credentials.client_id,
            "client_secret": credentials.client_secret,
        }
        if credentials.scope is not None:
            form["scope"] = credentials.scope
        timeout = aiohttp.ClientTimeout(total=credentials.timeout_seconds)
        try:
            async with self._session.post(credentials.url, data=form, timeout=timeout, allow_redirects=False) as answer:
                body = await answer.read()
                status = answer.status
        except (aiohttp.ClientError, TimeoutError) as error:
            raise TokenUnavailableError("token-unreachable") from error
        if status != _OK:
            raise TokenUnavailableError(f"token-http-{status}")
        try:
            return msgspec.json.decode(body, type=_Granted)
        except msgspec.DecodeError:
            raise TokenUnavailableError("token-unreadable") from None


class FixedToken:
    """One token that never changes: for endpoints that another process authenticates toward."""

    def __init__(self, token: str) -> None:
        self._token = token

    async def get(self) -> str:
        """Return the token."""
        return self._token

    def refused(self, token: str) -> None:
        """Nothing can be done about it."""
