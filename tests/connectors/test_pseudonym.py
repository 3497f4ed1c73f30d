"""Pseudonyms and partitions: stable for ever, keyed, and the same as librdkafka's."""

import re
from collections import Counter
from collections.abc import Iterator

import pytest
from confluent_kafka import Message, Producer
from hypothesis import given
from hypothesis import strategies as st

from connectors.kafka.embedded import EmbeddedBroker
from connectors.pseudonym import partition_of, pseudonymiser
from contracts.systems import PERSONNUMMER, SAMORDNINGSNUMMER
from contracts.values import Identifier

KEY = b"k" * 32
PERSON = Identifier(system=PERSONNUMMER, value="191212121212")


def test_a_pseudonym_never_changes() -> None:
    """The pseudonym of a person under a key is fixed: a patient's place in every topic depends on it."""
    assert pseudonymiser(KEY)(PERSON) == "867e1295435163cc3d7d57a8669ebebb"


def test_a_pseudonym_holds_nothing_of_the_person() -> None:
    """It is 32 hexadecimal digits and does not contain the number."""
    pseudonym = pseudonymiser(KEY)(PERSON)

    assert re.fullmatch(r"[0-9a-f]{32}", pseudonym)
    assert PERSON.value not in pseudonym


def test_another_key_gives_another_pseudonym() -> None:
    """Without the key nobody can make the pseudonym of a known person number."""
    assert pseudonymiser(KEY)(PERSON) != pseudonymiser(b"l" * 32)(PERSON)


def test_the_same_digits_in_another_system_are_another_person() -> None:
    """A personnummer and a samordningsnummer are never the same person by accident."""
    pseudonym = pseudonymiser(KEY)

    assert pseudonym(PERSON) != pseudonym(Identifier(system=SAMORDNINGSNUMMER, value=PERSON.value))


@given(st.text(max_size=20), st.text(max_size=20), st.integers(0, 20))
def test_where_system_and_value_meet_matters(system: str, value: str, cut: int) -> None:
    """Two identifiers whose texts together are equal keep two pseudonyms, unless they are equal."""
    together = system + value
    one = Identifier(system=system, value=value)
    other = Identifier(system=together[:cut], value=together[cut:])
    pseudonym = pseudonymiser(KEY)

    assert (pseudonym(one) == pseudonym(other)) == (one == other)


def test_a_short_key_is_refused() -> None:
    """A key that could be tried out is no key."""
    with pytest.raises(ValueError, match="32 bytes"):
        pseudonymiser(b"k" * 31)


def test_a_partition_never_changes() -> None:
    """The partition of a pseudonym is fixed by the number of partitions."""
    pseudonym = pseudonymiser(KEY)(PERSON)

    assert {count: partition_of(pseudonym, count) for count in (1, 4, 12)} == {1: 0, 4: 0, 12: 4}


def test_patients_are_spread_evenly() -> None:
    """No partition of 12 gets more than a tenth above its share of 24,000 patients."""
    pseudonym = pseudonymiser(KEY)
    persons = (Identifier(system=PERSONNUMMER, value=str(number)) for number in range(24_000))

    shares = Counter(partition_of(pseudonym(person), 12) for person in persons)

    assert set(shares) == set(range(12))
    assert max(shares.values()) < 2_200


@pytest.fixture(scope="module")
def broker() -> Iterator[EmbeddedBroker]:
    """An embedded broker with one topic of 7 partitions."""
    with EmbeddedBroker({"t": 7}) as broker:
        yield broker


def test_librdkafka_puts_the_same_key_into_the_same_partition(broker: EmbeddedBroker) -> None:
    """A keyed record that a confluent-kafka client sends with the `consistent` partitioner meets ours."""
    pseudonym = pseudonymiser(KEY)
    keys = [pseudonym(Identifier(system=PERSONNUMMER, value=str(number))) for number in range(50)]
    seen: dict[str, int | None] = {}

    def delivered(_error: object, message: Message) -> None:
        seen[(message.key() or b"").decode()] = message.partition()

    producer = Producer({"bootstrap.servers": broker.bootstrap, "partitioner": "consistent"})
    for key in keys:
        producer.produce("t", b"x", key=key.encode(), on_delivery=delivered)
    producer.flush(10)

    assert seen == {key: partition_of(key, 7) for key in keys}
