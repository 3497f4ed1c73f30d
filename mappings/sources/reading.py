"""What every source mapping takes and gives: a message and its context in, facts and problems out."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Protocol

import msgspec

from contracts.fact import Fact
from contracts.problems import Problem
from contracts.sources import SourceSystem
from contracts.values import Identifier


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """What a vendor sent, byte for byte, with its Kafka headers."""

    value: bytes
    headers: Mapping[str, bytes] = {}


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """What the edge knows about a message: its source, when it was received (UTC), how persons are pseudonymised."""

    source: SourceSystem
    received_at: datetime
    pseudonym: Callable[[Identifier], str]


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a message: facts, problems, or both.

    The readable records of a message become facts, and the message goes to quarantine with the problems of the others.
    A message without facts has problems.
    """

    facts: tuple[Fact, ...] = ()
    problems: tuple[Problem, ...] = ()


class Reader(Protocol):
    """A source mapping: pure, total. Every input gives a reading; bad data is a problem, never an exception."""

    def __call__(self, message: Message, context: Context) -> Reading:
        """Read one message."""
        ...
