"""Many pseudonyms, fewer persons: which of them are one person, and the list of each."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final

from contracts.fact import Fact
from contracts.facts.correction import Retraction
from contracts.facts.person import IdentityLink
from contracts.medication_list import MedicationList
from streams.reconcile.derive import Reconciler
from streams.reconcile.groups import Groups
from streams.reconcile.policy import Rules
from streams.reconcile.records import Ledger

_SAY_WHO_IS_WHO: Final = (IdentityLink, Retraction)


class Persons:
    """Which pseudonyms are one person, by the link facts that stand.

    A link is a fact like any other: a later version that separates the two, or a retraction of the link, and they are two
    again, each with its own facts. Of linked pseudonyms the one that goes on is the one that no link takes in.
    """

    def __init__(self, rules: Rules) -> None:
        self._ledger = Ledger(rules)
        self._goes_on: dict[str, str] | None = {}

    def add(self, fact: Fact) -> bool:
        """Take a fact in; say whether it may have changed who is who."""
        if not isinstance(fact.content, _SAY_WHO_IS_WHO):
            return False
        changed = self._ledger.add(fact)
        if changed is None or (not self._ledger.records and not self._goes_on):
            return False
        self._goes_on = None
        return True

    @property
    def any_linked(self) -> bool:
        """Whether any link stands."""
        if self._goes_on is None:
            self._goes_on = self._resolve()
        return bool(self._goes_on)

    def links(self) -> list[Fact]:
        """Return the facts that say, or take back, who is who: links, standing or not, and retractions of links."""
        said = self._ledger.facts()
        keys = {(fact.source, fact.source_id) for fact in said if isinstance(fact.content, IdentityLink)}
        return [
            fact
            for fact in said
            if isinstance(fact.content, IdentityLink)
            or (isinstance(c := fact.content, Retraction) and (c.target.system, c.target.value) in keys)
        ]

    def goes_on(self, patient: str) -> str:
        """Return the pseudonym under which a patient's list stands."""
        if self._goes_on is None:
            self._goes_on = self._resolve()
        return self._goes_on.get(patient, patient)

    def _resolve(self) -> dict[str, str]:
        pairs = [
            (record.newest.patient, content.other_patient)
            for record in self._ledger.records.values()
            if isinstance(content := record.newest.content, IdentityLink) and content.status == "linked"
        ]
        groups = Groups({patient for pair in pairs for patient in pair})
        for one, other in pairs:
            groups.join(one, other)
        taken_in = {other for _, other in pairs}
        resolved: dict[str, str] = {}
        for group in groups.members():
            standing = [patient for patient in group if patient not in taken_in] or group
            resolved |= dict.fromkeys(group, standing[0])
        return resolved


def by_person(facts: Iterable[Fact], rules: Rules, known_at: datetime | None) -> dict[str, list[Fact]]:
    """Return the facts of each person that were received by ``known_at``, by the pseudonym that goes on."""
    known = [fact for fact in facts if known_at is None or fact.received_at <= known_at]
    persons = Persons(rules)
    for fact in known:
        persons.add(fact)
    found: dict[str, list[Fact]] = {}
    for fact in known:
        found.setdefault(persons.goes_on(fact.patient), []).append(fact)
    return {patient: found[patient] for patient in sorted(found)}


def lists(
    facts: Iterable[Fact], reconciler: Reconciler, valid_at: datetime, known_at: datetime | None = None
) -> Iterator[MedicationList]:
    """Yield one list per person, sorted by pseudonym."""
    for patient, own in by_person(facts, reconciler.rules, known_at).items():
        yield reconciler.derive(patient, own, valid_at)
