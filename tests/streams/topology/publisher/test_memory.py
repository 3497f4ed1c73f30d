"""What the publisher remembers of a patient, and what it may conclude from it."""

from datetime import UTC, datetime
from typing import Any

from contracts.publication import HeldBack, Link, Publication, Sending, Written, decode_publication, encode_publication
from streams.publish.writes import Writes, writes_of
from streams.topology.publisher.memory import Memory

EARLY, LATE = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 2, tzinfo=UTC)
LINK = Link(record="r", id="f-1", ours=True, version="2")


def publication(**more: Any) -> Publication:
    """A settled publication."""
    usual: dict[str, Any] = {
        "patient": "a",
        "state": "published",
        "list_hash": "h1",
        "wanted_hash": "w1",
        "since": EARLY,
        "links": (LINK,),
    }
    return Publication(**(usual | more))


def test_a_state_holds_since_it_began() -> None:
    """Telling it again does not make it younger; another state does."""
    memory = Memory(10)
    memory.told(publication())

    assert memory.told(publication(since=LATE)).since == EARLY
    assert memory.told(publication(since=LATE, state="failing")).since == LATE


def test_a_new_process_knows_since_when_a_patient_is_not_published_and_nothing_more() -> None:
    """What an earlier one settled it may have changed in the middle of the next list: that is read again."""
    memory = Memory(10)
    memory.recall([publication(state="parked"), publication(patient="b")])

    assert memory.unchanged("a", "w1", "h2", LATE) is None
    assert memory.known("b") == ((), "unseen")
    assert memory.told(publication(state="parked", since=LATE)).since == EARLY
    assert memory.told(publication(patient="b", since=LATE)).since == LATE


def test_what_another_process_told_meanwhile_replaces_what_was_settled_here() -> None:
    """The partition went and came back: in between another list was brought about, which this process has not seen."""
    memory = Memory(10)
    memory.told(publication())
    memory.told(publication(patient="b"))
    memory.recall([publication(list_hash="h9", wanted_hash="w9"), publication(patient="b")])

    assert memory.unchanged("a", "w1", "h2", LATE) is None
    assert memory.known("a") == ((), "unseen")
    assert memory.unchanged("b", "w1", "h2", LATE) is not None


def test_how_many_are_not_published_now_is_known() -> None:
    """By state: told here, or by an earlier process; also of patients whose publication was forgotten."""
    memory = Memory(1)
    memory.recall([publication(patient="a", state="parked"), publication(patient="b", state="failing")])
    memory.told(publication(patient="b", state="parked"))
    memory.told(publication(patient="c", state="parked"))
    memory.told(publication(patient="d"))
    before = dict(memory.unpublished)
    memory.told(publication(patient="a"))
    memory.forget("b")

    assert before == {"parked": 3, "failing": 0}
    assert dict(memory.unpublished) == {"parked": 1, "failing": 0}


def test_what_was_forgotten_keeps_since_when_it_is_parked() -> None:
    """Telling it again does not make it younger, however many were told of in between."""
    memory = Memory(1)
    memory.told(publication(state="parked"))
    memory.told(publication(patient="b"))

    assert memory.told(publication(since=LATE, state="parked")).since == EARLY


def test_partitions_that_went_are_counted_by_their_next_owner() -> None:
    """And again here when they come back."""
    memory = Memory(10)
    parked = [publication(patient="a", state="parked"), publication(patient="b", state="parked")]
    memory.recall(parked)

    memory.keep(lambda patient: patient == "a")
    without = memory.unpublished["parked"]
    memory.recall(parked)

    assert (without, memory.unpublished["parked"]) == (1, 2)


WRITES = Writes(written=(Written(id="f-1", version="2", content="c"),), sending=(Sending(id="f-1", onto="2"),))


