"""Patients who are not decoded: their rows are packed, all there, and make the very same lists."""

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
from streams.topology.reconciling.archive import LOOSE_ROWS, Archive
from streams.topology.reconciling.core import ReconcilingCore

TOPICS = {name: name for name in (topics.LIST, topics.CHANGE, topics.QUARANTINE, topics.FORWARD)}
names, values = st.sampled_from("abcdefghijklmnopqrstuvwxyz"), st.binary(max_size=40)
steps = st.lists(st.tuples(st.sampled_from("PQ"), st.none() | st.tuples(names, values)), max_size=200)


@given(steps=steps)
def test_every_row_is_there_in_its_last_state_however_it_is_packed(
    steps: list[tuple[str, tuple[str, bytes] | None]],
) -> None:
    """Against a plain dictionary; a step without a row packs."""
    archive, plain = Archive(), {"P": {}, "Q": {}}  # type: ignore[var-annotated]
    for patient, row in steps:
        if row is None:
            archive.pack(patient)
        else:
            archive.put(patient, *row)
            plain[patient][row[0]] = row[1]
        assert archive.rows(patient) == plain[patient]
    archive.pack_all()
    assert {patient: archive.rows(patient) for patient in plain} == plain


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


def sent_of(batches: list[bytes]) -> list[Send]:
    """Everything that a core sends for these records, one by one, with a restart from its rows in the middle."""
    rows: dict[bytes, bytes | None] = {}
    sent: list[Send] = []
    core = ReconcilingCore(reconciler(), TOPICS, lambda _: True)
    for number, batch in enumerate(batches):
        if number == len(batches) // 2:
            core = ReconcilingCore(reconciler(), TOPICS, lambda _: True)
            core.load({key: value for key, value in rows.items() if value is not None})
        decision = core.apply([batch])
        rows |= decision.rows
        sent += decision.sends
    return sent


def test_patients_who_were_forgotten_and_come_back_get_the_same_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    """With room for next to nobody, every list and change is what it is when everybody is kept in mind."""
    facts = list(islice(region_mix(20261122), 1200))
    batches = [encode_batch(facts[at : at + 10]) for at in range(0, len(facts), 10)]
    expected = sent_of(batches)

    monkeypatch.setattr(module, "REMEMBERED_FACTS", 30)

    assert sent_of(batches) == expected
