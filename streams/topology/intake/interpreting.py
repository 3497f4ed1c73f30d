"""From a message to facts and problems. Pure: the time of receipt comes in as data.

The reader says what the message says; here is what holds for every source: the time of receipt, a clock that is ahead,
and what does not fit into a record.
"""

from datetime import UTC, datetime

import msgspec

from connectors.pseudonym import Pseudonym
from contracts.envelope import encode_fact
from contracts.fact import Fact
from contracts.facts.person import IdentityLink
from contracts.problems import Problem
from contracts.quarantine import RECEIVED_AT_HEADER, Place
from mappings.sources.reading import Context, Message, Reading
from streams.topology.intake.limits import IntakeLimits
from streams.topology.intake.routes import Route


class Received(msgspec.Struct, frozen=True, kw_only=True):
    """One message as it came, with the time at which it was taken (UTC)."""

    place: Place
    value: bytes
    at: datetime
    key: bytes | None = None
    headers: tuple[tuple[str, bytes], ...] = ()


class EncodedFact(msgspec.Struct, frozen=True):
    """A fact ready to be packed: structured-mode JSON, and the patients whose partitions need it."""

    id: str
    patients: tuple[str, ...]
    received_at: datetime
    data: bytes


class Interpreted(msgspec.Struct, frozen=True, kw_only=True):
    """What a message became. Never empty: without facts there are problems."""

    received: Received
    received_at: datetime
    facts: tuple[EncodedFact, ...]
    problems: tuple[Problem, ...]


class Edge(msgspec.Struct, frozen=True, kw_only=True):
    """What is equal for all messages."""

    pseudonym: Pseudonym
    trust_received_at: bool
    limits: IntakeLimits


def interpret(received: Received, route: Route, edge: Edge) -> Interpreted:
    """Read one message. Raises only what a reader raises, and a reader that raises is a bug."""
    headers, problems = _headers(received, edge.limits)
    received_at = received.at
    if edge.trust_received_at and RECEIVED_AT_HEADER in headers:
        stated = _stated_time(headers[RECEIVED_AT_HEADER])
        if isinstance(stated, Problem):
            return Interpreted(received=received, received_at=received.at, facts=(), problems=(*problems, stated))
        received_at = stated
    context = Context(source=route.source, received_at=received_at, pseudonym=edge.pseudonym)
    reading = route.reader(Message(value=received.value, headers=headers), context)
    facts, refused = _fitting(reading, received_at, edge.limits)
    problems += [*reading.problems, *refused]
    if not facts and not problems:
        problems.append(
            Problem(code="unsupported", place="message", text="nothing in it is read; tell the integration team")
        )
    return Interpreted(received=received, received_at=received_at, facts=tuple(facts), problems=tuple(problems))


def attributes_fit(received: Received, limits: IntakeLimits) -> bool:
    """Tell whether headers and key of a message are small enough to be read and kept."""
    total_bytes = len(received.key or b"") + sum(len(name) + len(value) for name, value in received.headers)
    return total_bytes <= limits.attribute_bytes


def _headers(received: Received, limits: IntakeLimits) -> tuple[dict[str, bytes], list[Problem]]:
    if not attributes_fit(received, limits):
        text = f"send at most {limits.attribute_bytes} bytes of headers and key; none of them was read or kept"
        return {}, [Problem(code="too-long", place="headers", text=text)]
    return dict(received.headers), []


def _stated_time(raw: bytes) -> datetime | Problem:
    place = f"header {RECEIVED_AT_HEADER}"
    try:
        stated = datetime.fromisoformat(raw.decode("ascii"))
    except ValueError:
        return Problem(code="unreadable", place=place, text="write an ISO 8601 time with its zone")
    if stated.tzinfo is None:
        return Problem(code="unreadable", place=place, text="write the time's zone")
    return stated.astimezone(UTC)


def _fitting(reading: Reading, received_at: datetime, limits: IntakeLimits) -> tuple[list[EncodedFact], list[Problem]]:
    facts: list[EncodedFact] = []
    problems: list[Problem] = []
    latest = received_at + limits.future
    for index, fact in enumerate(reading.facts):
        if fact.recorded_at is not None and fact.recorded_at > latest:
            problems.append(_future(fact, index))
            continue
        data = encode_fact(fact)
        if len(data) + len("[]") > limits.record_bytes:
            problems.append(_too_long(fact, index, limits))
            continue
        facts.append(EncodedFact(fact.id, _patients(fact), fact.received_at, data))
    return facts, problems


def _future(fact: Fact, index: int) -> Problem:
    text = f"{fact.type}: recorded later than it was received; check the source's clock and zone, then send it again"
    return Problem(code="future", place=f"facts[{index}].recorded_at", text=text)


def _too_long(fact: Fact, index: int, limits: IntakeLimits) -> Problem:
    text = f"{fact.type}: at most {limits.record_bytes} bytes as JSON; send its parts as records of their own"
    return Problem(code="too-long", place=f"facts[{index}]", text=text)


def _patients(fact: Fact) -> tuple[str, ...]:
    if fact.forwarded_to is not None:
        return (fact.forwarded_to,)
    if isinstance(fact.content, IdentityLink):
        return (fact.patient, fact.content.other_patient)
    return (fact.patient,)
