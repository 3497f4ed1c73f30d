"""A case in sentences, and the list that follows from it.

``patient = history("2026-01-01 primary care prescribes Furix 40 mg, 1 x 1")`` and then
``patient.the_list("2026-01-05") == ["Furix 40 mg: active, 40 mg a day"]``.
"""

import random
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from contracts.fact import Fact
from contracts.medication_list import Change, DailyDose, Finding, ListItem, MedicationList, encode_list
from streams.command.knowledge import reconciler
from streams.reconcile.changes import changes
from streams.reconcile.derive import Reconciler
from streams.reconcile.policy import Rules
from tests.streams.reconcile.clauses import moment
from tests.streams.reconcile.scribe import PATIENT, Scribe
from tests.streams.reconcile.sentences import write

RECONCILER = reconciler()


def history(*sentences: str, rules: Rules | None = None) -> "History":
    """Return the history that sentences tell. Raises ``ValueError`` for a sentence that is not understood."""
    scribe = Scribe()
    for sentence in sentences:
        write(scribe, sentence)
    return History(tuple(scribe.facts), scribe, RECONCILER if rules is None else reconciler(rules))


@dataclass(frozen=True)
class History:
    """The facts of a case, and questions to them. Every list is made from two orders of the facts, which must agree."""

    facts: tuple[Fact, ...]
    scribe: Scribe
    reconciler: Reconciler

    def made(self, at: str, known_at: str | None = None) -> MedicationList:
        """Return the list as of two local times; without ``known_at`` from everything."""
        known = None if known_at is None else moment(known_at)
        return self._derive(moment(at), known)

    def _derive(self, at: datetime, known: datetime | None) -> MedicationList:
        made = self.reconciler.derive(PATIENT, self.facts, at, known)
        mixed = list(self.facts)
        random.Random(len(mixed)).shuffle(mixed)
        again = self.reconciler.derive(PATIENT, [*mixed, *mixed[:2]], at, known)
        assert encode_list(again) == encode_list(made), "the order of the facts matters"
        return made

    def the_list(self, at: str, known_at: str | None = None) -> list[str]:
        """Return the lines in words, sorted."""
        return sorted(line(item) for item in self.made(at, known_at).items)

    def findings(self, at: str, known_at: str | None = None) -> list[str]:
        """Return the codes of what was noticed, sorted."""
        return sorted(found.code for found in self.made(at, known_at).findings)

    def finding(self, code: str, at: str) -> Finding:
        """Return the only finding of a code."""
        (found,) = [one for one in self.made(at).findings if one.code == code]
        return found

    def item(self, at: str, product: str | None = None) -> ListItem:
        """Return the only line, or the only one of a product."""
        (found,) = [one for one in self.made(at).items if product in {None, one.product}]
        return found

    def dose(self, at: str) -> str | None:
        """Return the daily dose of the only line, in words."""
        return _dose(self.item(at).daily_dose)

    def treatments(self, at: str) -> int:
        """Return how many treatments the lines are of."""
        return len({item.treatment for item in self.made(at).items})

    def changes(self, before: str, after: str) -> list[str]:
        """Return what changes in the list between two times, by what is known at each."""
        old, new = self.made(before, before), self.made(after, after)
        return words(changes(old, new, {}))

    def says(self, name: str) -> str:
        """Return the id of the newest fact of a record."""
        return self.scribe.newest[name].id

    def without(self, *names: str) -> "History":
        """Return the history without some records, as if they had never been sent."""
        gone = {self.scribe.newest[name].source_id for name in names}
        kept = tuple(fact for fact in self.facts if fact.source_id not in gone)
        return History(kept, self.scribe, self.reconciler)

    @cached_property
    def names(self) -> dict[str, str]:
        """The name of the record that each fact belongs to."""
        return {fact.id: fact.source_id for fact in self.facts}

    def members(self, item: ListItem) -> list[str]:
        """Return the names of the records on a line, sorted."""
        return sorted({self.names[fact] for fact in item.facts})


def line(item: ListItem) -> str:
    """Return a line in words: product, state, daily dose."""
    dose = _dose(item.daily_dose)
    undecided = f", undecided {', '.join(item.undecided)}" if item.undecided else ""
    return f"{item.product}: {item.state}{', ' + dose if dose else ''}{undecided}"


def _dose(dose: DailyDose | None) -> str | None:
    if dose is None or dose.status == "not-stated":
        return None
    amount = f"{dose.value} {dose.unit}" if dose.value is not None else None
    if dose.status == "computed":
        return f"{amount} a day"
    if dose.status == "as-needed":
        return f"as needed, at most {amount} a day" if amount else "as needed"
    return dose.status


def words(found: Iterable[Change]) -> list[str]:
    """Return changes in words, without those of findings."""
    return sorted(
        f"{change.kind}: {change.before} -> {change.after}" for change in found if not change.kind.startswith("finding")
    )
