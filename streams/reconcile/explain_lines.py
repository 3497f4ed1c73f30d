"""One line in words: what joined its entries, who decides its state, and whose dose counts against which others."""

from collections.abc import Callable, Iterator
from datetime import datetime

import msgspec

from contracts.fact import Fact
from contracts.medication_list import Because
from contracts.values import Identifier
from streams.reconcile.entries import LINKING_ROLES, Entry, identifiers_of, references_of
from streams.reconcile.explain_texts import (
    FIELD_RULES,
    FIELDS,
    JOINS,
    KINDS,
    LOSES,
    PHRASES,
    STATE_RULES,
    STATES,
    Language,
    dose_words,
    say,
)
from streams.reconcile.fields import dosage_of, dose_at
from streams.reconcile.ids import leading
from streams.reconcile.leaves import Leaf
from streams.reconcile.line_item import Rendered
from streams.reconcile.line_state import Situation, Voice
from streams.reconcile.matching import Pair


class Voiced(msgspec.Struct, frozen=True):
    """A line with what is needed to put it in words."""

    line: Rendered
    now: Situation
    same: frozenset[Pair]
    lang: Language
    show: Callable[[datetime], str]

    def because(self, what: str, fact: str, why: str) -> str:
        """Return one sentence: what, which fact, why."""
        return say(PHRASES, "because", self.lang, what=what, fact=fact[:8], why=why)

    def told(self, kind: str, fact: Fact, product: str | None) -> str:
        """Return who said what, when."""
        when = fact.recorded_at or fact.occurred_at
        time = f" {self.show(when)}" if when is not None else ""
        return f"{say(KINDS, kind, self.lang)}, {fact.source}{time}: {product or '?'}"


def joined(voiced: Voiced) -> Iterator[str]:
    """Yield, per order, prescription, row and report of the line, what joins it to the others."""
    entries = voiced.line.line.entries
    if not entries:
        return
    first = leading(entry.record for entry in entries)
    for entry in sorted(entries, key=lambda e: (e.record is not first, e.start, e.key)):
        what = voiced.told(entry.kind, entry.record.newest, entry.profile.name)
        why = say(JOINS, "LEADS", voiced.lang) if entry.record is first else _link(entry, voiced)
        yield voiced.because(what, entry.record.newest.id, why)
    rule = voiced.line.line.joined_by
    if rule is not None:
        yield say(PHRASES, "joined", voiced.lang, why=say(JOINS, rule, voiced.lang))


def _link(entry: Entry, voiced: Voiced) -> str:
    others = [other for other in voiced.line.line.entries if other is not entry]
    for code, holds in (("SAME_ID", _same_id), ("REFERS", _refers), ("SAME_CHAIN", _same_chain)):
        for other in others:
            if holds(entry, other):
                return say(JOINS, code, voiced.lang, other=_short(other))
    for other in others:
        if _by_person(entry, other, voiced):
            return say(JOINS, "DECIDED_BY_PERSON", voiced.lang, other=_short(other))
    return say(JOINS, voiced.line.line.joined_by or "EVIDENCE", voiced.lang)


def _same_id(a: Entry, b: Entry) -> bool:
    return bool(identifiers_of(a.record) & identifiers_of(b.record))


def _refers(a: Entry, b: Entry) -> bool:
    roles = LINKING_ROLES - {"chain"}
    targets = [{r.target for r in references_of(e.record) if r.role in roles} for e in (a, b)]
    return bool(targets[0] & identifiers_of(b.record) or targets[1] & identifiers_of(a.record))


def _same_chain(a: Entry, b: Entry) -> bool:
    return bool(a.chains & b.chains)


def _by_person(a: Entry, b: Entry, voiced: Voiced) -> bool:
    return (min(a.key, b.key), max(a.key, b.key)) in voiced.same


def _short(entry: Entry) -> str:
    return f"{entry.source} {entry.record.newest.id[:8]}"


def leaves_joined(voiced: Voiced) -> Iterator[str]:
    """Yield what joins dispenses, rolls and administrations to the line: the last of each kind, the others counted."""
    groups: dict[tuple[str, str, str], list[Leaf]] = {}
    for leaf in voiced.line.line.leaves():
        groups.setdefault((leaf.kind, leaf.record.key.system, _how(leaf, voiced)), []).append(leaf)
    for (kind, _, how), members in sorted(groups.items()):
        last = max(members, key=lambda leaf: (leaf.at, leaf.record.key))
        why = say(JOINS, how, voiced.lang)
        yield voiced.because(voiced.told(kind, last.record.newest, last.profile.name), last.record.newest.id, why)
        if len(members) > 1:
            yield say(PHRASES, "more", voiced.lang, count=str(len(members) - 1), why=why)


