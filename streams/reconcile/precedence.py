"""Whose word counts: candidates in, the winner out, by the table alone. Agreement needs no winner."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from streams.reconcile.policy import Field, Kind, Rules
from streams.reconcile.records import EARLIEST


class Candidate(msgspec.Struct, frozen=True, gc=False):
    """A value that one record offers for a field. Later decisions sort later by ``decided``."""

    value: Any
    kind: Kind
    facts: tuple[str, ...]
    decided: tuple[datetime, datetime, str]
    shown: Any = None


class Choice(msgspec.Struct, frozen=True, gc=False):
    """What was chosen for a field: the candidate, or none because the table leaves it to a person."""

    winner: Candidate | None
    rule: str
    facts: tuple[str, ...]


def decided_at(
    occurred_at: datetime | None, recorded_at: datetime | None, record: str
) -> tuple[datetime, datetime, str]:
    """Return when a decision was made, for comparing decisions."""
    return (occurred_at or EARLIEST, recorded_at or EARLIEST, record)


def choose(
    field: Field, candidates: Sequence[Candidate], rules: Rules, same: Callable[[Any, Any], bool] | None = None
) -> Choice | None:
    """Return the choice among candidates, or ``None`` where there are none.

    A candidate that the table puts below another is out. Of those that remain the latest decision counts, unless the
    table leaves a pair of them, with values that differ, to a person.
    """
    if not candidates:
        return None
    if len(candidates) == 1:
        return Choice(candidates[0], "ONLY_SOURCE", candidates[0].facts)
    equal = same or (lambda a, b: a == b)
    ordered = sorted(candidates, key=lambda c: c.decided)
    standing = [c for c in ordered if not any(_verdict(field, c, other, rules) == "column" for other in ordered)]
    winner = standing[-1]
    agreeing = tuple(sorted({fact for c in ordered if equal(winner.value, c.value) for fact in c.facts}))
    if all(equal(winner.value, c.value) for c in ordered):
        return Choice(winner, "ALL_AGREE", agreeing)
    if any(
        _verdict(field, a, b, rules) == "undecided" and not equal(a.value, b.value)
        for i, a in enumerate(standing)
        for b in standing[i + 1 :]
    ):
        return Choice(None, "UNDECIDED", tuple(sorted({f for c in standing for f in c.facts})))
    by_table = all(equal(winner.value, c.value) for c in standing)
    return Choice(winner, "PRECEDENCE_TABLE" if by_table else "LATEST_DECISION", agreeing)


def _verdict(field: Field, a: Candidate, b: Candidate, rules: Rules) -> str:
    return "latest" if a is b else rules.verdicts[field, a.kind, b.kind]
