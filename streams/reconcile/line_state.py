"""The state of one line at one time: how each of its records stands, who speaks for each source, what the line is.

Order of reasoning: each record stands by its own timeline; an in-patient order that nobody ended ends with its stay;
while the patient is admitted, what applies outside is dormant; a replaced record is out; each source speaks with one
record per kind; whose word counts comes from the precedence table. An end or a stop in one source does not end what
another source carries on: it is a finding, for a person to settle.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from contracts.facts.base import RequestContent
from contracts.facts.list_statement import ListRow
from contracts.medication_list import ItemState
from contracts.values import Identifier
from streams.reconcile.chosen import DECIDED_BY_PERSON, ChosenValue, chosen_for
from streams.reconcile.entries import Entry
from streams.reconcile.evidence import REQUEST_KINDS, STATEMENT_KINDS
from streams.reconcile.policy import Rules
from streams.reconcile.precedence import Candidate, Choice, choose, decided_at
from streams.reconcile.records import EARLIEST
from streams.reconcile.strands import replacements
from streams.reconcile.timeline import Standing, Stay, first_start, standing

IN_FORCE: Final = frozenset({"active", "paused", "dormant"})
_SPEAKS_FIRST: Final[Mapping[ItemState, int]] = {
    "active": 0,
    "paused": 1,
    "dormant": 2,
    "unknown": 3,
    "planned": 4,
    "ended": 5,
    "cancelled": 6,
}


class Voice(msgspec.Struct, frozen=True, gc=False, eq=False):
    """One record of a line as it stands.

    ``began`` is when the line began: by its first order or prescription, or, for a statement, by the first statement.
    """

    entry: Entry
    standing: Standing
    superseded: bool
    began: datetime | None

    @property
    def state(self) -> ItemState:
        """The record's own state."""
        return self.standing.state

    @property
    def decided(self) -> tuple[datetime, datetime, str]:
        """When the decision that speaks was made."""
        fact = self.standing.fact
        return decided_at(fact.occurred_at, fact.recorded_at, f"{fact.source}|{fact.source_id}")


class LineState(msgspec.Struct, frozen=True, gc=False, eq=False):
    """The line's state, by whom; all voices, one speaker per source and kind, and the pool that other fields ask.

    ``chosen`` is what a person has chosen, per field.
    """

    state: ItemState
    choice: Choice | None
    voices: tuple[Voice, ...]
    speakers: tuple[Voice, ...]
    pool: tuple[Voice, ...]
    chosen: Mapping[str, ChosenValue]

    def chosen_voice(self, field: str) -> tuple[ChosenValue, Voice] | None:
        """Return the voice that a person chose for a field, while it says the same about being in force as the line."""
        chosen = self.chosen.get(field)
        voice = None if chosen is None else next((v for v in self.voices if v.entry.key == chosen.record), None)
        if chosen is None or voice is None:
            return None
        agrees = voice.state == self.state or (voice.state in IN_FORCE and self.state in IN_FORCE)
        return (chosen, voice) if agrees else None


class Situation(msgspec.Struct, frozen=True):
    """What a line's state depends on besides its own records."""

    when: datetime
    stays: tuple[Stay, ...]
    rules: Rules
    chosen: tuple[ChosenValue, ...] = ()

    @property
    def stay(self) -> Stay | None:
        """The stay that is going on, if any."""
        return next((stay for stay in self.stays if stay.covers(self.when)), None)


def line_state(entries: Sequence[Entry], used: frozenset[Identifier], now: Situation) -> LineState:
    """Return the state of the line that ``entries`` make. ``used``: records on which something was given."""
    voices = _voices(entries, used, now)
    speakers = _speakers(voices)
    chosen = chosen_for(entries, now.chosen) if now.chosen else {}
    if not speakers:
        return LineState("unknown", None, voices, (), (), chosen)
    if "state" in chosen:
        return _decided_state(chosen, voices, speakers)
    competing = _competing(speakers)
    choice = choose("state", [_candidate(voice) for voice in competing], now.rules)
    if choice is None or choice.winner is None:
        pool = tuple(v for v in speakers if v.state != "cancelled") or speakers
        return LineState("unknown", choice, voices, speakers, pool, chosen)
    state: ItemState = choice.winner.value
    wanted = IN_FORCE if state in IN_FORCE else {state}
    pool = tuple(v for v in competing if v.state in wanted)
    return LineState(state, choice, voices, speakers, pool, chosen)


def _decided_state(
    chosen: Mapping[str, ChosenValue], voices: tuple[Voice, ...], speakers: tuple[Voice, ...]
) -> LineState:
    by = chosen["state"]
    voice = next(v for v in voices if v.entry.key == by.record)
    winner = msgspec.structs.replace(_candidate(voice), shown=DECIDED_BY_PERSON)
    facts = tuple(sorted((by.fact, voice.standing.fact.id)))
    choice = Choice(winner, DECIDED_BY_PERSON, facts)
    wanted = IN_FORCE if voice.state in IN_FORCE else {voice.state}
    pool = tuple(v for v in speakers if v.state in wanted and v is not voice)
    return LineState(voice.state, choice, voices, speakers, (*pool, voice), chosen)


