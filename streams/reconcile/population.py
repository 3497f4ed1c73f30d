"""Many patients at once: which pseudonyms are one person, and the list of each."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from contracts.fact import Fact
from contracts.facts.person import IdentityLink
from contracts.medication_list import MedicationList
from streams.reconcile.derive import Reconciler
from streams.reconcile.groups import Groups
from streams.reconcile.records import Ledger


def by_person(facts: Iterable[Fact], reconciler: Reconciler, known_at: datetime | None) -> dict[str, list[Fact]]:
    """Return the facts of each person, by the pseudonym that goes on.

    A link between two person numbers is a fact like any other: a later version that separates them, or a retraction of
    the link, and the two are two again, with each fact where it was.
    """
    by_patient: dict[str, list[Fact]] = {}
    link_facts = []
    for fact in facts:
        by_patient.setdefault(fact.patient, []).append(fact)
        if fact.type in {"medlist.identity-link.v1", "medlist.retraction.v1"}:
            link_facts.append(fact)
            if isinstance(fact.content, IdentityLink):
                by_patient.setdefault(fact.content.other_patient, [])
    groups = Groups(by_patient)
    taken_in: set[str] = set()
    ledger = Ledger(reconciler.rules)
    for fact in link_facts:
        if known_at is None or fact.received_at <= known_at:
            ledger.add(fact)
    for _, record in sorted(ledger.records.items()):
        content = record.newest.content
        if isinstance(content, IdentityLink) and content.status == "linked":
            groups.join(record.newest.patient, content.other_patient)
            taken_in.add(content.other_patient)
    persons: dict[str, list[Fact]] = {}
    for group in groups.members():
        goes_on = min((p for p in group if p not in taken_in), default=group[0])
        persons[goes_on] = [fact for patient in group for fact in by_patient[patient]]
    return {patient: persons[patient] for patient in sorted(persons) if persons[patient]}


def lists(
    facts: Iterable[Fact], reconciler: Reconciler, valid_at: datetime, known_at: datetime | None = None
) -> Iterator[MedicationList]:
    """Yield one list per person, sorted by pseudonym."""
    persons: dict[str, Sequence[Fact]] = dict(by_person(facts, reconciler, known_at))
    for patient, own in persons.items():
        yield reconciler.derive(patient, own, valid_at, known_at)