def _how(leaf: Leaf, voiced: Voiced) -> str:
    entries = voiced.line.line.entries
    if not entries:
        return "UNORDERED"
    hubs: set[Identifier] = {hub for entry in entries for hub in entry.hubs}
    return "REFERENCE" if leaf.targets & hubs else "PRODUCT_AND_TIME"


def why_state(voiced: Voiced) -> Iterator[str]:
    """Yield the rule behind the line's state, and how each of its records stands."""
    lang, because = voiced.lang, voiced.line.item.because["state"]
    for voice in voiced.line.state.voices:
        what = voiced.told(voice.entry.kind, voice.standing.fact, voice.entry.profile.name)
        decides = voice.standing.fact.id in because.facts
        state = say(STATES, voice.state, lang)
        why = say(LOSES, "superseded", lang) if voice.superseded else say(STATE_RULES, voice.standing.rule, lang)
        mark = f", {say(LOSES, 'wins', lang)}" if decides else ""
        yield voiced.because(what, voice.standing.fact.id, f"{state}, {why}{mark}")
    if because.rule in {"NO_ORDER", "UNDECIDED", "DECIDED_BY_PERSON"} or not because.facts:
        yield _field("state", say(STATE_RULES, because.rule, lang), lang)


def why_dose(voiced: Voiced) -> Iterator[str]:
    """Yield every candidate for the dose, which of them counts, and why the others do not."""
    because = voiced.line.item.because.get("dosage")
    if because is None:
        yield say(PHRASES, "no_dose", voiced.lang)
        return
    winner = _winner(voiced, because)
    for voice in sorted(voiced.line.state.voices, key=lambda v: (v is not winner, v.decided)):
        what = voiced.told(voice.entry.kind, voice.standing.fact, _dose(voice, voiced))
        yield voiced.because(what, voice.standing.fact.id, _fate(voice, winner, because, voiced))


def why_fields(voiced: Voiced) -> Iterator[str]:
    """Yield, for each other field that has a value or is undecided, the rule that chose it and the facts it is from."""
    for field, because in sorted(voiced.line.item.because.items()):
        if field in FIELDS and field not in {"state", "dosage"}:
            facts = ", ".join(fact[:8] for fact in because.facts)
            yield _field(field, f"{say(FIELD_RULES, because.rule, voiced.lang)} ({facts})", voiced.lang)


def _winner(voiced: Voiced, because: Because) -> Voice | None:
    state = voiced.line.state
    if "dosage" in voiced.line.item.undecided:
        return None
    by_person = state.chosen_voice("dosage")
    if by_person is not None:
        return by_person[1]
    named = [voice for voice in state.pool if voice.standing.fact.id in because.facts]
    return max(named, key=lambda voice: voice.decided, default=None)


def _dose(voice: Voice, voiced: Voiced) -> str:
    shown = dose_at(voice, voiced.now.when).shown
    amount = dose_words(shown, voiced.lang) + (" / d" if shown.status == "computed" else "")
    words = dosage_of(voice).text
    return f"{amount} ({words})" if words else amount


def _fate(voice: Voice, winner: Voice | None, because: Because, voiced: Voiced) -> str:
    lang, dosage = voiced.lang, dosage_of(voice)
    why = say(FIELD_RULES, because.rule, lang)
    if voice is winner:
        return f"{say(LOSES, 'wins', lang)}, {why}"
    if voice.superseded:
        return say(LOSES, "superseded", lang)
    if not (dosage.steps or dosage.text or dosage.max_per_day):
        return say(LOSES, "silent", lang)
    if voice not in voiced.line.state.pool:
        return _outside(voice, voiced)
    return f"{say(LOSES, 'undecided', lang)}, {why}" if winner is None else _beaten(voice, winner, because, voiced)


def _beaten(voice: Voice, winner: Voice, because: Because, voiced: Voiced) -> str:
    lang, kinds = voiced.lang, (winner.entry.kind, voice.entry.kind)
    if dose_at(voice, voiced.now.when).shown == dose_at(winner, voiced.now.when).shown:
        return say(LOSES, "agrees", lang)
    if because.rule == "DECIDED_BY_PERSON":
        return say(LOSES, "by_person", lang)
    if voiced.now.rules.verdicts["dosage", kinds[0], kinds[1]] == "row":
        return say(LOSES, "table", lang, winner=say(KINDS, kinds[0], lang), kind=say(KINDS, kinds[1], lang))
    return say(LOSES, "earlier", lang)


def _outside(voice: Voice, voiced: Voiced) -> str:
    lang = voiced.lang
    if voice.state in {"active", "paused", "dormant"}:
        return say(LOSES, "not_asked", lang)
    state, why = say(STATES, voice.state, lang), say(STATE_RULES, voice.standing.rule, lang)
    return say(LOSES, "not_in_force", lang, state=state, why=why)


def _field(field: str, why: str, lang: Language) -> str:
    return say(PHRASES, "field", lang, field=say(FIELDS, field, lang), why=why)