def _candidate(voice: Voice) -> Candidate:
    return Candidate(voice.state, voice.entry.kind, (voice.standing.fact.id,), voice.decided, voice.standing.rule)


def _voices(entries: Sequence[Entry], used: frozenset[Identifier], now: Situation) -> tuple[Voice, ...]:
    replaced = replacements(entries)
    began: dict[bool, datetime] = {}
    for entry in entries:
        start = None if entry.never_valid else first_start(entry.record)
        if start is not None:
            began[entry.kind in REQUEST_KINDS] = min(began.get(entry.kind in REQUEST_KINDS, start), start)
    voices = []
    for entry in entries:
        cut = min((_takes_over(by) for by in replaced.get(entry.key, ())), default=None)
        stands = standing(entry.record, now.when, used=entry.key in used, cut=cut)
        superseded = cut is not None and stands.end == cut and stands.state == "ended"
        stands = _in_stays(entry, stands, now)
        voices.append(Voice(entry, stands, superseded, began.get(entry.kind in REQUEST_KINDS)))
    return tuple(voices)


def _takes_over(entry: Entry) -> datetime:
    start = first_start(entry.record)
    return start if start is not None else (entry.record.versions[0].occurred_at or EARLIEST)


def _in_stays(entry: Entry, stands: Standing, now: Situation) -> Standing:
    if entry.kind == "inpatient_order":
        stay = _own_stay(entry, now)
        if stay is None or stay.end is None or not now.rules.lifecycle.inpatient_orders_end_at_discharge:
            return stands
        if stands.end is not None and stands.end <= stay.end:
            return stands
        over = now.when >= stay.end and stands.state in {"active", "paused"}
        return msgspec.structs.replace(
            stands,
            end=stay.end,
            state="ended" if over else stands.state,
            rule="STAY_ENDED" if over else stands.rule,
        )
    if stands.state == "active" and now.stay is not None and _outside(entry):
        return msgspec.structs.replace(stands, state="dormant", rule="DORMANT_WHILE_ADMITTED")
    return stands


def _outside(entry: Entry) -> bool:
    content = entry.record.newest.content
    return not (isinstance(content, RequestContent | ListRow) and content.setting == "inpatient")


def _own_stay(entry: Entry, now: Situation) -> Stay | None:
    """Return the stay an in-patient order belongs to: the one it names, else the one its start falls into."""
    named = {(r.target.system, r.target.value) for r in entry.references if r.role == "encounter"}
    slack = timedelta(hours=now.rules.matching.overlap_tolerance_hours)
    for stay in now.stays:
        if stay.key in named:
            return stay
    for stay in now.stays:
        if stay.start - slack <= entry.start and (stay.end is None or entry.start < stay.end):
            return stay
    return None


def _speakers(voices: Sequence[Voice]) -> tuple[Voice, ...]:
    """Return one voice per source and kind.

    Of orders and prescriptions it is the one that is most in force, of equals the latest decision; of statements (list
    rows, reports) it is the latest.
    """
    best: dict[tuple[str, str], Voice] = {}
    for voice in sorted(voices, key=lambda v: v.decided):
        key = (voice.entry.source, voice.entry.kind)
        before = best.get(key)
        if before is None or voice.entry.kind in STATEMENT_KINDS or _rank(voice) <= _rank(before):
            best[key] = voice
    return tuple(best[key] for key in sorted(best))


def _rank(voice: Voice) -> tuple[bool, int]:
    return (voice.superseded, _SPEAKS_FIRST[voice.state])


def _competing(speakers: Sequence[Voice]) -> list[Voice]:
    """Return the speakers whose states compete for the line's state.

    Orders and prescriptions decide, statements only where there are none. In each source an order speaks before a
    prescription. What is in force in one source is never ended by another source's stop: that is a finding for a person.
    """
    left = [v for v in speakers if v.entry.kind in REQUEST_KINDS and not v.superseded] or list(speakers)
    left = [v for v in left if v.state != "cancelled"] or left
    left = [v for v in left if not _overruled_at_home(v, left)]
    for states in (IN_FORCE, {"planned"}, {"ended"}, {"unknown"}):
        found = [v for v in left if v.state in states]
        if found:
            return found if states is IN_FORCE else _without_inpatient(found)
    return left


def _overruled_at_home(voice: Voice, voices: Sequence[Voice]) -> bool:
    """Say whether a prescription goes on although its own source has ended the order behind it."""
    return voice.entry.kind == "prescription" and any(
        other.entry.kind == "outpatient_order" and other.entry.source == voice.entry.source and other.state == "ended"
        for other in voices
    )


def _without_inpatient(voices: list[Voice]) -> list[Voice]:
    return [v for v in voices if v.entry.kind != "inpatient_order"] or voices
