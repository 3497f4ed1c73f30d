"""The parts of one running sandbox, and what one request carries."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

import msgspec

from connectors.nll_sandbox.audit import AuditLog
from connectors.nll_sandbox.auth import Tokens
from connectors.nll_sandbox.faults import FaultPlan, Faults
from connectors.nll_sandbox.headers import RequestContext
from connectors.nll_sandbox.outcomes import Issue
from connectors.nll_sandbox.registers import Registers
from connectors.nll_sandbox.seeding import seed_articles, seed_file
from connectors.nll_sandbox.settings import Caller, Clock, SandboxSettings
from connectors.nll_sandbox.store import LATEST, Store


class Sandbox:
    """Everything that lives as long as the server does."""

    def __init__(self, settings: SandboxSettings) -> None:
        self.settings: Final = settings
        self.store: Final = Store(settings.database)
        self.audit: Final = AuditLog(self.store.connection)
        self.registers: Final = Registers(self.store, settings)
        self.tokens: Final = Tokens(settings)
        self.faults: Final = Faults()
        self.clock: Clock = settings.clock
        if not self.store.is_seeded():
            self._seed()

    def reset(self) -> None:
        """Back to the state after start: only the seed files, no tokens given, no faults, the clock of the settings."""
        self.store.clear()
        self.audit.clear()
        self.tokens.forget()
        self.faults.switch(FaultPlan())
        self.clock = self.settings.clock
        self._seed()

    def close(self) -> None:
        """Let go of the database."""
        self.store.close()

    def _seed(self) -> None:
        now = self.clock()
        seed_articles(self.store, self.settings.articles_file, now)
        for path in self.settings.seed_files:
            seed_file(self.store, path, now)
        self.registers.forget()


class Notes:
    """What the audit log is told about a request while it is carried out."""

    def __init__(self) -> None:
        self.resources: list[str] = []
        self.patient: str | None = None
        self.stored = 0
        self.unchanged = 0
        self.hidden = 0
        self.replayed = False
        self.issues: tuple[Issue, ...] = ()


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One request: where it goes, what it says, who sends it, when, and as of which transaction it may see."""

    base: str
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes
    caller: Caller
    context: RequestContext
    now: datetime
    notes: Notes
    as_of: int = LATEST

    @property
    def kind(self) -> str:
        """The resource kind in the address, or nothing."""
        return self.path.get("kind", "")

    @property
    def name(self) -> str:
        """The resource id in the address, or nothing."""
        return self.path.get("name", "")
