"""From a message to facts and problems: what holds for every source."""

from datetime import UTC, datetime, timedelta

import pytest

from connectors.pseudonym import pseudonymiser
from contracts.envelope import decode_fact
from contracts.quarantine import RECEIVED_AT_HEADER, Place
from mappings.sources.reading import Context, Message, Reader, Reading
from streams.topology.intake.interpreting import Edge, Interpreted, Received, interpret
from streams.topology.intake.limits import IntakeLimits
from streams.topology.intake.routes import Route
from tests.streams.topology.intake.trivial import SOURCE, read, said

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)
EARLIER = datetime(2026, 1, 2, 3, tzinfo=UTC)
PLACE = Place(topic=SOURCE.topic, partition=0, offset=7)
LIMITS = IntakeLimits()


def interpreted(
    value: bytes, *, trust: bool = False, headers: tuple[tuple[str, bytes], ...] = (), reader: Reader = read
) -> Interpreted:
    """What a message becomes."""
    received = Received(place=PLACE, value=value, at=NOW, headers=headers)
    edge = Edge(pseudonym=pseudonymiser(b"k" * 32), trust_received_at=trust, limits=LIMITS)
    return interpret(received, Route(SOURCE, reader, "out.hospital.ack.v1"), edge)


def codes(message: Interpreted) -> list[tuple[str, str]]:
    """The codes and places of a message's problems."""
    return [(problem.code, problem.place) for problem in message.problems]


def test_facts_and_problems_stand_side_by_side() -> None:
    """What can be read becomes facts even where other parts cannot."""
    message = interpreted(said(ids=["a", "b"], broken=1))

    assert [decode_fact(fact.data).source_id for fact in message.facts] == ["a", "b"]
    assert codes(message) == [("missing", "rows[0]")]


@pytest.mark.parametrize(("ahead", "facts"), [(timedelta(minutes=5), 1), (timedelta(minutes=5, microseconds=1), 0)])
def test_a_fact_recorded_after_its_receipt_is_refused(ahead: timedelta, facts: int) -> None:
    """A source's clock may be five minutes ahead; a fact recorded later than that is a problem with its place."""
    message = interpreted(said(ids=["a"], recorded=NOW + ahead))

    assert len(message.facts) == facts
    assert codes(message) == ([] if facts else [("future", "facts[0].recorded_at")])


def test_a_fact_larger_than_a_record_is_a_problem() -> None:
    """It goes to quarantine with its message, and the other facts of the message do not."""
    message = interpreted(said(ids=["large"], filler=LIMITS.record_bytes))

    assert message.facts == ()
    assert codes(message) == [("too-long", "facts[0]")]


def test_headers_that_are_too_large_are_a_problem_and_not_read() -> None:
    """A message is read without them, and waits in quarantine."""
    headers = (("h", b"x" * LIMITS.attribute_bytes),)

    message = interpreted(said(ids=["a"]), headers=headers)

    assert len(message.facts) == 1
    assert codes(message) == [("too-long", "headers")]


def test_a_trusted_time_of_receipt_is_taken() -> None:
    """A replay keeps the time at which the message was first received."""
    headers = ((RECEIVED_AT_HEADER, EARLIER.isoformat().encode()),)

    message = interpreted(said(ids=["a"]), trust=True, headers=headers)

    assert message.received_at == EARLIER
    assert decode_fact(message.facts[0].data).received_at == EARLIER


@pytest.mark.parametrize("written", [b"yesterday", b"2026-01-02T03:00:00", b"\xff", b""])
def test_a_trusted_time_that_cannot_be_read_is_a_problem(written: bytes) -> None:
    """No other time is put in its place: the message waits in quarantine."""
    message = interpreted(said(ids=["a"]), trust=True, headers=((RECEIVED_AT_HEADER, written),))

    assert message.facts == ()
    assert codes(message) == [("unreadable", f"header {RECEIVED_AT_HEADER}")]


def test_a_time_that_is_not_trusted_is_not_even_looked_at() -> None:
    """Without the setting a sender's header changes nothing."""
    message = interpreted(said(ids=["a"]), headers=((RECEIVED_AT_HEADER, b"yesterday"),))

    assert message.received_at == NOW
    assert message.problems == ()


def test_a_reading_of_nothing_is_a_problem() -> None:
    """No message vanishes, not even through a reader that finds neither facts nor problems."""

    def blind(message: Message, context: Context) -> Reading:
        return Reading()

    assert codes(interpreted(b"", reader=blind)) == [("unsupported", "message")]
