"""Packing: every fact in each of its patients' partitions once, in records that are small enough."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from connectors.pseudonym import partition_of
from contracts.envelope import decode_batch, encode_batch, encode_fact
from contracts.fact import Fact, Origin, make_fact
from contracts.facts.reported_use import ReportedUse
from contracts.systems import PERSONNUMMER
from contracts.values import Identifier, Medication
from streams.topology.intake.interpreting import EncodedFact
from streams.topology.intake.limits import IntakeLimits
from streams.topology.intake.packing import pack

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)
PARTITIONS = 4
LIMITS = IntakeLimits(pack_facts=5, record_bytes=2_000)


def fact(name: str, patient: str = "p", *, filler: int = 0, received_at: datetime = NOW) -> Fact:
    """A fact of a patient."""
    use = ReportedUse(
        person=Identifier(system=PERSONNUMMER, value="191212121212"),
        medication=Medication(kind="free-text", text="x" * filler),
        status="taking",
        informant="patient",
    )
    return make_fact(Origin(source="hospital", source_id=name, patient=patient), use, received_at)


def encoded(said: Fact, *others: str) -> EncodedFact:
    """The fact ready to be packed, also for other patients' partitions."""
    return EncodedFact(said.id, (said.patient, *others), said.received_at, encode_fact(said))


def test_a_record_is_a_batch_as_the_envelope_writes_it() -> None:
    """Packing joins encoded facts; the bytes are those of `encode_batch`."""
    said = [fact("a"), fact("b")]

    packed = pack(map(encoded, said), PARTITIONS, LIMITS)

    assert packed == {partition_of("p", PARTITIONS): [encode_batch(said)]}


def test_what_waits_together_goes_together() -> None:
    """Facts of several patients of one partition share a record; nothing is sent to the other partitions."""
    said = [fact("a", "p"), fact("b", "q")]

    packed = pack(map(encoded, said), 1, LIMITS)

    assert [len(decode_batch(record)) for record in packed[0]] == [2]


def test_a_fact_of_two_patients_stands_in_both_partitions() -> None:
    """A link is told to both; where both have one partition it stands there once."""
    other = next(name for name in "abcdefgh" if partition_of(name, PARTITIONS) != partition_of("p", PARTITIONS))
    link = encoded(fact("link"), other)

    apart, together = pack([link], PARTITIONS, LIMITS), pack([link], 1, LIMITS)

    assert set(apart) == {partition_of("p", PARTITIONS), partition_of(other, PARTITIONS)}
    assert all(
        len(decode_batch(record)) == 1 for records in (*apart.values(), *together.values()) for record in records
    )


def test_of_equal_facts_the_one_received_first_is_kept() -> None:
    """Duplicates within a batch are dropped, whatever their order, and the knowledge axis keeps the earlier time."""
    early, late = fact("a", received_at=NOW - timedelta(hours=1)), fact("a")

    packed = [pack(map(encoded, order), 1, LIMITS) for order in ([early, late], [late, early])]

    assert [decode_batch(p[0][0]) for p in packed] == [[early], [early]]


def test_no_facts_make_no_record() -> None:
    """An empty batch is never sent."""
    assert pack([], PARTITIONS, LIMITS) == {}


@given(st.lists(st.tuples(st.integers(0, 60), st.sampled_from("pqrst"), st.integers(0, 1_200)), max_size=40))
def test_nothing_is_lost_and_no_record_is_too_large(rows: list[tuple[int, str, int]]) -> None:
    """Over all records each distinct fact stands once, in its patient's partition, within both limits."""
    said = [fact(str(number), patient, filler=filler) for number, patient, filler in rows]

    packed = pack(map(encoded, said), PARTITIONS, LIMITS)

    found = Counter(
        (partition, there.id)
        for partition, records in packed.items()
        for record in records
        for there in decode_batch(record)
    )
    assert found == Counter({(partition_of(f.patient, PARTITIONS), f.id) for f in said})
    for record in (record for records in packed.values() for record in records):
        assert len(record) <= LIMITS.record_bytes
        assert 1 <= len(msgspec.json.decode(record)) <= LIMITS.pack_facts
