"""The publishing policy: a value, so that what is sent where can be reviewed and tested without a line of code changing."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final, Literal

import msgspec

from contracts.facts.base import Setting
from contracts.sources import SourceSystem

Handling = Literal["register", "link"]
"""``register``: its prescriptions are registered from here. ``link``: it registers them itself, they are only linked."""

Withdrawal = Literal["cancel", "end", "lock", "keep"]

WITHDRAWALS: Final[Mapping[str, Withdrawal]] = MappingProxyType({"retracted": "cancel", "blocked": "lock"})
"""What a withdrawal does to a prescription of ours: taken back by its source, it was never valid; blocked, it is locked
there (``contracts/decisions/a-block-locks-it-does-not-end.md``)."""


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """Which prescriptions go to NLL, and how. A source that ``handling`` does not name is held back.

    ``replace``: a prescription that takes over from one of ours that is stopped replaces it there in one write; without it
    the old one is ended and the new one created. ``end_by``: with ``$end``, which shortens validity and dosage to
    today, or with an update that changes the status alone.
    """

    handling: Mapping[str, Handling]
    settings: frozenset[Setting] = frozenset({"outpatient", "municipal"})
    withdrawals: Mapping[str, Withdrawal] = WITHDRAWALS
    replace: bool = True
    end_by: Literal["operation", "update"] = "operation"


def policy_of(sources: Iterable[SourceSystem]) -> Policy:
    """Return the policy that the sources themselves state."""
    return Policy(handling={one.id: "link" if one.publishes_itself else "register" for one in sources})
