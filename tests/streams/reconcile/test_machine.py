"""Everything together: facts late, twice, in portions, retracted, blocked; persons merged and un-merged; restarts.

After each step the state equals one made from scratch.
"""

from datetime import timedelta

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from contracts.fact import Fact, Origin, make_fact
from contracts.facts.base import TreatmentContent
from contracts.facts.correction import Retraction
from contracts.medication_list import encode_list
from streams.reconcile.state import PatientState
from tests.streams.reconcile.test_decision_properties import decisions
from tests.streams.reconcile.test_properties import MOST_FACTS, RECONCILER, block, link_of, retract, story


class Patients(RuleBasedStateMachine):
    """One patient, and another whom links may make the same person."""

    sent = Bundle("sent")

    @initialize(one=st.integers(0, 20), other=st.integers(61, 80))
    def begin(self, one: int, other: int) -> None:
        """Two simulated histories; nothing has come yet."""
        self.own = list(story(one)[:MOST_FACTS])
        self.others = list(story(other)[:MOST_FACTS])
        self.name = self.own[0].patient
        self.state = PatientState(self.name, RECONCILER)
        self.delivered: list[Fact] = []
        self.when = self.own[0].received_at
        self.blocked = self.decided = 0

    def take(self, *facts: Fact) -> None:
        """Deliver facts; those of the other patient come forwarded."""
        arrived = [
            fact if fact.patient == self.name else msgspec.structs.replace(fact, forwarded_to=self.name)
            for fact in facts
        ]
        self.state.add(arrived)
        self.delivered += arrived

    @rule(target=sent, index=st.integers(0, MOST_FACTS - 1))
    def deliver(self, index: int) -> Fact:
        """Any fact of the patient comes, perhaps again."""
        fact = self.own[index % len(self.own)]
        self.take(fact)
        return fact

    @rule(target=sent, index=st.integers(0, MOST_FACTS - 1), other=st.integers(0, MOST_FACTS - 1), later=st.booleans())
    def mix_up(self, index: int, other: int, *, later: bool) -> Fact:
        """A source gives the id of one thing to another, perhaps of another kind."""
        named, meant = self.own[index % len(self.own)], self.own[other % len(self.own)]
        recorded_at = (named.recorded_at or named.received_at) + timedelta(minutes=1 if later else -1)
        origin = Origin(source=named.source, source_id=named.source_id, patient=self.name, recorded_at=recorded_at)
        fact = make_fact(origin, meant.content, named.received_at)
        self.take(fact)
        return fact

    @rule(target=sent, index=st.integers(0, MOST_FACTS - 1))
    def forward(self, index: int) -> Fact:
        """A fact of the other patient comes, linked or not."""
        fact = self.others[index % len(self.others)]
        self.take(fact)
        return fact

    @rule(start=st.integers(0, MOST_FACTS - 1), count=st.integers(1, 10))
    def deliver_portion(self, start: int, count: int) -> None:
        """Several facts come in one record."""
        facts = self.own[start % len(self.own) :][:count]
        if facts:
            self.take(*facts)

    @rule(target=sent, fact=sent)
    def take_back(self, fact: Fact) -> Fact:
        """A record is retracted, or a retraction is; perhaps before what it names."""
        retraction = retract(fact)
        self.take(retraction)
        return retraction

    @rule(index=st.integers(0, MOST_FACTS - 1))
    def take_back_unseen(self, index: int) -> None:
        """A record that may not have come yet is retracted."""
        fact = self.own[index % len(self.own)]
        if not isinstance(fact.content, Retraction):
            self.take(retract(fact))

    @rule(target=sent)
    def link(self) -> Fact:
        """The two turn out to be one person."""
        linked = link_of(self.own[0], self.others[0])
        self.take(linked)
        return linked

    @rule(status=st.sampled_from(["set", "lifted"]), index=st.integers(0, MOST_FACTS - 1))
    def block_source(self, status: str, index: int) -> None:
        """A source is blocked, or its block lifted."""
        self.blocked += 1
        self.take(block(self.own[0], self.own[index % len(self.own)].source, status, self.blocked))

    @rule(data=st.data())
    def decide(self, data: st.DataObject) -> None:
        """A person settles something about records that may not have come yet."""
        self.decided += 1
        about = [fact for fact in self.own if isinstance(fact.content, TreatmentContent)]
        self.take(data.draw(decisions(about, self.decided)))

    @rule(hours=st.integers(-2000, 20000))
    def ask(self, hours: int) -> None:
        """The list is asked for another time."""
        self.when = self.own[0].received_at + timedelta(hours=hours)

    @rule()
    def restart(self) -> None:
        """The state is read back from its rows."""
        self.state = PatientState(self.name, RECONCILER, self.state.rows())

    @invariant()
    def equals_from_scratch(self) -> None:
        """Rows and list are those of the set of facts, to the byte."""
        fresh = PatientState(self.name, RECONCILER)
        fresh.add(reversed(self.delivered))
        assert self.state.rows() == fresh.rows()
        assert self.state.patient.view_at(self.when).encoded == encode_list(fresh.patient.list_at(self.when))


Patients.TestCase.settings = settings(stateful_step_count=25)
TestPatients = Patients.TestCase
