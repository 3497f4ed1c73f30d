"""Findings: what the reconciler noticed. Each is a function of rendered lines; each names its lines and its facts."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from fractions import Fraction
from functools import lru_cache
from itertools import combinations

import msgspec

from contracts.facts.administration import Administration
from contracts.findings import FINDINGS
from contracts.medication_list import Finding
from contracts.values import Dosage
from streams.reconcile.dosage_text import Stated, read_steps, read_text
from streams.reconcile.dose import Dose, in_substance, to_decimal
from streams.reconcile.evidence import LASTING_KINDS, REQUEST_KINDS, product_tier, same_drug
from streams.reconcile.fields import dosage_of, dose_at
from streams.reconcile.line_item import Rendered
from streams.reconcile.line_state import IN_FORCE, Situation, Voice
from streams.reconcile.profile import Profile

MOST_LINES = 300
"""Beyond this many lines in force, pairs are not compared: no patient has them, and cost would grow with their square."""

NOT_OVERRIDDEN = frozenset({"active", "paused"})
"""In force and not overridden by a stay: what is dormant is expected to differ from what the ward orders."""

WHOLE_DOSE = frozenset({"given", "given-late", "given-early"})

_ATC_THERAPY = 5


def finding(code: str, items: Iterable[str], facts: Iterable[str], detail: Mapping[str, str] | None = None) -> Finding:
    """Return a finding of a catalogued code. Its key names it by what it is about, so that a decision can refer to it."""
    kind = FINDINGS[code]
    about = (code, sorted(set(items)), sorted(set(facts)), sorted((detail or {}).items()))
    return Finding(
        code=code,
        severity=kind.severity,
        conflict=kind.conflict,
        items=tuple(about[1]),
        facts=tuple(about[2]),
        key=hashlib.sha256(msgspec.json.encode(about)).hexdigest()[:16],
        detail=dict(detail or {}),
    )


def head_findings(line: Rendered, now: Situation) -> Iterator[Finding]:
    """Yield what can be noticed about one line from its orders, prescriptions, rows and reports alone."""
    for rule in (_dose_differs, _status_differs, _period_differs, _undecided, _not_taking, _contradicts_text):
        yield from rule(line, now)


def _given_differs(line: Rendered, now: Situation) -> Iterator[Finding]:
    """Yield that the last dose given is none that the order in force asks for, where both can be compared."""
    if line.item.state != "active" or line.profile is None:
        return
    last = line.line.given.last_given(now.when)
    content = last.content if last is not None else None
    if last is None or not isinstance(content, Administration) or content.dose is None:
        return
    if content.outcome not in WHOLE_DOSE:
        return
    voice = next((v for v in line.state.pool if v.entry.profile is line.profile), None)
    if voice is None or (content.setting == "inpatient") != (voice.entry.kind == "inpatient_order"):
        return
    steps = [s for s in dosage_of(voice).steps if s.dose is not None]
    began = voice.standing.start
    if not steps or began is None or last.at < began or any(s.dose_high is not None for s in steps):
        return
    given = in_substance(content.dose, last.profile)
    ordered = {in_substance(s.dose, line.profile) for s in steps if s.dose is not None}
    if all(unit == given[1] for _, unit in ordered) and given not in ordered:
        detail = {
            "given": _amount(*given),
            "intended": ", ".join(_amount(*one) for one in sorted(ordered)),
        }
        yield finding("given-differs", (line.item.strand,), (last.record.newest.id, *_pool_facts(line)), detail)


def leaf_findings(line: Rendered, now: Situation) -> Iterator[Finding]:
    """Yield what can be noticed about one line from what was supplied and given."""
    for rule in (
        _stale_pouch,
        _given_not_ordered,
        _given_after_stop,
        _given_differs,
        _dispensed_after_stop,
        _units_not_comparable,
    ):
        yield from rule(line, now)


def pair_findings(lines: Sequence[Rendered]) -> Iterator[Finding]:
    """Yield what can be noticed about two lines that are in force at the same time."""
    current = [line for line in lines if line.item.state in IN_FORCE and line.profile is not None]
    if len(current) > MOST_LINES:
        return
    for a, b in combinations(current, 2):
        code = _double(a, b)
        if code is not None:
            yield finding(code, (a.item.strand, b.item.strand), (*_pool_facts(a), *_pool_facts(b)))


def pair_signature(lines: Sequence[Rendered]) -> list[tuple[object, ...]]:
    """Return everything of the lines that ``pair_findings`` looks at."""
    return [
        (line.item.strand, line.item.treatment, line.profile, [v.standing.fact.id for v in line.state.pool])
        for line in lines
        if line.item.state in IN_FORCE and line.profile is not None
    ]


def _double(a: Rendered, b: Rendered) -> str | None:
    pa, pb = a.profile, b.profile
    if pa is None or pb is None or a.item.treatment == b.item.treatment:
        return None
    if pa.npl_id and pa.npl_id == pb.npl_id:
        return "duplicate-product"
    if product_tier(pa, pb) is not None or same_drug(pa, pb) or pa.substances & pb.substances:
        return "duplicate-substance"
    if pa.atc and pb.atc and pa.atc[:_ATC_THERAPY] == pb.atc[:_ATC_THERAPY]:
        return "duplicate-therapy"
    return None


def _pool_facts(line: Rendered) -> list[str]:
    return [voice.standing.fact.id for voice in line.state.pool]


def _voice_facts(voices: Iterable[Voice]) -> list[str]:
    return [voice.standing.fact.id for voice in voices]


def _dose_differs(line: Rendered, now: Situation) -> Iterator[Finding]:
    if line.item.state not in IN_FORCE:
        return
    a, b = line.heads.intended, line.heads.prescribed
    layers = [line.item.layers.get("intended"), line.item.layers.get("prescribed")]
    if a is not None and b is not None and a.differs(b) and all(x and x.state in NOT_OVERRIDDEN for x in layers):
        facts = [fact for layer in layers if layer for fact in layer.facts]
        yield finding("dose-differs", (line.item.strand,), facts, {"intended": _words(a), "prescribed": _words(b)})
    yield from _sources_differ(line, now)


def _sources_differ(line: Rendered, now: Situation) -> Iterator[Finding]:
    voices = [v for v in line.state.speakers if v.state in NOT_OVERRIDDEN and v.entry.layer == "intended"]
    requests = [v for v in voices if v.entry.kind in REQUEST_KINDS]
    rows = [v for v in voices if v not in requests and all(v.decided > other.decided for other in requests)]
    for a, b in combinations([*requests, *rows], 2):
        left, right = dose_at(a, now.when), dose_at(b, now.when)
        if left.differs(right):
            detail = {a.entry.source: _words(left), b.entry.source: _words(right)}
            yield finding("dose-differs", (line.item.strand,), _voice_facts((a, b)), detail)


def _words(dose: Dose) -> str:
    shown = dose.shown
    return f"{shown.value} {shown.unit}" if shown.value is not None else shown.status


def _status_differs(line: Rendered, _: Situation) -> Iterator[Finding]:
    requests = [v for v in line.state.speakers if not v.superseded and v.entry.kind in LASTING_KINDS]
    rows = [v for v in line.state.speakers if v.entry.kind == "list_row"]
    going_on = [v for v in requests if v.state in IN_FORCE]
    stopped = [
        v
        for v in requests
        if v.state == "ended" and v.standing.rule.startswith("STOPPED") and not _taken_over(v, going_on)
    ]
    going_on += [v for v in rows if v.state in IN_FORCE and all(v.decided > other.decided for other in stopped)]
    if stopped and going_on:
        yield finding("status-differs", (line.item.strand,), _voice_facts([*stopped, *going_on]))


def _taken_over(stopped: Voice, going_on: Sequence[Voice]) -> bool:
    """Say whether another source had begun, after this one and before it stopped, what goes on now."""
    start, end = stopped.standing.start, stopped.standing.end
    return any(
        v.entry.source != stopped.entry.source
        and start is not None
        and v.standing.start is not None
        and start < v.standing.start
        and (end is None or v.standing.start <= end)
        for v in going_on
    )


def _period_differs(line: Rendered, now: Situation) -> Iterator[Finding]:
    """Yield ends that differ, and starts that differ while one of them lies ahead: who began when is no matter later."""
    limit = timedelta(days=now.rules.findings.period_differs_days)
    voices = [v for v in line.state.speakers if v.entry.kind in {"outpatient_order", "list_row"} and not v.superseded]
    for a, b in combinations(voices, 2):
        states = {a.state, b.state}
        if a.entry.source == b.entry.source or not states <= {*IN_FORCE, "planned"}:
            continue
        starts = (a.standing.start, b.standing.start) if "planned" in states else (None, None)
        for field, (one, other) in (("start", starts), ("end", (a.standing.end, b.standing.end))):
            if one is not None and other is not None and abs(one - other) > limit:
                yield finding("period-differs", (line.item.strand,), _voice_facts((a, b)), {"field": field})


def _contradicts_text(line: Rendered, _: Situation) -> Iterator[Finding]:
    for voice in line.state.speakers:
        dosage = dosage_of(voice)
        if voice.superseded or voice.state in {"ended", "cancelled"} or dosage.text is None:
            continue
        detail = _contradiction(dosage, voice.entry.profile)
        if detail is not None:
            yield finding("dosage-contradicts-text", (line.item.strand,), _voice_facts((voice,)), dict(detail))


@lru_cache(maxsize=50_000)
def _contradiction(dosage: Dosage, profile: Profile) -> tuple[tuple[str, str], ...] | None:
    """Return what the words and the steps of a dosage come to, where both can be read and differ."""
    text, steps = read_text(dosage.text or ""), read_steps(dosage)
    if text is None or steps is None:
        return None
    said, structured = _daily([text], profile), _daily(steps, profile)
    if said is None or structured is None or said[1] != structured[1] or said[0] == structured[0]:
        return None
    return (("text", _amount(*said)), ("structured", _amount(*structured)))


def _daily(stated: Sequence[Stated], profile: Profile) -> tuple[Fraction, str] | None:
    """Return the sum per day, on average, in one unit."""
    amounts = [(in_substance(one.amount, profile), one.per_day) for one in stated]
    units = {unit for (_, unit), _ in amounts}
    total = sum((amount * per_day for (amount, _), per_day in amounts), Fraction(0))
    return (total, min(units)) if len(units) == 1 else None


def _amount(value: Fraction, unit: str) -> str:
    return f"{to_decimal(value)} {unit}"


def _stale_pouch(line: Rendered, now: Situation) -> Iterator[Finding]:
    rolls = line.line.supplies.with_patient(now.when)
    if not rolls or not line.line.entries:
        return
    reason: str | None = None
    if line.item.state in {"ended", "cancelled"}:
        reason = "stopped"
    elif line.heads.dose is not None and any(line.heads.dose.differs(roll.dose) for roll in rolls):
        reason = "dose"
    if reason is not None:
        facts = [roll.leaf.record.newest.id for roll in rolls]
        yield finding("stale-pouch", (line.item.strand,), (*facts, *_pool_facts(line)), {"reason": reason})


def _given_not_ordered(line: Rendered, now: Situation) -> Iterator[Finding]:
    if line.line.entries:
        return
    first = line.line.given.first_given(now.when, ordered=False)
    last = line.line.given.last_given(now.when)
    if first is not None and last is not None:
        yield finding("given-not-ordered", (line.item.strand,), (first.record.newest.id, last.record.newest.id))


def _given_after_stop(line: Rendered, now: Situation) -> Iterator[Finding]:
    end = line.item.end
    if line.item.state != "ended" or end is None:
        return
    late = line.line.given.given_between(end, now.when)
    if late is not None:
        facts = (late[0].record.newest.id, late[1].record.newest.id, *_pool_facts(line))
        yield finding("given-after-stop", (line.item.strand,), facts)


def _dispensed_after_stop(line: Rendered, now: Situation) -> Iterator[Finding]:
    end = line.item.end
    if line.item.state != "ended" or end is None:
        return
    late = line.line.supplies.dispensed_after(end, now.when)
    if late:
        facts = [leaf.record.newest.id for leaf in late]
        yield finding("dispensed-after-stop", (line.item.strand,), (*facts, *_pool_facts(line)))


def _units_not_comparable(line: Rendered, _: Situation) -> Iterator[Finding]:
    if line.item.state not in IN_FORCE:
        return
    doses = [d for d in (line.heads.intended, line.heads.prescribed, line.supplied) if d is not None]
    computed = [d for d in doses if d.exact is not None]
    units = sorted({d.shown.unit or "" for d in computed})
    if len(units) > 1:
        yield finding("units-not-comparable", (line.item.strand,), _pool_facts(line), {"units": ", ".join(units)})


def _undecided(line: Rendered, _: Situation) -> Iterator[Finding]:
    for field in line.item.undecided:
        because = line.item.because.get(field)
        facts = because.facts if because else ()
        yield finding("field-undecided", (line.item.strand,), facts, {"field": field})


def _not_taking(line: Rendered, _: Situation) -> Iterator[Finding]:
    if line.item.state not in IN_FORCE:
        return
    says_no = [v for v in line.state.speakers if v.entry.kind == "reported_use" and v.state == "ended"]
    if says_no and any(v.entry.kind != "reported_use" for v in line.state.pool):
        yield finding("not-taking", (line.item.strand,), _voice_facts([*says_no, *line.state.pool]))
