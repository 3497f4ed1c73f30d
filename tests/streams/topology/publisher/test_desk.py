"""The desk: newest wins, one attempt per patient, in order of arrival."""

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from streams.publish.desired import Desired
from streams.publish.execute import Job
from streams.topology.publisher.desk import Desk, Place, Task

JOB = Job(desired=Desired(patient="p", person=None), list_hash="h")


def task(patient: str, offset: int, partition: int = 0) -> Task:
    """A list of a patient at an offset."""
    return Task(patient=patient, place=Place(partition, offset), job=JOB, wanted="w")


def test_a_newer_list_replaces_the_one_that_waits() -> None:
    """The replaced one is told, so that its offset is done with."""
    desk = Desk(parallel=1)
    desk.arrived(task("a", 1), 0.0)

    replaced = desk.arrived(task("a", 2), 0.0)

    found = desk.next_due(0.0)
    assert replaced == Place(0, 1)
    assert found is not None
    assert found.place == Place(0, 2)
    assert desk.next_due(0.0) is None


def test_one_patient_is_never_worked_on_twice_at_a_time() -> None:
    """A list that comes meanwhile waits for the attempt under way; others do not."""
    desk = Desk(parallel=5)
    desk.arrived(task("a", 1), 0.0)
    first = desk.next_due(0.0)
    assert first is not None
    desk.arrived(task("a", 2), 0.0)
    desk.arrived(task("b", 3), 0.0)

    other = desk.next_due(0.0)
    assert other is not None
    assert other.patient == "b"
    assert desk.next_due(0.0) is None
    desk.ended(first)
    last = desk.next_due(0.0)
    assert last is not None
    assert last.place == Place(0, 2)


def test_a_failed_attempt_waits_for_its_time() -> None:
    """And is then due again."""
    desk = Desk(parallel=1)
    desk.arrived(task("a", 1), 0.0)
    failed = desk.next_due(0.0)
    assert failed is not None

    assert desk.try_again(failed, 5.0) is True

    assert desk.next_due(4.9) is None
    assert desk.next_due(5.0) is failed


def test_a_list_that_came_during_a_failed_attempt_is_due_at_once() -> None:
    """The failed one is done with: nobody wants the older state any more."""
    desk = Desk(parallel=1)
    desk.arrived(task("a", 1), 0.0)
    failed = desk.next_due(0.0)
    assert failed is not None
    desk.arrived(task("a", 2), 1.0)

    assert desk.try_again(failed, 60.0) is False

    newer = desk.next_due(1.0)
    assert newer is not None
    assert newer.place == Place(0, 2)


def test_partitions_that_go_take_what_waits_with_them() -> None:
    """What is under way is left to end by itself."""
    desk = Desk(parallel=1)
    desk.arrived(task("a", 1, partition=0), 0.0)
    desk.arrived(task("b", 1, partition=1), 0.0)
    flying = desk.next_due(0.0)
    desk.arrived(task("c", 2, partition=0), 0.0)

    desk.drop_partitions([0])

    assert flying is not None
    assert desk.flying_of([0]) == 1
    desk.ended(flying)
    rest = desk.next_due(0.0)
    assert rest is not None
    assert rest.patient == "b"
    assert desk.waiting == 0


class DeskMachine(RuleBasedStateMachine):
    """Whatever comes in whatever order: every offset is done with exactly once, and the newest is never lost."""

    def __init__(self) -> None:
        super().__init__()
        self.desk = Desk(parallel=2)
        self.offset = 0
        self.open: set[int] = set()
        self.newest: dict[str, int] = {}
        self.flying: list[Task] = []
        self.settled: dict[str, int] = {}

    def done_with(self, place: Place | None) -> None:
        """An offset is done with, once."""
        if place is not None:
            self.open.remove(place.offset)

    @rule(patient=st.sampled_from("abc"))
    def arrive(self, patient: str) -> None:
        """A list comes."""
        self.offset += 1
        self.open.add(self.offset)
        self.newest[patient] = self.offset
        self.done_with(self.desk.arrived(task(patient, self.offset), float(self.offset)))

    @rule()
    def begin(self) -> None:
        """A hand is free."""
        found = self.desk.next_due(1e9)
        if found is not None:
            assert found.patient not in {one.patient for one in self.flying}
            self.flying.append(found)

    @rule(fails=st.booleans(), index=st.integers(0, 1))
    def end(self, *, fails: bool, index: int) -> None:
        """An attempt ends."""
        if index >= len(self.flying):
            return
        ended = self.flying.pop(index)
        if fails and self.desk.try_again(ended, 0.0):
            return
        if not fails:
            self.desk.ended(ended)
            self.settled[ended.patient] = ended.place.offset
        self.done_with(ended.place)

    @invariant()
    def nothing_is_lost(self) -> None:
        """The newest list of a patient is open until it is settled, and at most one older is under way."""
        assert len(self.flying) <= 2
        assert len(self.open) == self.desk.waiting + self.desk.flying
        for patient, newest in self.newest.items():
            assert newest in self.open or self.settled[patient] == newest


TestDesk = DeskMachine.TestCase


@given(st.lists(st.sampled_from("abcdef"), max_size=500))
def test_replaced_lists_do_not_pile_up(arrivals: list[str]) -> None:
    """Memory follows the patients that wait, not the lists that came."""
    desk = Desk(parallel=1)

    for offset, patient in enumerate(arrivals):
        desk.arrived(task(patient, offset), 0.0)

    assert desk.waiting == len(set(arrivals))
    assert len(desk._due) <= 64 + 2 * 6 + 1
