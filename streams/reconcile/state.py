"""The state of one patient as rows, written only when they changed. A cache of the facts, never more.

One row per fact: no row grows with the patient's history, none is written again for another fact, and equal sets of
facts have equal rows, whatever the order they came in.

A patient may also hold facts of other pseudonyms, forwarded because a link says that they are one person. They count
while the link stands; when it falls, nothing has to be taken apart.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from contracts.envelope import decode_fact, encode_fact
from contracts.fact import Fact
from contracts.facts.person import IdentityLink
from streams.reconcile.derive import Reconciler
from streams.reconcile.patient import Patient
from streams.reconcile.population import Persons

_FACT_ROW = "f|"


def row_of(fact: Fact) -> str:
    """Return the name of the row that a fact stands in."""
    return f"{_FACT_ROW}{fact.id}"


class Added(NamedTuple):
    """What adding facts did: the names of the rows that changed; whether it changed who is who."""

    rows: set[str]
    identity: bool


class PatientState:
    """A patient whose facts are kept in rows."""

    def __init__(self, name: str, reconciler: Reconciler, rows: Mapping[str, bytes] | None = None) -> None:
        self._name = name
        self._reconciler = reconciler
        self._facts: dict[str, Fact] = {}
        self._persons = Persons(reconciler.rules)
        self.patient: Patient = reconciler.patient(name)
        self.add(decode_fact(value) for value in (rows or {}).values())

    @property
    def goes_on_as(self) -> str:
        """The pseudonym under which this patient's list stands: its own, unless a link has it taken in by another."""
        return self._persons.goes_on(self._name)

    def __len__(self) -> int:
        return len(self._facts)

    def facts(self) -> list[Fact]:
        """Return all facts that are held, in order of id."""
        return [self._facts[key] for key in sorted(self._facts)]

    def add(self, facts: Iterable[Fact]) -> Added:
        """Take facts in; return what that changed.

        A fact that is known already changes nothing, unless it turns out to have been received earlier.
        """
        fresh: list[Fact] = []
        others_changed = False
        for fact in facts:
            known = self._facts.get(fact.id)
            if known is not None and known.received_at <= fact.received_at:
                continue
            self._facts[fact.id] = fact
            others_changed |= self._persons.add(fact)
            fresh.append(fact)
        changed = set(map(row_of, fresh))
        if others_changed:
            self.patient = self._reconciler.patient(self._name)
            fresh = list(self._facts.values())
        self.patient.add(filter(self._counts, fresh))
        return Added(changed, others_changed)

    def identity_news(self) -> dict[str, list[Fact]]:
        """Return, per patient that any link names beside this one, the facts that say who is who."""
        links = self._persons.links()
        named = {
            patient
            for fact in links
            if isinstance(fact.content, IdentityLink)
            for patient in (fact.patient, fact.content.other_patient)
        }
        return dict.fromkeys(sorted(named - {self._name}), links)

    def _counts(self, fact: Fact) -> bool:
        if not self._persons.any_linked:
            return fact.patient == self._name or type(fact.content) is IdentityLink
        if self.goes_on_as != self._name:
            return isinstance(fact.content, IdentityLink)
        concerned = {fact.patient}
        if isinstance(fact.content, IdentityLink):
            concerned.add(fact.content.other_patient)
        return any(self._persons.goes_on(patient) == self._name for patient in concerned)

    def encode(self, name: str) -> bytes:
        """Return the bytes of a row."""
        return encode_fact(self._facts[name.removeprefix(_FACT_ROW)])

    def rows(self) -> dict[str, bytes]:
        """Return all rows."""
        return {row_of(fact): encode_fact(fact) for fact in self.facts()}
