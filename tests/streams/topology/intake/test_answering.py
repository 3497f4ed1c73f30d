"""Quarantine records and answers: everything named, nothing larger than a record."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.problems import Problem
from contracts.quarantine import (
    AnsweredProblem,
    Place,
    decode_ack,
    decode_quarantined,
    encode_record,
    joined,
    quarantine_id,
)
from streams.topology.intake.answering import answer, quarantine
from streams.topology.intake.interpreting import EncodedFact, Interpreted, Received
from streams.topology.intake.limits import IntakeLimits
from tests.streams.topology.intake.wire import NOW

PLACE = Place(topic="in.hospital.medication.v1", partition=1, offset=7)
MISSING = Problem(code="missing", place="ORC-2", text="send the order number")
LIMITS = IntakeLimits()


def message(
    value: bytes = b"MSH|",
    problems: tuple[Problem, ...] = (MISSING,),
    headers: tuple[tuple[str, bytes], ...] = (),
    facts: int = 0,
) -> Interpreted:
    """A message that was read."""
    received = Received(place=PLACE, value=value, at=NOW, key=b"key", headers=headers)
    named = tuple(EncodedFact(f"id-{n}", ("p",), NOW, b"{}") for n in range(facts))
    return Interpreted(received=received, received_at=NOW, facts=named, problems=problems)


def test_a_message_without_problems_leaves_nothing_in_quarantine() -> None:
    """Quarantine holds what somebody must look at, and nothing else."""
    assert quarantine(message(problems=(), facts=1), "hospital", LIMITS) == []


def test_a_quarantine_record_holds_the_whole_message() -> None:
    """Value, key and headers are kept byte for byte, with where it came from and what is wrong."""
    (record,) = quarantine(message(b"\x00\xff", headers=(("h", b"\xfe"), ("h", b"2"))), "hospital", LIMITS)

    assert decode_quarantined(encode_record(record)) == record
    assert (record.original, record.key, record.headers) == (b"\x00\xff", b"key", (("h", b"\xfe"), ("h", b"2")))
    assert (record.source, record.place, record.received_at) == ("hospital", PLACE, NOW)
    assert record.problems == (MISSING,)


def test_a_repetition_has_the_same_id_and_another_message_another() -> None:
    """The id follows from place and content, so that a restart does not make two of one."""
    same = quarantine_id(PLACE, b"a")

    assert same == quarantine_id(PLACE, b"a")
    assert same != quarantine_id(PLACE, b"b")
    assert same != quarantine_id(msgspec.structs.replace(PLACE, offset=8), b"a")


@given(st.integers(0, 1_000), st.integers(1, 40), st.randoms())
def test_a_large_message_comes_in_parts_that_make_it_whole_again(size: int, problems: int, order: object) -> None:
    """The parts, repeated and in any order, give back every byte and every problem."""
    limits = IntakeLimits(part_bytes=100, part_problem_bytes=300)
    value = bytes(n % 256 for n in range(size))
    wrong = tuple(Problem(code="missing", place=f"row {n}", text="is required") for n in range(problems))

    records = quarantine(message(value, wrong), "hospital", limits)

    assert all(len(record.original) <= 100 for record in records)
    whole = joined([*reversed(records), *records])
    assert (whole.original, whole.problems, whole.key) == (value, wrong, b"key")


def test_a_message_of_which_a_part_is_missing_is_not_made_up() -> None:
    """Parts that do not make a whole are refused."""
    records = quarantine(message(b"x" * 250), "hospital", IntakeLimits(part_bytes=100))

    with pytest.raises(ValueError, match="parts are missing"):
        joined(records[:2])


def test_no_record_grows_beyond_the_limit() -> None:
    """The worst message, all of its limits reached, still fits into records that the broker takes."""
    wrong = tuple(Problem(code="missing", place="x" * 5_000, text="y" * 5_000) for _ in range(2_000))
    headers = (("h", b"z" * (LIMITS.attribute_bytes - 4)),)
    worst = message(b"\xff" * 1_048_576, wrong, headers, facts=20_000)

    records = [encode_record(record) for record in quarantine(worst, "hospital", LIMITS)]
    told = encode_record(answer(worst, "hospital", LIMITS))

    assert max(map(len, [*records, told])) <= LIMITS.record_bytes
    assert sum(len(decode_quarantined(record).problems) for record in records) == 2_000


def test_attributes_that_are_too_large_are_not_kept() -> None:
    """The message itself is; its problems say that the attributes are not."""
    (record,) = quarantine(message(headers=(("h", b"z" * LIMITS.attribute_bytes),)), "hospital", LIMITS)

    assert (record.headers, record.key, record.original) == ((), None, b"MSH|")


@pytest.mark.parametrize(
    ("facts", "problems", "outcome"),
    [(1, (), "accepted"), (1, (MISSING,), "partial"), (0, (MISSING,), "quarantined")],
)
def test_an_answer_says_what_became_of_the_message(facts: int, problems: tuple[Problem, ...], outcome: str) -> None:
    """Outcome, fact ids, and each problem with code and place, but not its text."""
    told = answer(message(problems=problems, facts=facts), "hospital", LIMITS)

    assert decode_ack(encode_record(told)) == told
    assert (told.outcome, told.fact_count, told.problem_count) == (outcome, facts, len(problems))
    assert told.facts == tuple(f"id-{n}" for n in range(facts))
    assert told.problems == tuple(AnsweredProblem(code=p.code, place=p.place) for p in problems)


@pytest.mark.parametrize(
    ("headers", "message_id"),
    [
        ((), None),
        ((("medlist-message-id", b"M-1"),), "M-1"),
        ((("ce_id", b"E-1"),), "E-1"),
        ((("ce_id", b"E-1"), ("medlist-message-id", b"M-1")), "M-1"),
        ((("medlist-message-id", b"x" * 201),), None),
    ],
)
def test_an_answer_carries_the_senders_own_id(headers: tuple[tuple[str, bytes], ...], message_id: str | None) -> None:
    """The sender finds its message by its own id, if it gave one."""
    assert answer(message(headers=headers), "hospital", LIMITS).message_id == message_id
