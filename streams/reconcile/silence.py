"""Silence: what should have been heard of by now, and was not. It becomes a finding by time alone, at announced moments.

Who signs doses on a ward is not expected to sign at home, and the other way round: only doses that were signed where the
patient is now are a promise of more. A source that is silent altogether says nothing about any one drug, so then its
silence is told, and not each dose that it did not sign.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from contracts.facts.administration import Administration
from contracts.medication_list import Finding
from streams.reconcile.findings import finding
from streams.reconcile.leaves import Leaf
from streams.reconcile.line_item import Rendered
from streams.reconcile.line_state import Situation
from streams.reconcile.records import EARLIEST

_INSTANT: Final = timedelta(microseconds=1)


class Silent(msgspec.Struct, frozen=True):
    """A source that signed the doses of ``lines``, and was last heard of at ``last``."""

    source: str
    last: datetime
    lines: tuple[Rendered, ...]


def line_silences(line: Rendered, now: Situation) -> Iterator[Finding]:
    """Yield what silence there is about one line."""
    yield from _ordered_not_given(line, now)
    yield from _unconfirmed(line, now)


def line_moments(line: Rendered, now: Situation) -> Iterator[datetime]:
    """Yield the moments at which silence about the line becomes a finding."""
    seen = _last_signed(line, now)
    if seen is not None:
        yield seen.at + timedelta(hours=now.rules.findings.not_given_after_hours) + _INSTANT
    since = _confirmed_at(line, now)
    if since is not None:
        yield since + timedelta(days=now.rules.lifecycle.unconfirmed_after_days) + _INSTANT


def signing_sources(lines: Sequence[Rendered], now: Situation) -> list[Silent]:
    """Return the sources that are expected to sign doses of the patient, and when each was last heard of, on any line."""
    expected: dict[str, list[Rendered]] = {}
    for line in lines:
        leaf = _last_signed(line, now)
        if leaf is not None:
            expected.setdefault(leaf.record.key.system, []).append(line)
    if not expected:
        return []
    last: dict[str, datetime] = {}
    for line in lines:
        for source, at in line.line.given.last_by_source(now.when):
            last[source] = max(last.get(source, EARLIEST), at)
    return [Silent(source, last[source], tuple(expected[source])) for source in sorted(expected)]


def source_silences(sources: Iterable[Silent], now: Situation) -> Iterator[Finding]:
    """Yield a finding per source that has been quiet for longer than the rules allow."""
    limit = timedelta(days=now.rules.findings.source_silent_days)
    for one in sources:
        if now.when - one.last > limit:
            facts = [leaf.record.newest.id for line in one.lines if (leaf := _last_signed(line, now)) is not None]
            detail = {"source": one.source, "since": one.last.date().isoformat()}
            yield finding("source-silent", [line.item.strand for line in one.lines], facts, detail)


def source_moments(sources: Iterable[Silent], now: Situation) -> Iterator[datetime]:
    """Yield the moments at which a source's silence becomes a finding."""
    for one in sources:
        yield one.last + timedelta(days=now.rules.findings.source_silent_days) + _INSTANT


def without_drowned(found: Iterable[Finding]) -> list[Finding]:
    """Return the findings without those of single lines that a source's silence explains."""
    known = list(found)
    silent = {strand for one in known if one.code == "source-silent" for strand in one.items}
    return [one for one in known if one.code != "ordered-not-given" or not silent.issuperset(one.items)]


def _last_signed(line: Rendered, now: Situation) -> Leaf | None:
    """Return the last administration of a line of which more doses, signed where the patient is now, are expected."""
    dose = line.item.daily_dose
    if line.item.state != "active" or dose is None or dose.status != "computed":
        return None
    seen = line.line.given.last(now.when)
    if seen is None or not isinstance(seen.content, Administration):
        return None
    on_ward = seen.content.setting == "inpatient"
    return seen if on_ward == (now.stay is not None) else None


def _ordered_not_given(line: Rendered, now: Situation) -> Iterator[Finding]:
    seen = _last_signed(line, now)
    limit = timedelta(hours=now.rules.findings.not_given_after_hours)
    if seen is not None and now.when - seen.at > limit:
        yield finding("ordered-not-given", (line.item.strand,), (seen.record.newest.id, *_pool_facts(line)))


def _unconfirmed(line: Rendered, now: Situation) -> Iterator[Finding]:
    since = _confirmed_at(line, now)
    if since is not None and now.when - since > timedelta(days=now.rules.lifecycle.unconfirmed_after_days):
        yield finding("unconfirmed", (line.item.strand,), _pool_facts(line), {"since": since.date().isoformat()})


def _confirmed_at(line: Rendered, now: Situation) -> datetime | None:
    """Return when anything last confirmed an active line without an end date; ``None`` where that is no question."""
    if line.item.state != "active" or line.item.end is not None:
        return None
    moments = [v.decided[0] for v in line.state.pool] + [v.standing.start or EARLIEST for v in line.state.pool]
    leaves = (line.line.given.last(now.when), line.line.supplies.last(now.when))
    moments += [leaf.at for leaf in leaves if leaf is not None]
    latest = max(moments, default=EARLIEST)
    return None if latest == EARLIEST else latest


def _pool_facts(line: Rendered) -> list[str]:
    return [voice.standing.fact.id for voice in line.state.pool]
