"""The parts of one running sandbox, and what one request carries."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

import msgspec

from connectors.nll_sandbox.auth import Tokens
from connectors.nll_sandbox.headers import RequestContext
from connectors.nll_sandbox.settings import Caller, Clock, SandboxSettings
from connectors.nll_sandbox.store import LATEST, Store


class Sandbox:
    """Everything that lives as long as the server does."""

    def __init__(self, settings: SandboxSettings) -> None:
        self.settings: Final = settings
        self.store: Final = Store(settings.database)
        self.tokens: Final = Tokens(settings)
        self.clock: Clock = settings.clock

    def reset(self) -> None:
        """Back to the state after start: nothing stored, no tokens given, the clock of the settings."""
        self.store.clear()
        self.tokens.forget()
        self.clock = self.settings.clock

    def close(self) -> None:
        """Let go of the database."""
        self.store.close()


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One request: where it goes, what it says, who sends it, when, and as of which transaction it may see."""

    base: str
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes
    caller: Caller
    context: RequestContext
    now: datetime
    as_of: int = LATEST

    @property
    def kind(self) -> str:
        """The resource kind in the address, or nothing."""
        return self.path.get("kind", "")

    @property
    def name(self) -> str:
        """The resource id in the address, or nothing."""
        return self.path.get("name", "")
