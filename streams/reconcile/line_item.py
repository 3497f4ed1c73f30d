"""One line of the list: fields with their reasons, and the layers side by side."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from contracts.facts.base import RequestContent
from contracts.facts.list_statement import ListRow
from contracts.facts.prescribing import Prescription
from contracts.facts.reported_use import ReportedUse
from contracts.medication_list import Because, Layer, LayerName, ListItem, StandingPrescription
from contracts.values import Dosage, Identifier, Period
from streams.reconcile.dose import Dose, daily_dose
from streams.reconcile.entries import Entry
from streams.reconcile.given import GivenSummary
from streams.reconcile.ids import record_id
from streams.reconcile.line_state import LineState, Situation, Voice
from streams.reconcile.policy import Field
from streams.reconcile.precedence import Candidate, Choice, choose
from streams.reconcile.profile import Profile, strength_text
from streams.reconcile.supply import Supplies

_MOMENT = timedelta(microseconds=1)


class Line(msgspec.Struct, kw_only=True, eq=False):
    """A line before rendering: ids, head entries, supplies, what was given, all live facts."""

    treatment: str
    strand: str
    entries: tuple[Entry, ...]
    supplies: Supplies
    given: GivenSummary
    used: frozenset[Identifier]
    facts: tuple[str, ...]
    related: tuple[str, ...] = ()
    joined_by: str | None = None


class Doses(msgspec.Struct, frozen=True, eq=False):
    """The daily dose of each layer, exactly, for comparing."""

    intended: Dose | None
    prescribed: Dose | None
    supplied: Dose | None
    line: Dose | None


class Rendered(msgspec.Struct, frozen=True, eq=False):
    """A line of the list with what findings need to judge it."""

    line: Line
    item: ListItem
    state: LineState
    doses: Doses
    profile: Profile | None


def render(line: Line, state: LineState, now: Situation) -> Rendered:
    """Return the line of the list at a time."""
    fields = _Fields(line, state, now)
    product = fields.product()
    dose = fields.dosage()
    profile = product.winner.value if product and product.winner else None
    intended, intended_dose = _request_layer("intended", state, now)
    prescribed, prescribed_dose = _request_layer("prescribed", state, now)
    reported, _ = _request_layer("reported", state, now)
    supplied, supplied_dose = line.supplies.layer(now.when, _dispenses_allowed(state))
    given = line.given.layer(now.when)
    found: tuple[tuple[LayerName, Layer | None], ...] = (
        ("intended", intended),
        ("prescribed", prescribed),
        ("dispensed", supplied),
        ("given", given),
        ("reported", reported),
    )
    layers = {name: layer for name, layer in found if layer is not None}
    shown = dose.winner.value if dose and dose.winner else None
    start, end = fields.period("start"), fields.period("end")
    item = ListItem(
        treatment=line.treatment,
        strand=line.strand,
        state=state.state,
        product=profile.name if profile else None,
        npl_id=profile.npl_id if profile else None,
        atc=profile.atc if profile else None,
        substances=tuple(sorted(profile.substances)) if profile else (),
        form=profile.form if profile else None,
        route=profile.route if profile else None,
        strength=strength_text(profile) if profile else None,
        dosage_text=dose.winner.shown if dose and dose.winner else None,
        daily_dose=shown.shown if shown else None,
        start=start.winner.value if start and start.winner else None,
        end=end.winner.value if end and end.winner else None,
        layers=layers,
        because=_because(line, state, {"product": product, "dosage": dose, "start": start, "end": end}),
        facts=line.facts,
        records=tuple(sorted(record_id(e.key) for e in line.entries)),
        prescriptions=_prescriptions(state),
        related=line.related,
        undecided=tuple(sorted(fields.undecided)),
        reason=_reason(state),
    )
    return Rendered(line, item, state, Doses(intended_dose, prescribed_dose, supplied_dose, shown), profile)


class _Fields:
    """Chooses the values of a line among its pool of voices."""

    def __init__(self, line: Line, state: LineState, now: Situation) -> None:
        self._line = line
        self._state = state
        self._now = now
        self.undecided: set[str] = {"state"} if state.choice and state.choice.winner is None else set()

    def _choose(self, field: Field, candidates: Sequence[Candidate], same: Any = None) -> Choice | None:
        choice = choose(field, candidates, self._now.rules, same)
        if choice is not None and choice.winner is None:
            self.undecided.add(field)
        return choice

    def product(self) -> Choice | None:
        if not self._line.entries:
            return self._choose("product", self._leaf_products(), _same_product)
        candidates = [
            Candidate(v.entry.profile, v.entry.kind, (v.standing.fact.id,), v.decided) for v in self._state.pool
        ]
        return self._choose("product", candidates, _same_product)

    def _leaf_products(self) -> list[Candidate]:
        leaves = [*self._line.supplies.leaves, *self._line.given.latest_leaves]
        return [
            Candidate(leaf.profile, leaf.kind, (leaf.record.newest.id,), (leaf.at, leaf.at, record_id(leaf.record.key)))
            for leaf in leaves
        ]

    def dosage(self) -> Choice | None:
        candidates = []
        for voice in self._state.pool:
            dosage = dosage_of(voice)
            dose = dose_at(voice, self._now.when)
            if dosage.steps or dosage.text or dosage.max_per_day:
                fact = voice.standing.fact.id
                candidates.append(Candidate(dose, voice.entry.kind, (fact,), voice.decided, dosage.text))
        return self._choose("dosage", candidates, _same_dose)

    def period(self, field: Field) -> Choice | None:
        candidates = []
        for voice in self._state.pool:
            value = voice.began if field == "start" else voice.standing.end
            if field == "end" or value is not None:
                candidates.append(Candidate(value, voice.entry.kind, (voice.standing.fact.id,), voice.decided))
        return self._choose(field, candidates)


def dosage_of(voice: Voice) -> Dosage:
    """Return the dosage that a voice states."""
    content = voice.standing.fact.content
    if isinstance(content, RequestContent | ListRow | ReportedUse):
        return content.dosage
    return Dosage()


def dose_at(voice: Voice, when: datetime) -> Dose:
    """Return the daily dose a voice means; for one that has ended, the last one."""
    end = voice.standing.end
    moment = end - _MOMENT if voice.state == "ended" and end is not None and end <= when else when
    return daily_dose(dosage_of(voice), voice.entry.profile, voice.standing.start, moment)


def _request_layer(name: LayerName, state: LineState, now: Situation) -> tuple[Layer | None, Dose | None]:
    voices = [v for v in state.speakers if v.entry.layer == name]
    if not voices:
        return None, None
    current = [v for v in voices if v in state.pool] or _most_in_force(voices)
    candidates = [Candidate(v, v.entry.kind, (v.standing.fact.id,), v.decided) for v in current]
    choice = choose("product", candidates, now.rules, lambda a, b: a is b)
    voice = choice.winner.value if choice and choice.winner else current[-1]
    dose = dose_at(voice, now.when)
    profile: Profile = voice.entry.profile
    facts = sorted(fact for v in state.voices if v.entry.layer == name for fact in v.entry.record.fact_ids)
    layer = Layer(
        state=voice.state,
        product=profile.name,
        npl_id=profile.npl_id,
        strength=strength_text(profile),
        form=profile.form,
        dosage_text=dosage_of(voice).text,
        daily_dose=dose.shown,
        period=Period(start=voice.standing.start, end=voice.standing.end),
        source=voice.entry.source,
        facts=tuple(facts),
    )
    return layer, dose


def _most_in_force(voices: Sequence[Voice]) -> list[Voice]:
    for states in ({"active", "paused", "dormant"}, {"planned"}, {"unknown"}, {"ended"}):
        found = [v for v in voices if v.state in states and not v.superseded]
        if found:
            return found
    return list(voices)


def _dispenses_allowed(state: LineState) -> int | None:
    for voice in state.speakers:
        content = voice.standing.fact.content
        if isinstance(content, Prescription) and voice.state in {"active", "dormant", "paused"}:
            return content.dispenses_allowed
    return None


def _prescriptions(state: LineState) -> tuple[StandingPrescription, ...]:
    found = []
    for voice in state.voices:
        fact = voice.standing.fact
        if not isinstance(fact.content, Prescription):
            continue
        own: Any = "ended" if voice.superseded else voice.state
        found.append(
            StandingPrescription(
                record=record_id(voice.entry.key),
                source=fact.source,
                source_id=fact.source_id,
                fact=fact.id,
                state=own,
                content=fact.content,
                occurred_at=fact.occurred_at,
                recorded_at=fact.recorded_at,
            )
        )
    return tuple(sorted(found, key=lambda p: p.record))


def _reason(state: LineState) -> str | None:
    for voice in state.pool:
        content = voice.standing.fact.content
        if isinstance(content, RequestContent):
            if content.purpose:
                return content.purpose
            if content.reason and content.reason.text:
                return content.reason.text
    return None


def _because(line: Line, state: LineState, choices: dict[str, Choice | None]) -> dict[str, Because]:
    because: dict[str, Because] = {}
    if state.choice is not None:
        winner = state.choice.winner
        rule = str(winner.shown) if winner is not None else state.choice.rule
        because["state"] = Because(rule=rule, facts=state.choice.facts)
    else:
        because["state"] = Because(rule="NO_ORDER", facts=line.facts[:1])
    for field, choice in choices.items():
        if choice is not None and (choice.winner is None or choice.winner.value is not None):
            because[field] = Because(rule=choice.rule, facts=choice.facts)
    if line.joined_by is not None:
        because["treatment"] = Because(rule=line.joined_by)
    return because


def _same_product(a: Profile, b: Profile) -> bool:
    if a.npl_id and b.npl_id:
        return a.npl_id == b.npl_id
    return a.name == b.name


def _same_dose(a: Dose, b: Dose) -> bool:
    return a.shown == b.shown
