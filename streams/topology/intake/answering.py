"""What a message leaves behind besides facts: its quarantine records and its answer. Pure."""

from collections.abc import Sequence
from itertools import zip_longest

import msgspec

from contracts.problems import Problem
from contracts.quarantine import (
    MESSAGE_ID_HEADER,
    Ack,
    AnsweredProblem,
    Quarantined,
    outcome_of,
    quarantine_id,
)
from streams.topology.intake.interpreting import Interpreted, Received, attributes_fit
from streams.topology.intake.limits import IntakeLimits

MESSAGE_ID_HEADERS = (MESSAGE_ID_HEADER, "ce_id")
_CUT_MARK = "..."


def quarantine(message: Interpreted, source: str, limits: IntakeLimits) -> list[Quarantined]:
    """Return the quarantine records of a message with problems: one, or several parts of a large one; none without."""
    if not message.problems:
        return []
    received = message.received
    originals = _slices(received.value, limits.part_bytes)
    problems = _groups([_bounded(problem, limits) for problem in message.problems], limits.part_problem_bytes)
    whole = Quarantined(
        id=quarantine_id(received.place, received.value),
        source=source,
        place=received.place,
        received_at=message.received_at,
        problems=(),
        original=b"",
        facts=len(message.facts),
        parts=max(len(originals), len(problems)),
    )
    records = [
        msgspec.structs.replace(whole, part=number, original=original, problems=named)
        for number, (original, named) in enumerate(_paired(originals, problems), start=1)
    ]
    if attributes_fit(received, limits):
        records[0] = msgspec.structs.replace(records[0], headers=received.headers, key=received.key)
    return records


def answer(message: Interpreted, source: str, limits: IntakeLimits) -> Ack:
    """Return the answer to the sender of a message."""
    named = [
        AnsweredProblem(code=p.code, place=_cut(p.place, limits)) for p in message.problems[: limits.answer_problems]
    ]
    return Ack(
        source=source,
        place=message.received.place,
        outcome=outcome_of(len(message.facts), len(message.problems)),
        received_at=message.received_at,
        message_id=_message_id(message.received, limits),
        fact_count=len(message.facts),
        facts=tuple(fact.id for fact in message.facts[: limits.answer_facts]),
        problem_count=len(message.problems),
        problems=tuple(named),
    )


def _message_id(received: Received, limits: IntakeLimits) -> str | None:
    if not attributes_fit(received, limits):
        return None
    headers = dict(received.headers)
    for name in MESSAGE_ID_HEADERS:
        if name in headers:
            text = headers[name].decode("utf-8", "replace")
            return text if len(text) <= limits.message_id_characters else None
    return None


def _bounded(problem: Problem, limits: IntakeLimits) -> Problem:
    return msgspec.structs.replace(problem, place=_cut(problem.place, limits), text=_cut(problem.text, limits))


def _cut(text: str, limits: IntakeLimits) -> str:
    return text if len(text) <= limits.problem_characters else text[: limits.problem_characters] + _CUT_MARK


def _slices(value: bytes, size_bytes: int) -> list[bytes]:
    return [value[start : start + size_bytes] for start in range(0, len(value), size_bytes)] or [b""]


def _groups(problems: Sequence[Problem], size_bytes: int) -> list[tuple[Problem, ...]]:
    groups: list[list[Problem]] = [[]]
    room_bytes = size_bytes
    for problem in problems:
        needed_bytes = len(msgspec.json.encode(problem)) + 1
        if needed_bytes > room_bytes and groups[-1]:
            groups.append([])
            room_bytes = size_bytes
        groups[-1].append(problem)
        room_bytes -= needed_bytes
    return [tuple(group) for group in groups]


def _paired(
    originals: Sequence[bytes], problems: Sequence[tuple[Problem, ...]]
) -> list[tuple[bytes, tuple[Problem, ...]]]:
    return [(original or b"", named or ()) for original, named in zip_longest(originals, problems)]
