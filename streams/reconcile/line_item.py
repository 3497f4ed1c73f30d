"""One line of the list: fields with their reasons, and the layers side by side."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from contracts.facts.prescribing import Prescription
from contracts.medication_list import Because, FactSummary, Layer, LayerName, ListItem, StandingPrescription
from contracts.values import Identifier, Period
from streams.reconcile.dose import Dose, step_boundaries
from streams.reconcile.entries import Entry
from streams.reconcile.fields import Fields, dosage_of, dose_at
from streams.reconcile.given import GivenSummary
from streams.reconcile.ids import record_id
from streams.reconcile.leaves import Leaf
from streams.reconcile.line_state import LineState, Situation, Voice, line_state
from streams.reconcile.precedence import Candidate, Choice, choose
from streams.reconcile.profile import Profile, strength_text
from streams.reconcile.records import LATEST, Record
from streams.reconcile.supply import Supplies
from streams.reconcile.timeline import boundaries

HEAD_LAYERS: Final[tuple[LayerName, ...]] = ("intended", "prescribed", "reported")
_MOMENT = timedelta(microseconds=1)


class Line:
    """A line before rendering: ids, head entries, supplies, what was given; leaves may be added to it."""

    def __init__(self, treatment: str, strand: str, entries: Sequence[Entry], joined_by: str | None) -> None:
        self.treatment = treatment
        self.strand = strand
        self.entries = tuple(entries)
        self.joined_by = joined_by
        self.related: tuple[str, ...] = ()
        self.supplies = Supplies()
        self.given = GivenSummary()
        self.head_facts = sorted(fact for entry in entries for fact in entry.record.fact_ids)
        self._owner = {hub: entry.key for entry in entries for hub in entry.hubs}
        self._used: set[Identifier] = set()
        self._leaf_count = 0
        self._leaf_digest = 0

    def add(self, leaf: Leaf) -> None:
        """Take a leaf in."""
        if leaf.kind == "administration":
            self.given.add(leaf)
        else:
            self.supplies.add(leaf)
        if leaf.targets and (leaf.kind == "dispense" or leaf.given):
            self._used |= {self._owner[target] for target in leaf.targets if target in self._owner}
        for fact in leaf.record.versions:
            self._leaf_count += 1
            self._leaf_digest ^= int(fact.id.replace("-", ""), 16)

    @property
    def used(self) -> frozenset[Identifier]:
        """The records on which something was given or handed out."""
        return frozenset(self._used)

    def leaves(self) -> Iterator[Leaf]:
        """Return all leaves."""
        yield from self.supplies.leaves()
        yield from self.given.leaves()

    def latest_leaves(self, when: datetime) -> list[Leaf]:
        """Return the last supply and the last administration by ``when``."""
        return [leaf for leaf in (self.supplies.last(when), self.given.last(when)) if leaf is not None]

    def records(self) -> Iterator[Record]:
        """Return all records."""
        yield from (entry.record for entry in self.entries)
        yield from (leaf.record for leaf in self.leaves())

    def all_facts(self) -> tuple[str, ...]:
        """Return the ids of all live facts of the line."""
        return tuple(sorted(fact for record in self.records() for fact in record.fact_ids))

    def summary(self) -> FactSummary | None:
        """Return the leaves as a published list counts them."""
        if not self._leaf_count:
            return None
        return FactSummary(count=self._leaf_count, digest=f"{self._leaf_digest:032x}")


class Heads(msgspec.Struct, frozen=True, eq=False):
    """What the head entries of a line say from ``since`` until ``until``: everything of the line but its leaves."""

    state: LineState
    item: ListItem
    intended: Dose | None
    prescribed: Dose | None
    dose: Dose | None
    profile: Profile | None
    allowed: int | None
    used: frozenset[Identifier]
    since: datetime
    until: datetime


class Rendered(msgspec.Struct, frozen=True, eq=False):
    """A line of the list with what findings need to judge it."""

    line: Line
    item: ListItem
    heads: Heads
    supplied: Dose | None

    @property
    def state(self) -> LineState:
        """The line's state and its voices."""
        return self.heads.state

    @property
    def profile(self) -> Profile | None:
        """What the product of the line is."""
        return self.heads.profile


def heads_of(line: Line, now: Situation) -> Heads:
    """Return what the head entries of a line say at a time."""
    used = line.used
    state = line_state(line.entries, used, now)
    fields = Fields(state, now)
    product = fields.product() if line.entries else fields.product_of_leaves(line.latest_leaves(now.when))
    dose, start, end = fields.dosage(), fields.start(), fields.end()
    profile = product.winner.value if product and product.winner else None
    layers: dict[LayerName, Layer] = {}
    doses: dict[LayerName, Dose | None] = {}
    for name in HEAD_LAYERS:
        layer, doses[name] = _request_layer(name, state, now)
        if layer is not None:
            layers[name] = layer
    shown = dose.winner.value if dose and dose.winner else None
    item = _item(line, state, fields, {"product": product, "dosage": dose, "start": start, "end": end})
    item = msgspec.structs.replace(item, layers=layers)
    until = min((moment for moment in _moments(line, state, now) if moment > now.when), default=LATEST)
    return Heads(
        state,
        item,
        doses["intended"],
        doses["prescribed"],
        shown,
        profile,
        _dispenses_allowed(state),
        used,
        now.when,
        until,
    )


