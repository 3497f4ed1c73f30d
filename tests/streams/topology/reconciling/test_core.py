"""The reconciler as a core: what it stores and sends, that its rows are enough, and that time comes in as data."""

import random
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec
import pytest

from contracts import topics
from contracts.envelope import encode_batch
from contracts.fact import Fact
from contracts.medication_list import Change, MedicationList, decode_list
from streams.command.demo.story import load_story
from streams.command.knowledge import reconciler
from streams.topology.core import Decision
from streams.topology.reconciling.core import ReconcilingCore, tick_record
from tests.story.offline import facts_of

TOPICS = {name: f"p.{name}" for name in (topics.LIST, topics.CHANGE, topics.QUARANTINE, topics.FORWARD)}
FACTS = facts_of(load_story())
PATIENT = FACTS[0].patient


class Partition:
    """A core with its stored rows, and everything it has sent."""

    def __init__(self, mine: str = PATIENT) -> None:
        self._mine = mine
        self.rows: dict[bytes, bytes] = {}
        self.sent: list[tuple[str, bytes | None, bytes | None]] = []
        self.core = self._new()

    def _new(self) -> ReconcilingCore:
        return ReconcilingCore(reconciler(), TOPICS, lambda patient: patient == self._mine)

    def apply(self, *records: bytes) -> Decision:
        """Apply records, as the engine would."""
        decision = self.core.apply(records)
        for key, value in decision.rows.items():
            assert value is not None
            self.rows[key] = value
        self.sent += [(send.topic, send.key, send.value) for send in decision.sends]
        return decision

    def restart(self) -> None:
        """Start anew from the stored rows."""
        self.core = self._new()
        self.core.load(dict(self.rows))

    def newest(self) -> bytes:
        """The newest list."""
        return [value for topic, _, value in self.sent if topic == TOPICS[topics.LIST] and value is not None][-1]


def one_by_one(partition: Partition, facts: Sequence[Fact], *, restarting: bool = False) -> bytes:
    """The newest list after every fact came as a record of its own."""
    for fact in facts:
        if restarting:
            partition.restart()
        partition.apply(encode_batch([fact]))
    return partition.newest()


def states(one: MedicationList) -> dict[str | None, str]:
    """Each line's state."""
    return {item.product: item.state for item in one.items}


@pytest.mark.parametrize("seed", range(5))
def test_order_repetition_and_restarts_do_not_matter(seed: int) -> None:
    """Shuffled, repeated, and restarted from its rows before every fact, the core ends with byte-identical lists."""
    shuffled = [*FACTS, *FACTS[::3]]
    random.Random(seed).shuffle(shuffled)

    in_order = one_by_one(Partition(), FACTS)
    otherwise = one_by_one(Partition(), shuffled, restarting=True)

    assert otherwise == in_order


def test_one_batch_gives_the_list_of_many_records() -> None:
    """How facts are packed into records does not matter."""
    many, one = Partition(), Partition()

    in_many = one_by_one(many, FACTS)
    one.apply(encode_batch(FACTS))

    assert one.newest() == in_many


def test_what_is_known_already_sends_and_stores_nothing() -> None:
    """A repeated record changes nothing, so nothing goes out."""
    partition = Partition()
    one_by_one(partition, FACTS)

    again = partition.apply(encode_batch(FACTS))

    assert (dict(again.rows), list(again.sends)) == ({}, [])


def test_a_change_tells_what_changed_and_which_facts_brought_it() -> None:
    """Beside the list goes what changed on it."""
    partition = Partition()

    partition.apply(encode_batch(FACTS[:1]))

    changes = [value for topic, _, value in partition.sent if topic == TOPICS[topics.CHANGE] and value is not None]
    told = [msgspec.json.decode(value, type=Change) for value in changes]
    assert [(change.kind, change.facts) for change in told] == [("appeared", (FACTS[0].id,))]


def test_other_partitions_patients_are_left_alone() -> None:
    """A fact of a patient who belongs elsewhere changes the clock and nothing else."""
    partition = Partition(mine="somebody else")

    decision = partition.apply(encode_batch(FACTS))

    assert list(decision.sends) == []
    assert len(decision.rows) == 1


def test_a_record_that_is_no_batch_goes_to_quarantine_and_stops_nothing() -> None:
    """Bad data on the fact topic is told, and what comes after it is applied."""
    partition = Partition()

    partition.apply(b'[{"specversion": "1.0"}]', encode_batch(FACTS[:1]))

    assert next(topic for topic, _, _ in partition.sent) == TOPICS[topics.QUARANTINE]
    assert states(decode_list(partition.newest())) == {"Seloken ZOC 50 mg": "active"}


def test_a_list_changes_by_itself_when_it_is_told_the_time() -> None:
    """A planned order becomes active at its start, by a tick; the core says when it wants one, and never before."""
    partition = Partition()
    one_by_one(partition, FACTS[:7])
    due = partition.core.next_wake()
    assert due is not None

    early = partition.apply(tick_record(due - timedelta(seconds=1)))
    partition.apply(tick_record(due))

    assert list(early.sends) == []
    assert states(decode_list(partition.newest()))["Cefotaxim Stragen 1 g"] == "active"
    assert partition.core.next_wake() != due


def test_the_time_is_kept_over_a_restart_and_never_goes_back() -> None:
    """A late fact does not take the list back to the time at which it was received."""
    partition = Partition()
    one_by_one(partition, FACTS)
    newest = max(fact.received_at for fact in FACTS)
    later = newest + timedelta(days=1)
    partition.apply(tick_record(later))

    partition.restart()
    partition.apply(encode_batch(FACTS[:1]), tick_record(newest))

    assert _clock(partition.rows) == later


def test_new_rules_make_every_list_anew() -> None:
    """Rows that were made under other rules are due at once, so that a change of rules reaches every patient."""
    partition = Partition()
    one_by_one(partition, FACTS)
    key = f"{PATIENT}|m".encode()
    mark = msgspec.msgpack.decode(partition.rows[key])
    partition.rows[key] = msgspec.msgpack.encode([*mark[:2], "other rules", *mark[3:]])

    partition.restart()

    wake = partition.core.next_wake()
    assert wake is not None
    assert wake <= max(fact.received_at for fact in FACTS)


def _clock(rows: dict[bytes, bytes]) -> datetime:
    return datetime.fromisoformat(msgspec.json.decode(rows[b"\x01clock"])["tick"])


def test_conflicts_on_the_lists_that_are_sent_are_counted() -> None:
    """A figure by code of finding, and nothing of the patient; a list that was not sent counts nothing."""
    partition = Partition()
    decisions = [partition.apply(encode_batch([fact])) for fact in FACTS]

    lists = [decode_list(value) for topic, _, value in partition.sent if topic == TOPICS[topics.LIST] and value]
    expected = Counter(found.code for one in lists for found in one.findings if found.conflict)
    counted: Counter[str] = Counter()
    for decision in decisions:
        counted.update(decision.conflicts)
    assert counted == expected
    assert counted
