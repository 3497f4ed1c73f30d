"""The values of a line's fields: what a person chose, else what the precedence table makes of the voices in the pool."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from contracts.facts.base import RequestContent
from contracts.facts.list_statement import ListRow
from contracts.facts.reported_use import ReportedUse
from contracts.medication_list import Because
from contracts.values import Dosage, Practitioner, Reason
from streams.reconcile.chosen import DECIDED_BY_PERSON
from streams.reconcile.dose import Dose, daily_dose
from streams.reconcile.ids import record_id
from streams.reconcile.leaves import Leaf
from streams.reconcile.line_state import LineState, Situation, Voice
from streams.reconcile.policy import Field
from streams.reconcile.precedence import Candidate, Choice, choose
from streams.reconcile.profile import Profile

_MOMENT: Final = timedelta(microseconds=1)


class Fields:
    """Chooses the values of a line. ``undecided`` are the fields for which there is none because sources disagree."""

    def __init__(self, state: LineState, now: Situation) -> None:
        self._state = state
        self._now = now
        self.undecided: set[str] = {"state"} if state.choice and state.choice.winner is None else set()

    def product(self) -> Choice | None:
        """Return the product."""
        return self._choose("product", _product_of, _same_product)

    def product_of_leaves(self, leaves: Iterable[Leaf]) -> Choice | None:
        """Return the product of a line that has no order: what the latest of its leaves are of."""
        candidates = [
            Candidate(leaf.profile, leaf.kind, (leaf.record.newest.id,), (leaf.at, leaf.at, record_id(leaf.record.key)))
            for leaf in leaves
        ]
        return self._by_table("product", candidates, _same_product)

    def dosage(self) -> Choice | None:
        """Return the dose; what is shown of it is its text."""
        return self._choose("dosage", self._dose_of, _same_dose)

    def start(self) -> Choice | None:
        """Return when the treatment began."""
        return self._choose("start", _start_of)

    def end(self) -> Choice | None:
        """Return when it ends, or ended."""
        return self._choose("end", lambda voice: _candidate(voice, voice.standing.end))

    def prescriber(self, *choices: Choice | None) -> tuple[Practitioner, Because] | None:
        """Return who stands behind the first of the choices that was made, and why; ``None`` where nobody is named."""
        winner = next((choice.winner for choice in choices if choice is not None and choice.winner is not None), None)
        voice = next((v for v in self._state.voices if winner and v.standing.fact.id in winner.facts), None)
        content = voice.standing.fact.content if voice else None
        if winner is None or not isinstance(content, RequestContent) or content.prescriber is None:
            return None
        return content.prescriber, Because(rule="BEHIND_THE_DECISION", facts=winner.facts)

    def reason(self) -> tuple[str, Because] | None:
        """Return why it is taken, as the latest of the voices that say so puts it."""
        return self._stated(lambda content: content.purpose or _worded(content.reason))

    def end_reason(self) -> tuple[str, Because] | None:
        """Return why it was stopped or cancelled (utsättningsorsak), in the words of who did; nothing while it goes on."""
        if self._state.state not in {"ended", "cancelled"}:
            return None
        return self._stated(lambda content: _worded(content.end_reason))

    def _stated(self, words: Callable[[RequestContent], str | None]) -> tuple[str, Because] | None:
        for voice in sorted(self._state.pool, key=lambda v: v.decided, reverse=True):
            fact = voice.standing.fact
            said = words(fact.content) if isinstance(fact.content, RequestContent) else None
            if said is not None:
                return said, Because(rule="LATEST_STATED", facts=(fact.id,))
        return None

    def _choose(
        self,
        field: Field,
        offered: Callable[[Voice], Candidate | None],
        same: Callable[[Any, Any], bool] | None = None,
    ) -> Choice | None:
        by_person = self._state.chosen_voice(field)
        candidate = by_person and offered(by_person[1])
        if by_person and candidate:
            facts = tuple(sorted((by_person[0].fact, *candidate.facts)))
            return Choice(candidate, DECIDED_BY_PERSON, facts)
        return self._by_table(field, [c for voice in self._state.pool if (c := offered(voice))], same)

    def _by_table(
        self, field: Field, candidates: Sequence[Candidate], same: Callable[[Any, Any], bool] | None
    ) -> Choice | None:
        choice = choose(field, candidates, self._now.rules, same)
        if choice is not None and choice.winner is None:
            self.undecided.add(field)
        return choice

    def _dose_of(self, voice: Voice) -> Candidate | None:
        dosage = dosage_of(voice)
        if not (dosage.steps or dosage.text or dosage.max_per_day):
            return None
        return _candidate(voice, dose_at(voice, self._now.when), dosage.text)


def _candidate(voice: Voice, value: Any, shown: Any = None) -> Candidate:
    return Candidate(value, voice.entry.kind, (voice.standing.fact.id,), voice.decided, shown)


def _worded(reason: Reason | None) -> str | None:
    if reason is None:
        return None
    return reason.text or (reason.code.value if reason.code else None)


def _start_of(voice: Voice) -> Candidate | None:
    return None if voice.began is None else _candidate(voice, voice.began)


def _product_of(voice: Voice) -> Candidate:
    return _candidate(voice, voice.entry.profile)


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


def _same_product(a: Profile, b: Profile) -> bool:
    if a.npl_id and b.npl_id:
        return a.npl_id == b.npl_id
    return a.name == b.name


def _same_dose(a: Dose, b: Dose) -> bool:
    return a.shown == b.shown