def test_which_versions_are_ours_outlives_the_process_and_whatever_is_forgotten() -> None:
    """It stands on the topic before anything is written, and is kept of every patient, also those that memory forgets."""
    memory = Memory(1)
    memory.recall([publication(written=WRITES.written, sending=WRITES.sending), publication(patient="b")])
    memory.told(publication(patient="b"))
    memory.told(publication(patient="c"))

    assert memory.writes("a") == WRITES
    assert memory.writes("b") == Writes()
    told = memory.told(publication())
    assert (told.written, told.sending) == (WRITES.written, WRITES.sending)
    assert memory.told(publication(), Writes()).sending == ()
    memory.announced(publication(), WRITES)
    memory.forget("a")
    assert memory.writes("a") == Writes()


def test_what_is_announced_leaves_the_last_publication_as_it_was() -> None:
    """A patient stands as before until the writes are over; of one that nothing was told, a list waits."""
    memory = Memory(10)
    memory.told(publication())

    known = memory.announced(publication(state="pending", links=()), WRITES)
    new = memory.announced(publication(patient="b", state="pending", links=()), WRITES)

    assert (known.state, known.links, known.sending) == ("published", (LINK,), WRITES.sending)
    assert (new.state, new.written) == ("pending", WRITES.written)


def test_what_was_held_since_another_changed_it_is_looked_at_again() -> None:
    """Though the list asks for the same, the other may have changed it back."""
    memory = Memory(10)
    memory.told(publication(held=(HeldBack(record="r", reason="changed-there"),)))

    assert memory.unchanged("a", "w1", "h2", LATE) is None


def test_a_record_of_an_earlier_release_can_be_read() -> None:
    """It tells nothing of our writes."""
    old = b'{"patient":"a","state":"published","list_hash":"h","since":"2026-03-01T00:00:00Z"}'

    assert writes_of(decode_publication(old)) == Writes()


def test_a_state_that_changed_over_a_restart_began_then() -> None:
    """Failing before, parked now; and what was learnt once is not used again."""
    memory = Memory(10)
    memory.recall([publication(state="failing")])

    assert memory.told(publication(state="parked", since=LATE)).since == LATE
    assert memory.told(publication(state="failing", since=LATE)).since == LATE


def test_a_list_that_asks_for_the_same_needs_nothing() -> None:
    """If the last one was settled, and only then."""
    memory = Memory(10)
    memory.told(publication())

    unchanged = memory.unchanged("a", "w1", "h2", LATE)

    assert unchanged is not None
    assert (unchanged.list_hash, unchanged.links) == ("h2", (LINK,))
    assert memory.unchanged("a", "w2", "h2", LATE) is None
    assert memory.unchanged("b", "w1", "h2", LATE) is None
    memory.told(publication(state="failing"))
    assert memory.unchanged("a", "w1", "h2", LATE) is None


def test_after_a_failure_what_is_known_stays_but_is_not_sure() -> None:
    """Nothing could be read; the links of before still say what must be there."""
    memory = Memory(10)
    memory.told(publication())
    memory.told(publication(state="failing", links=()))

    assert memory.known("a") == ((LINK,), "unknown")
    assert memory.known("stranger") == ((), "unseen")


def test_a_published_patient_is_sure_and_a_parked_one_is_not() -> None:
    """One reading is enough of the one; the other may have been parked after a write of which nobody knows what came of it."""
    memory = Memory(10)
    memory.told(publication())
    memory.told(publication(patient="b", state="parked"))

    assert memory.known("a") == ((LINK,), "settled")
    assert memory.known("b") == ((LINK,), "unknown")


def test_of_whom_a_person_doubts_it_nothing_is_sure() -> None:
    """The request would else be answered from what this process read before."""
    memory = Memory(10)
    memory.told(publication())

    memory.doubt("a")

    assert memory.known("a") == ((LINK,), "unseen")
    assert memory.unchanged("a", "w1", "h1", LATE) is None


def test_memory_is_bounded_and_forgets_the_oldest() -> None:
    """What it forgets is read again, never wrong."""
    memory = Memory(2)
    for patient in "abc":
        memory.told(publication(patient=patient))
    memory.forget("c")

    assert [memory.known(patient)[1] for patient in "abc"] == ["unseen", "settled", "unseen"]


def test_a_publication_is_read_back_as_it_was_written() -> None:
    """It is the value of the publish topic."""
    assert decode_publication(encode_publication(publication())) == publication()
