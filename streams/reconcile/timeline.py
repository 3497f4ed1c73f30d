"""When a record is in force: half-open time from versions, periods, pauses, stays. ``cancelled`` was never valid.

A version applies from its ``occurred_at``; before that the one before it speaks. A stop ends at the period's end, or,
without one, when the stop applies. A prescription that is fully dispensed (slutexpedierad) has not ended (NLL handbook
TA27). Nothing ends because of an admission.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any, Literal

import msgspec

from contracts.fact import Fact
from contracts.facts.base import RequestContent
from contracts.facts.person import Encounter
from contracts.facts.prescribing import Prescription
from contracts.medication_list import ItemState
from contracts.values import Period
from streams.reconcile.records import EARLIEST, LATEST, Record

Status = Literal["active", "on-hold", "stopped", "cancelled", "completed", "unknown"]

_REPORTED: dict[str, Status] = {"taking": "active", "not-taking": "stopped"}
"""What reports say in words of their own; the others are the same for all heads."""


class Standing(msgspec.Struct, frozen=True, gc=False):
    """How a record stands at one time: its state, its own start and end, the speaking fact, the rule."""

    state: ItemState
    start: datetime | None
    end: datetime | None
    fact: Fact
    rule: str


class Stay(msgspec.Struct, frozen=True, gc=False):
    """One in-patient stay, ``[start, end)``; an unknown end is open."""

    key: tuple[str, str]
    start: datetime
    end: datetime | None
    fact: Fact

    def covers(self, when: datetime) -> bool:
        """Say whether the patient is admitted at ``when``."""
        return self.start <= when and (self.end is None or when < self.end)


def stays(encounters: Iterable[Record]) -> tuple[Stay, ...]:
    """Return the in-patient stays that took place or are going on, earliest first."""
    found = []
    for record in encounters:
        content = record.newest.content
        if not isinstance(content, Encounter) or content.encounter_class != "inpatient":
            continue
        if content.status == "cancelled" or content.period.start is None:
            continue
        key = (record.key.system, record.key.value)
        found.append(Stay(key, content.period.start, content.period.end, record.newest))
    return tuple(sorted(found, key=lambda stay: (stay.start, stay.key)))


def status_of(fact: Fact) -> Status:
    """Return the request status that a head fact states, in one vocabulary for all head kinds."""
    content: Any = fact.content
    status: Status = _REPORTED.get(content.status, content.status)
    return status


def period_of(fact: Fact) -> Period:
    """Return the period that a head fact states."""
    content: Any = fact.content
    period: Period = content.period
    return period


def end_of(fact: Fact) -> datetime | None:
    """Return where the version ends the treatment: its period's end, or, for a stop without one, when it applies."""
    end = period_of(fact).end
    if end is None and ended_by_status(fact):
        return fact.occurred_at
    return end


def ended_by_status(fact: Fact) -> bool:
    """Say whether the version says that it is over, whatever its dates."""
    status = status_of(fact)
    return status == "stopped" or (status == "completed" and not isinstance(fact.content, Prescription))


def pauses_of(fact: Fact) -> tuple[Period, ...]:
    """Return the stated pauses."""
    return fact.content.pauses if isinstance(fact.content, RequestContent) else ()


def first_start(record: Record) -> datetime | None:
    """Return the earliest start that any version states."""
    if len(record.versions) == 1:
        return period_of(record.versions[0]).start
    return min((s for fact in record.versions if (s := period_of(fact).start)), default=None)


def never_valid(record: Record) -> bool:
    """Say whether the source cancelled the record (makulerad)."""
    return status_of(record.newest) == "cancelled"


def called_off(record: Record) -> bool:
    """Say whether the record was ended before, or as, it was to begin."""
    start, end = period_of(record.newest).start or first_start(record), end_of(record.newest)
    return start is not None and end is not None and end <= start


def standing(record: Record, when: datetime, *, used: bool, cut: datetime | None = None) -> Standing:
    """Return how a head record stands at ``when``.

    ``used``: something was given or handed out on it; a cancelled record that was used has ended, it was not never
    valid (as in NLL, where cancelling a prescription with dispenses yields avslutad). ``cut``: replaced from then on.
    """
    newest, fact = record.newest, record.at(when)
    start = period_of(fact).start or first_start(record)
    if never_valid(record):
        if not used:
            return Standing("cancelled", start, None, newest, "CANCELLED_BY_SOURCE")
        ended = newest.occurred_at is None or newest.occurred_at <= when
        fact = newest if ended else record.versions[0]
        state: ItemState = "ended" if ended else "active"
        return Standing(state, start, newest.occurred_at, fact, "CANCELLED_AFTER_USE")
    end = end_of(newest) if ended_by_status(newest) or newest is fact else end_of(fact)
    if cut is not None and (end is None or cut < end):
        end = cut
    state, rule = _state(record, fact, when, (start, end))
    return Standing(state, start, end, fact, rule)


class _Moment(msgspec.Struct, frozen=True, gc=False):
    record: Record
    fact: Fact
    when: datetime
    start: datetime | None
    end: datetime | None


def _over(m: _Moment) -> bool:
    return m.end is not None and m.when >= m.end


def _paused_by_period(m: _Moment) -> bool:
    return any((p.start or EARLIEST) <= m.when < (p.end or LATEST) for p in pauses_of(m.fact))


_STATE_RULES: tuple[tuple[str, ItemState, Callable[[_Moment], bool]], ...] = (
    ("CALLED_OFF", "cancelled", lambda m: _over(m) and m.start is not None and m.end is not None and m.end <= m.start),
    ("STOPPED", "ended", lambda m: _over(m) and ended_by_status(m.fact)),
    ("END_REACHED", "ended", _over),
    ("STOPPED_AT_UNKNOWN_TIME", "ended", lambda m: m.end is None and ended_by_status(m.fact)),
    ("STARTS_LATER", "planned", lambda m: m.start is not None and m.when < m.start),
    ("START_UNKNOWN", "unknown", lambda m: m.start is None and m.when < _first_known(m.record)),
    ("STATUS_UNKNOWN", "unknown", lambda m: status_of(m.fact) == "unknown"),
    ("PAUSED_BY_PERIOD", "paused", _paused_by_period),
    ("ON_HOLD", "paused", lambda m: status_of(m.fact) == "on-hold" and not pauses_of(m.fact)),
)
"""The first rule that holds gives the state; where none does, the record is in force."""


def _state(
    record: Record, fact: Fact, when: datetime, period: tuple[datetime | None, datetime | None]
) -> tuple[ItemState, str]:
    moment = _Moment(record, fact, when, *period)
    for rule, state, holds in _STATE_RULES:
        if holds(moment):
            return state, rule
    return "active", "IN_FORCE"


def _first_known(record: Record) -> datetime:
    return min((f.occurred_at for f in record.versions if f.occurred_at), default=EARLIEST)


def span(record: Record) -> tuple[datetime, datetime]:
    """Return the time that matching compares: from the first known moment to the end, open where nothing is known."""
    start = first_start(record)
    if start is None:
        known = _first_known(record)
        start = known
    end = end_of(record.newest) or LATEST
    return min(start, end), end


def boundaries(record: Record) -> Iterator[datetime]:
    """Return every moment at which the record's standing may change."""
    for fact in record.versions:
        period = period_of(fact)
        for moment in (fact.occurred_at, period.start, period.end):
            if moment is not None:
                yield moment
        for pause in pauses_of(fact):
            if pause.start is not None:
                yield pause.start
            if pause.end is not None:
                yield pause.end
