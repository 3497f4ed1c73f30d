"""Two person numbers become one person, and two again: across partitions, without taking anything apart."""

from collections.abc import Sequence

from contracts import topics
from contracts.envelope import decode_fact, encode_batch
from contracts.fact import Fact, Origin, make_fact
from contracts.facts.correction import Retraction
from contracts.facts.person import IdentityLink
from contracts.medication_list import MedicationList, decode_list
from contracts.values import Identifier
from streams.command.knowledge import reconciler
from streams.simulate.world import simulate
from streams.topology.core import Decision
from streams.topology.reconciling.core import ReconcilingCore

TOPICS = {name: name for name in (topics.LIST, topics.CHANGE, topics.QUARANTINE, topics.FORWARD)}
ONE = simulate(77, 0).facts[:25]
OTHER = simulate(77, 1).facts[:25]


class TwoPartitions:
    """The partition of each of two patients, and intake's relay of what is forwarded between them."""

    def __init__(self) -> None:
        self.cores = {name: self._core(name) for name in (ONE[0].patient, OTHER[0].patient)}
        self.rows: dict[str, dict[bytes, bytes]] = {name: {} for name in self.cores}
        self.lists: dict[str, MedicationList] = {}

    @staticmethod
    def _core(mine: str) -> ReconcilingCore:
        return ReconcilingCore(reconciler(), TOPICS, lambda patient: patient == mine)

    def receive(self, facts: Sequence[Fact]) -> None:
        """Let both partitions see the facts, and each other's forwarded ones."""
        for name in self.cores:
            self._apply(name, facts)

    def restart(self) -> None:
        """Start both partitions anew from their rows."""
        for name, rows in self.rows.items():
            self.cores[name] = self._core(name)
            self.cores[name].load(rows)

    def _apply(self, name: str, facts: Sequence[Fact]) -> None:
        decision: Decision = self.cores[name].apply([encode_batch(facts)])
        for key, value in decision.rows.items():
            assert value is not None
            self.rows[name][key] = value
        forwarded = []
        for send in decision.sends:
            if send.topic == topics.LIST and send.value is not None:
                self.lists[name] = decode_list(send.value)
            elif send.topic == topics.FORWARD and send.value is not None:
                forwarded.append(decode_fact(send.value))
        for target in {fact.forwarded_to for fact in forwarded if fact.forwarded_to}:
            self._apply(target, [fact for fact in forwarded if fact.forwarded_to == target])


def link() -> Fact:
    """Says that both numbers are one person, who goes on as the first."""
    content = IdentityLink(
        person=ONE[0].content.person,
        other=OTHER[0].content.person,
        other_patient=OTHER[0].patient,
        status="linked",
        cause="merged",
    )
    return make_fact(Origin(source="medlist", source_id="link-1", patient=ONE[0].patient), content, ONE[-1].received_at)


def unlink(linked: Fact) -> Fact:
    """Takes the link back."""
    content = Retraction(person=linked.content.person, target=Identifier(system="medlist", value="link-1"))
    origin = Origin(source="medlist", source_id="unlink-1", patient=linked.patient)
    return make_fact(origin, content, linked.received_at)


def strands(made: MedicationList) -> set[str]:
    """The lines of a list."""
    return {item.strand for item in made.items}


def test_a_link_brings_all_facts_to_the_one_who_goes_on() -> None:
    """Facts from before and after the link stand on one list; the other number's list is empty."""
    apart, together = TwoPartitions(), TwoPartitions()
    apart.receive([*ONE, *OTHER])

    together.receive([*ONE, *OTHER[:10]])
    together.receive([link()])
    together.receive(OTHER[10:])

    assert together.lists[OTHER[0].patient].items == ()
    merged = together.lists[ONE[0].patient]
    named = {fact for item in merged.items for fact in item.facts} | {aside.fact for aside in merged.unattached}
    for patient in apart.lists.values():
        heads = {p.fact for item in patient.items for p in item.prescriptions}
        assert heads <= named


def test_the_order_of_link_and_facts_does_not_matter() -> None:
    """The link first, in the middle, or last, with a restart in between: the same lists."""
    first, last = TwoPartitions(), TwoPartitions()

    first.receive([link()])
    first.receive(OTHER)
    first.restart()
    first.receive(ONE)
    last.receive([*ONE, *OTHER])
    last.restart()
    last.receive([link()])

    assert first.lists == last.lists


def test_a_link_taken_back_gives_both_lists_back() -> None:
    """After the link is retracted both lists have the lines that they would have had without it."""
    never, undone = TwoPartitions(), TwoPartitions()
    never.receive([*ONE, *OTHER])

    undone.receive([*ONE, link(), *OTHER])
    undone.restart()
    undone.receive([unlink(link())])

    for patient, made in never.lists.items():
        assert undone.lists[patient].items == made.items
