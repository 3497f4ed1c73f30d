"""Bearer tokens: fixed ones for tests, and ones from the OAuth2 client-credentials endpoint (RFC 6749, section 4.4)."""

import base64
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import unquote_plus

from connectors.nll_sandbox.outcomes import Issue, Refusal
from connectors.nll_sandbox.settings import Caller, SandboxSettings
from mappings.fhir.exact_json import JsonObject

_CHALLENGE: Final = {"WWW-Authenticate": 'Bearer realm="nll-sandbox"'}


class Tokens:
    """Who holds which token, and until when."""

    def __init__(self, settings: SandboxSettings) -> None:
        self._settings = settings
        self._issued: dict[str, tuple[Caller, datetime]] = {}

    def issue(self, form: Mapping[str, str], now: datetime) -> tuple[int, JsonObject]:
        """The token endpoint's status and JSON answer (RFC 6749, sections 5.1 and 5.2)."""
        if form.get("grant_type") != "client_credentials":
            return 400, {"error": "unsupported_grant_type"}
        client = self._settings.clients.get(form.get("client_id", ""))
        if client is None or not secrets.compare_digest(client.secret.encode(), form.get("client_secret", "").encode()):
            return 401, {"error": "invalid_client"}
        token = secrets.token_urlsafe(24)
        self._issued[token] = (client.caller, now + timedelta(seconds=self._settings.token_seconds))
        return 200, {
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": self._settings.token_seconds,
            "scope": client.caller.role,
        }

    def caller(self, authorization: str | None, now: datetime) -> Caller | Refusal:
        """Who asks, or a 401."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            return _unauthorized("token-missing", "Send authorization: Bearer <token>.")
        fixed = self._settings.tokens.get(token)
        if fixed is not None:
            return fixed
        caller, until = self._issued.get(token, (None, now))
        if caller is None:
            return _unauthorized("token-unknown", "The token is not known.")
        if now >= until:
            return _unauthorized("token-expired", "The token has expired; fetch a new one.")
        return caller

    def forget(self) -> None:
        """Let every issued token expire now; the fixed ones stay."""
        self._issued.clear()


def client_of(authorization: str) -> dict[str, str]:
    """The client id and secret of an HTTP Basic header (RFC 6749, section 2.3.1); nothing when it holds none."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return {}
    try:
        name, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:  # not ASCII, not base64, not UTF-8
        return {}
    return {"client_id": unquote_plus(name), "client_secret": unquote_plus(secret)}


def _unauthorized(code: str, text: str) -> Refusal:
    return Refusal(401, (Issue(code=code, kind="login", place="http.authorization", text=text),), _CHALLENGE)
