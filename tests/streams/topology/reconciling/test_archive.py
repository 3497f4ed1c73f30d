"""Patients who are not decoded: their rows are packed, all there, and make the very same lists."""

import random
from collections.abc import Callable, Mapping
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts import topics
from contracts.envelope import encode_batch
from streams.command.knowledge import reconciler
from streams.simulate.load import region_mix
from streams.topology.core import Send
from streams.topology.reconciling import core as module
from streams.topology.reconciling.archive import LOOSE_ROWS, PORTION_ROWS, Archive, StoredRows
from streams.topology.reconciling.core import ReconcilingCore
from streams.topology.rows import PlainRows

TOPICS = {name: name for name in (topics.LIST, topics.CHANGE, topics.QUARANTINE, topics.FORWARD)}
KEYS_OF_THE_REST = ["P|m", "Q|m", "\x01clock"]
Written = tuple[bytes, bytes]
names, values = st.sampled_from("abcdefghijklmnopqrstuvwxyz"), st.binary(max_size=40)
steps = st.lists(st.tuples(st.sampled_from("PQ"), st.none() | st.tuples(names, values)), max_size=200)


@given(steps=steps)
def test_every_row_is_there_in_its_last_state_however_it_is_packed(
    steps: list[tuple[str, tuple[str, bytes] | None]],
) -> None:
    """Against a plain dictionary; a step without a row packs."""
    archive = Archive()
    plain: dict[str, dict[str, bytes]] = {"P": {}, "Q": {}}
    for patient, row in steps:
        if row is None:
            archive.pack(patient)
        else:
            archive.put(patient, *row)
            plain[patient][row[0]] = row[1]
        assert archive.rows(patient) == plain[patient]
    archive.filled()
    assert {patient: archive.rows(patient) for patient in plain} == plain


written = st.lists(
    st.tuples(
        st.sampled_from(
            [f"{patient}|f|{letter}" for patient in "PQ" for letter in "abcdefghijklmnopqrstuvw"] + KEYS_OF_THE_REST
        ),
        st.none() | st.binary(max_size=40),
    ),
    max_size=200,
)


@given(written=written)
def test_rows_read_back_in_portions_are_the_newest_of_each_key(written: list[tuple[str, bytes | None]]) -> None:
    """Whatever was written, again and again, deleted and not: packed as it comes it is what a plain dictionary says."""
    stored, plain = StoredRows(), PlainRows()
    for key, row in written:
        stored.put(key.encode(), row)
        plain.put(key.encode(), row)

    as_they_come = dict(stored)
    stored.archive.filled()

    assert as_they_come == dict(plain)
    assert dict(stored) == dict(plain)
    assert (len(stored), bool(plain)) == (len(plain), bool(stored))


def test_of_what_is_read_back_no_more_than_a_portion_lies_unpacked() -> None:
    """A patient's rows are packed while they come: what a start needs is near what it leaves behind."""
    stored = StoredRows()
    row = b'{"specversion":"1.0","source":"hospital","type":"medlist.administration.v1","number":%d}'
    most = 0

    for number in range(40 * PORTION_ROWS + 1):
        stored.put(b"P|f|%d" % number, row % number)
        most = max(most, stored.archive.bytes_held)
    stored.archive.filled()

    assert most < stored.archive.bytes_held + PORTION_ROWS * len(row % number)
    assert most < stored.size / 5


def test_what_is_alike_takes_little_room() -> None:
    """Rows of one patient repeat each other: packed they take less than a fifth."""
    archive = Archive()
    row = b'{"specversion":"1.0","source":"hospital","type":"medlist.administration.v1","number":%d}'
    for number in range(LOOSE_ROWS):
        archive.put("P", str(number), row % number)
    loose = archive.bytes_held

    archive.pack("P")

    assert archive.bytes_held < loose / 5
    assert archive.rows("P") == {str(number): row % number for number in range(LOOSE_ROWS)}


def sent_of(batches: list[bytes], kept: Callable[[list[Written]], Mapping[bytes, bytes]] = dict) -> list[Send]:
    """Everything that a core sends for these records, one by one, with a restart from its rows in the middle.

    `kept` makes what the core is then loaded from, of all rows in the order in which they were written.
    """
    rows: list[Written] = []
    sent: list[Send] = []
    core = ReconcilingCore(reconciler(), TOPICS, lambda _: True)
    for number, batch in enumerate(batches):
        if number == len(batches) // 2:
            core = ReconcilingCore(reconciler(), TOPICS, lambda _: True)
            core.load(kept(rows))
        decision = core.apply([batch])
        rows += [(key, value) for key, value in decision.rows.items() if value is not None]
        sent += decision.sends
    return sent


def streamed(rows: list[Written]) -> StoredRows:
    """Rows as they are read back, also those that were written again later."""
    stored = StoredRows()
    for key, row in rows:
        stored.put(key, row)
    return stored


def compacted(rows: list[Written]) -> StoredRows:
    """The same when the broker has thrown away what was written again, and the rows come in another order."""
    newest = list(dict(rows).items())
    random.Random(len(newest)).shuffle(newest)
    return streamed(newest)


@pytest.mark.parametrize("kept", [streamed, compacted])
def test_a_core_loaded_while_its_rows_come_goes_on_as_one_loaded_from_all_of_them(
    kept: Callable[[list[Written]], StoredRows],
) -> None:
    """Every list and change after the restart is the same, to the byte."""
    facts = list(islice(region_mix(20261122), 1200))
    batches = [encode_batch(facts[at : at + 10]) for at in range(0, len(facts), 10)]

    assert sent_of(batches, kept) == sent_of(batches)


def test_patients_who_were_forgotten_and_come_back_get_the_same_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    """With room for next to nobody, every list and change is what it is when everybody is kept in mind."""
    facts = list(islice(region_mix(20261122), 1200))
    batches = [encode_batch(facts[at : at + 10]) for at in range(0, len(facts), 10)]
    expected = sent_of(batches)

    monkeypatch.setattr(module, "REMEMBERED_FACTS", 30)

    assert sent_of(batches) == expected
