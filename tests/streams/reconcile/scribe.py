"""The scribe: remembers the records that a case spoke of, and writes the next fact about them."""

import re
from datetime import datetime
from typing import Final

import msgspec

from contracts.fact import Fact, Origin, make_fact
from contracts.facts.base import Content, TreatmentContent
from contracts.facts.correction import Decision
from contracts.facts.person import Encounter
from contracts.facts.prescribing import Prescription
from contracts.systems import NLL_CHAIN, PERSONNUMMER
from contracts.values import Identifier, Period, Reference, ReferenceRole
from mappings.codes.products import PRODUCTS
from tests.streams.reconcile.clauses import TIME, Clauses

PATIENT: Final = "patient-1"
PERSON: Final = Identifier(system=PERSONNUMMER, value="191212121212")
BY_NAME: Final = {row.name: row for row in PRODUCTS.values()}
_WHO: Final = {
    "primary care": "primary-care",
    "private clinic": "private-clinic",
    "municipal care": "municipal",
    "dose pharmacy": "dose-pharmacy",
    "pharmacy": "pharmacy",
    "NLL": "nll",
    "hospital": "hospital",
    "ward": "hospital",
    "a person": "medlist",
}
SENTENCE = re.compile(rf"({TIME}) ({'|'.join(_WHO)}) (.*)")


class Sentence(msgspec.Struct, frozen=True):
    """One sentence, taken apart: who says what, when, about what, under which clauses."""

    when: datetime
    who: str
    verb: str
    about: str
    said: Clauses

    @property
    def source(self) -> str:
        """The source system."""
        return _WHO[self.who]


class Scribe:
    """Writes the facts of sentences, and remembers the records that they spoke of."""

    def __init__(self) -> None:
        self.facts: list[Fact] = []
        self.newest: dict[str, Fact] = {}
        self._last = ""
        self._count = 0
        self._stay: str | None = None

    def key(self, name: str) -> Identifier:
        """Return the key of a record that a case calls ``name``."""
        fact = self.newest[self._last if name == "it" else name]
        return Identifier(system=fact.source, value=fact.source_id)

    def say(self, sentence: Sentence, content: Content, name: str | None = None, *, at: datetime | None = None) -> None:
        """Keep the fact that ``content`` is, as a version of the record ``name`` (``None``: a new record)."""
        said = sentence.said
        self._count += 1
        called = name or said.name or f"r{self._count}"
        before = self.newest.get(called)
        recorded = said.recorded or sentence.when
        origin = Origin(
            source=before.source if before else sentence.source,
            source_id=before.source_id if before else called,
            patient=PATIENT,
            version=said.version,
            occurred_at=at or sentence.when,
            recorded_at=recorded,
        )
        fact = make_fact(origin, content, said.received or recorded)
        self.facts.append(fact)
        self.newest[called] = fact
        self._last = called

    def named(self, sentence: Sentence) -> tuple[str, Content]:
        """Return the record that a sentence is about, and its newest content."""
        name = self._last if sentence.about == "it" else sentence.about
        return name, self.newest[name].content

    def references(self, sentence: Sentence) -> tuple[Reference, ...]:
        """Return what the clauses refer to; an unknown name is an id that nobody has sent yet."""
        said = sentence.said
        found = [Reference(role=self._role(name), target=self._target(name, sentence)) for name in said.about]
        if said.replaces:
            found.append(Reference(role="predecessor", target=self._target(said.replaces, sentence)))
        if said.chain:
            found.append(Reference(role="chain", target=Identifier(system=NLL_CHAIN, value=said.chain)))
        if said.on:
            found.append(Reference(role="list", target=self.key(said.on)))
        if sentence.who == "ward" and self._stay:
            found.append(Reference(role="encounter", target=self.key(self._stay)))
        return tuple(found)

    def _role(self, name: str) -> ReferenceRole:
        known = self.newest.get(name)
        return "prescription" if known and isinstance(known.content, Prescription) else "order"

    def _target(self, name: str, sentence: Sentence) -> Identifier:
        return self.key(name) if name in self.newest else Identifier(system=sentence.source, value=name)

    def admits(self, sentence: Sentence) -> None:
        """Begin a stay."""
        self._stay = sentence.said.name or "stay"
        period = Period(start=sentence.when, end=sentence.said.end)
        content = Encounter(person=PERSON, encounter_class="inpatient", status="in-progress", period=period)
        self.say(sentence, content, self._stay)

    def discharges(self, sentence: Sentence) -> None:
        """End the stay."""
        if self._stay is None:
            raise ValueError("a case discharges somebody who was not admitted")
        before = self.newest[self._stay].content
        assert isinstance(before, Encounter)
        period = Period(start=before.period.start, end=sentence.when)
        self.say(sentence, msgspec.structs.replace(before, status="finished", period=period), self._stay)

    def decides(self, sentence: Sentence) -> None:
        """Write a person's decision, having seen all facts about treatments so far."""
        match = _DECISION.fullmatch(sentence.about)
        if match is None:
            raise ValueError(f"a case decides {sentence.about!r}, which means nothing here")
        kind, names, field, finding, chosen = _decision(match)
        content = Decision(
            person=PERSON,
            kind=kind,  # type: ignore[arg-type]  # the table below has only these
            records=tuple(sorted(self.key(name) for name in names)),
            basis=tuple(sorted(fact.id for fact in self.facts if isinstance(fact.content, TreatmentContent))),
            finding=finding,
            field=field,
            chosen=self.key(chosen) if chosen else None,
        )
        self.say(sentence, content)


_DECISION = re.compile(
    r"that (?P<a>\w+) and (?P<b>\w+) are (?P<kind>the same|different)"
    r"|to accept (?P<finding>[a-z-]+) on (?P<on>[\w and]+)"
    r"|for the (?P<field>dosage|product|state|start|end) of (?P<chosen>\w+) over (?P<other>\w+)"
)


def _decision(match: re.Match[str]) -> tuple[str, list[str], str | None, str | None, str | None]:
    if match["kind"]:
        kind = "same-treatment" if match["kind"] == "the same" else "different-treatment"
        return kind, [match["a"], match["b"]], None, None, None
    if match["finding"]:
        return "accept", match["on"].split(" and "), None, match["finding"], None
    return "choose-value", [match["chosen"], match["other"]], match["field"], None, match["chosen"]
