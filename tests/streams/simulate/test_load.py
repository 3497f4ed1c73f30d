"""Facts for measuring: any length, any amount, always the same."""

from itertools import islice

import pytest

from streams.simulate.load import history, region_mix, renamed_mix


def test_history_has_the_length_that_was_asked_for_and_the_same_treatments() -> None:
    """A longer history is a shorter one and more administrations."""
    short, long = history(10, seed=1), history(1_000, seed=1)

    assert (len(short), len(long)) == (10, 1_000)
    assert long[:10] == short
    assert len({fact.id for fact in long}) == 1_000
    assert {fact.type for fact in long[4:]} == {"medlist.administration.v1"}
    assert len({fact.patient for fact in long}) == 1


def test_history_comes_in_the_order_of_arrival() -> None:
    """Times of receipt never fall."""
    facts = history(500, seed=1)

    assert [fact.received_at for fact in facts] == sorted(fact.received_at for fact in facts)


def test_history_shorter_than_its_treatments_is_refused() -> None:
    """Four treatments need four facts."""
    with pytest.raises(ValueError, match="at least 4 facts"):
        history(3, seed=1)


def test_region_mix_goes_on_and_is_the_same_each_time() -> None:
    """The stream of a seed begins with the same facts, of many patients."""
    facts = list(islice(region_mix(2), 3_000))

    assert facts == list(islice(region_mix(2), 3_000))
    assert len({fact.patient for fact in facts}) > 20
    assert [fact.received_at for fact in facts] == sorted(fact.received_at for fact in facts)


def test_renamed_mix_repeats_few_patients_as_many_different_persons() -> None:
    """Each person has own facts under an own pseudonym; what repeats is only the ids between persons."""
    facts = list(islice(renamed_mix(2, 8, lambda person: f"p-{person.value}"), 6_000))

    assert facts == list(islice(renamed_mix(2, 8, lambda person: f"p-{person.value}"), 6_000))
    assert len({fact.patient for fact in facts}) > 32
    assert all(fact.patient == f"p-{fact.content.person.value}" for fact in facts)