def _item(line: Line, state: LineState, fields: Fields, choices: dict[str, Choice | None]) -> ListItem:
    """Return the item without its layers."""
    product, dose, start, end = choices["product"], choices["dosage"], choices["start"], choices["end"]
    profile = product.winner.value if product and product.winner else None
    shown = dose.winner.value if dose and dose.winner else None
    prescriber, reason, end_reason = fields.prescriber(dose, product), fields.reason(), fields.end_reason()
    because = _because(line, state, choices)
    for name, found in (("prescriber", prescriber), ("reason", reason), ("end_reason", end_reason)):
        if found is not None:
            because[name] = found[1]
    return ListItem(
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
        layers={},
        because=because,
        prescriber=prescriber[0] if prescriber else None,
        facts=tuple(line.head_facts),
        records=tuple(sorted(record_id(e.key) for e in line.entries)),
        prescriptions=_prescriptions(state),
        undecided=tuple(sorted(fields.undecided)),
        reason=reason[0] if reason else None,
        end_reason=end_reason[0] if end_reason else None,
    )


def _moments(line: Line, state: LineState, now: Situation) -> Iterator[datetime]:
    for stay in now.stays:
        yield stay.start
        if stay.end is not None:
            yield stay.end
    for entry in line.entries:
        yield from boundaries(entry.record)
    for voice in state.voices:
        yield from step_boundaries(dosage_of(voice), voice.standing.start)
        if voice.standing.end is not None:
            yield voice.standing.end


def render(line: Line, heads: Heads, now: Situation) -> Rendered:
    """Return the line of the list: what the heads say, and the leaves beside it."""
    supplied, supplied_dose = line.supplies.layer(now.when, heads.allowed)
    given = line.given.layer(now.when)
    layers: dict[LayerName, Layer] = dict(heads.item.layers)
    facts = set(line.head_facts)
    if supplied is not None:
        layers["dispensed"] = supplied
        facts |= set(supplied.facts)
    if given is not None:
        layers["given"] = given
        facts |= set(given.facts)
    item = msgspec.structs.replace(
        heads.item, layers=layers, facts=tuple(sorted(facts)), leaves=line.summary(), related=line.related
    )
    return Rendered(line, item, heads, supplied_dose)


def name_every_fact(rendered: Rendered) -> ListItem:
    """Return the item with all facts of the line named, instead of counted."""
    line, item = rendered.line, rendered.item
    given = {fact for leaf in line.given.leaves() for fact in leaf.record.fact_ids}
    supplied = {fact for leaf in line.supplies.leaves() for fact in leaf.record.fact_ids}
    layers = dict(item.layers)
    for name, facts in (("given", given), ("dispensed", supplied)):
        if facts:
            layers[name] = msgspec.structs.replace(layers[name], facts=tuple(sorted(facts)))  # type: ignore[index]  # literal names
    return msgspec.structs.replace(item, facts=line.all_facts(), layers=layers)


def _request_layer(name: LayerName, state: LineState, now: Situation) -> tuple[Layer | None, Dose | None]:
    voices = [v for v in state.speakers if v.entry.layer == name]
    if not voices:
        return None, None
    current = [v for v in voices if v in state.pool] or _most_in_force(voices)
    voice = _leading_voice(current, now)
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


def _leading_voice(voices: Sequence[Voice], now: Situation) -> Voice:
    if len(voices) == 1:
        return voices[0]
    candidates = [Candidate(v, v.entry.kind, (v.standing.fact.id,), v.decided) for v in voices]
    choice = choose("product", candidates, now.rules, lambda a, b: a is b)
    winner: Voice = choice.winner.value if choice and choice.winner else voices[-1]
    return winner


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


def _because(line: Line, state: LineState, choices: dict[str, Choice | None]) -> dict[str, Because]:
    because: dict[str, Because] = {}
    if state.choice is not None:
        winner = state.choice.winner
        rule = str(winner.shown) if winner is not None else state.choice.rule
        because["state"] = Because(rule=rule, facts=state.choice.facts)
    else:
        because["state"] = Because(rule="NO_ORDER")
    for field, choice in choices.items():
        if choice is not None and (choice.winner is None or choice.winner.value is not None):
            because[field] = Because(rule=choice.rule, facts=choice.facts)
    if line.joined_by is not None:
        because["treatment"] = Because(rule=line.joined_by)
    return because
