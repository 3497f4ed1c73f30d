"""What a message becomes besides facts: an answer to its sender, and a place in quarantine where it waits for repair.

Both name problems by code and place. Only the quarantine's value holds the message itself; keys and headers hold nothing
of it. Records of one message may come more than once (a restart repeats); equal ids are the same record.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from uuid import uuid5

import msgspec

from contracts.fact import NAMESPACE
from contracts.problems import Problem
from contracts.values import Value

CODES_HEADER = "medlist-problem-codes"
"""Header of a quarantine record: its problem codes, sorted, with commas between them."""

MESSAGE_ID_HEADER = "medlist-message-id"
"""Header of a vendor's message: the vendor's own id of it, returned in the answer. ``ce_id`` serves as well."""

RECEIVED_AT_HEADER = "medlist-received-at"
"""Header of a stored message: when it was first received (ISO 8601 with zone). Heeded only where that is trusted."""

REPLAY_OF_HEADER = "medlist-replay-of"
"""Header of a message that was put back from quarantine: the id that it had there."""

Outcome = Literal["accepted", "partial", "quarantined"]
"""``accepted``: all became facts; ``partial``: facts and problems; ``quarantined``: problems only."""


class Place(Value, frozen=True, order=True, kw_only=True):
    """Where a message stands in Kafka."""

    topic: str
    partition: int
    offset: int


class Quarantined(Value, frozen=True, kw_only=True):
    """One record of the quarantine: a message, or a part of a large one, with everything that is wrong with it.

    ``id`` is equal for all parts and for every repetition. ``original`` (base64 in JSON), taken over the parts
    1 to ``parts`` in order, is what the vendor sent, byte for byte; so are ``key`` and ``headers``, which stand in part 1.
    ``facts`` counts what could be read all the same.
    """

    id: str
    source: str
    place: Place
    received_at: datetime
    problems: tuple[Problem, ...]
    original: bytes
    key: bytes | None = None
    headers: tuple[tuple[str, bytes], ...] = ()
    facts: int = 0
    part: int = 1
    parts: int = 1


class AnsweredProblem(Value, frozen=True, order=True, kw_only=True):
    """A problem as the sender gets it: what and where."""

    code: str
    place: str


class Ack(Value, frozen=True, kw_only=True):
    """What became of one message, for its sender. Comes at least once per message; the last one counts.

    ``message_id`` is the vendor's own, if its header gave one. ``facts`` are the ids of the facts it became and
    ``problems`` what was wrong, each at most as many as a record holds; the counts are always complete.
    """

    source: str
    place: Place
    outcome: Outcome
    received_at: datetime
    message_id: str | None = None
    fact_count: int = 0
    facts: tuple[str, ...] = ()
    problem_count: int = 0
    problems: tuple[AnsweredProblem, ...] = ()


def quarantine_id(place: Place, original: bytes) -> str:
    """Return the id of a message in quarantine: the same for every repetition, another once a topic is made anew."""
    seed = (place, hashlib.sha256(original).hexdigest())
    return str(uuid5(NAMESPACE, msgspec.json.encode(seed, order="deterministic").decode()))


def outcome_of(facts: int, problems: int) -> Outcome:
    """Return the outcome of a message that became so many facts and has so many problems."""
    if not facts:
        return "quarantined"
    return "partial" if problems else "accepted"


_encoder = msgspec.json.Encoder(order="deterministic")
_quarantined = msgspec.json.Decoder(Quarantined)
_ack = msgspec.json.Decoder(Ack)


def encode_record(record: Quarantined | Ack) -> bytes:
    """Return the JSON value of a quarantine or answer record: deterministic bytes."""
    return _encoder.encode(record)


def decode_quarantined(data: bytes) -> Quarantined:
    """Read a quarantine record. Raises ``msgspec.DecodeError`` for anything else."""
    return _quarantined.decode(data)


def decode_ack(data: bytes) -> Ack:
    """Read an answer. Raises ``msgspec.DecodeError`` for anything else."""
    return _ack.decode(data)


def joined(parts: Sequence[Quarantined]) -> Quarantined:
    """Return the whole message of the parts of one id, repeated or not, in any order.

    Raises ``ValueError`` when parts are missing or belong to several messages.
    """
    by_number = {record.part: record for record in parts}
    ids = {record.id for record in parts}
    first = by_number.get(1)
    if first is None or len(ids) != 1 or set(by_number) != set(range(1, first.parts + 1)):
        raise ValueError("parts are missing, or belong to several messages")
    ordered = [by_number[number] for number in sorted(by_number)]
    return msgspec.structs.replace(
        first,
        original=b"".join(record.original for record in ordered),
        problems=tuple(problem for record in ordered for problem in record.problems),
        part=1,
        parts=1,
    )
