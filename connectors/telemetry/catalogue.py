"""The catalogue of events: every log line is one of these, named `noun.verb`, with a code that is never reused.

A package that logs declares its events beside its code: `EVENTS = declare({"fact.applied": "REC-001"})`, at import.
An event that nobody declared is not written under its name, which may have been built from data.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_EVENT: Final = re.compile(r"[a-z]+(_[a-z]+)*\.[a-z]+(_[a-z]+)*")
_CODE: Final = re.compile(r"[A-Z]{3}-\d{3}")

UNDECLARED: Final = "event.undeclared"
LIBRARY_LOGGED: Final = "library.logged"

_codes: dict[str, str] = {}


class CatalogueError(ValueError):
    """Two meanings for one event or one code, or a name that is not `noun.verb`; a mistake in our code."""


def declare(events: Mapping[str, str]) -> Mapping[str, str]:
    """Add events with their codes to the catalogue; returns what was declared.

    Raises `CatalogueError` for a name that is not `noun.verb` in lower case, a code that is not like `REC-001`, and a
    name or code that already means something else. Declaring the same pair twice changes nothing.
    """
    for event, code in events.items():
        if not _EVENT.fullmatch(event) or not _CODE.fullmatch(code):
            raise CatalogueError(f"{event} {code}: an event is noun.verb in lower case, its code like REC-001")
        other = next((name for name, used in _codes.items() if used == code), event)
        if other != event or _codes.get(event, code) != code:
            raise CatalogueError(f"{event} {code}: name or code already stands for something else")
    _codes.update(events)
    return MappingProxyType(dict(events))


def code_of(event: str) -> str | None:
    """The code of a declared event, or None."""
    return _codes.get(event)


declare(
    {
        UNDECLARED: "TEL-001",
        LIBRARY_LOGGED: "TEL-002",
        "warning.raised": "TEL-003",
        "process.started": "PRC-001",
        "process.stopped": "PRC-002",
        "process.crashed": "PRC-003",
        "process.stalled": "PRC-004",
        "settings.read": "PRC-005",
        "settings.refused": "PRC-006",
        "health.served": "PRC-007",
        "message.accepted": "INT-001",
        "message.refused": "INT-002",
        "message.quarantined": "INT-003",
        "batch.sent": "INT-004",
        "partitions.assigned": "REC-001",
        "partitions.revoked": "REC-002",
        "state.restored": "REC-003",
        "state.fenced": "REC-004",
        "batch.applied": "REC-005",
        "batch.skipped": "REC-006",
        "position.broken": "REC-007",
        "transaction.failed": "REC-008",
        "list.changed": "REC-009",
        "publish.sent": "PUB-001",
        "publish.skipped": "PUB-002",
        "publish.retried": "PUB-003",
        "publish.parked": "PUB-004",
        "publish.rejected": "PUB-005",
        "endpoint.failed": "PUB-006",
        "endpoint.recovered": "PUB-007",
        "request.served": "SRV-001",
        "request.refused": "SRV-002",
        "topic.created": "TOP-001",
        "topic.wrong": "TOP-002",
    }
)
