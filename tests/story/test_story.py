"""The story as facts and lists, without any broker: one patient's week, and every order in which it may come."""

import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.fact import Fact
from contracts.facts.correction import Retraction
from contracts.medication_list import MedicationList, encode_list
from streams.command.demo.expectation import brief, expected
from streams.command.demo.story import ROOT, Delivery, load_story
from tests.story.offline import facts_of, list_of, lists_after_each, read

STORY = load_story()
FACTS = facts_of(STORY)
NOW = max(delivery.received_at for delivery in STORY)
AFTER_EACH = list(lists_after_each(STORY))


def newest(facts: list[Fact]) -> bytes:
    """The list of the end of the story, as bytes."""
    return encode_list(list_of(facts, NOW))


@pytest.mark.parametrize(("delivery", "one"), AFTER_EACH, ids=lambda value: getattr(value, "message", ""))
def test_the_list_after_each_delivery_is_the_expected_one(delivery: Delivery, one: MedicationList) -> None:
    """What a pharmacist expects after each message stands in a golden, and is what the list says."""
    assert brief(one) == expected(delivery.number)


def test_there_is_one_golden_for_each_delivery() -> None:
    """No golden is left over from an older story."""
    names = {file.name for file in (ROOT / "expected").iterdir()}

    assert names == {f"{delivery.number:02}.json" for delivery in STORY} | {"nll.json"}


def test_every_recorded_message_is_delivered() -> None:
    """Nothing of the story lies unused."""
    recorded = {folder.name for folder in ROOT.iterdir() if folder.is_dir() and folder.name != "expected"}

    assert {delivery.message for delivery in STORY} == recorded


def test_the_story_is_as_messy_as_it_claims() -> None:
    """Messages come out of order and twice, one is taken back before it comes, and one has several problems."""
    order = [delivery.message for delivery in STORY]
    problems = [len(read(delivery).problems) for delivery in STORY]
    retracted = {fact.content.target.value for fact in FACTS if isinstance(fact.content, Retraction)}
    sources = [fact.source_id for fact in FACTS]

    assert order != sorted(order)
    assert max(Counter(order).values()) > 1
    assert [count for count in problems if count] == [4]
    assert {name for name in retracted if sources.index(f"{name}/retraction") < sources.index(name)}


def test_deliveries_come_in_time_and_are_told_in_two_languages() -> None:
    """Times of receipt rise, and each delivery has a title in Swedish and in English."""
    times = [delivery.received_at for delivery in STORY]

    assert times == sorted(times)
    assert all(delivery.title["sv"] and delivery.title["en"] for delivery in STORY)


@settings(max_examples=200, derandomize=True)
@given(st.randoms(use_true_random=False), st.integers(min_value=0, max_value=20))
def test_two_hundred_orders_with_repetitions_give_one_list(shuffle: random.Random, repeated: int) -> None:
    """However the story's facts are shuffled and repeated, the list is the same to the byte."""
    facts = [*FACTS, *shuffle.choices(FACTS, k=repeated)]
    shuffle.shuffle(facts)

    assert newest(facts) == newest(FACTS)


def test_the_past_can_be_asked_for_as_it_was_known_and_as_it_is_known_now() -> None:
    """Before the late order came, the dose stood on the old order; known now, the list of then has the new one."""
    late = next(delivery for delivery in STORY if delivery.message.startswith("05-"))
    before = next(delivery for delivery in STORY if delivery.message.startswith("08-"))

    then = list_of([fact for fact in FACTS if fact.received_at < late.received_at], before.received_at)
    now = list_of(FACTS, before.received_at)

    assert "Metoprolol Sandoz 100 mg" not in {item.product for item in then.items}
    assert "Metoprolol Sandoz 100 mg" in {item.product for item in now.items}


def test_what_was_taken_back_is_on_no_line() -> None:
    """The dose that was signed on the wrong patient counts nowhere, though it came after its retraction."""
    mistaken = next(delivery for delivery in STORY if delivery.message.startswith("09-"))
    (fact,) = read(mistaken).facts

    one = list_of(FACTS, NOW)

    assert fact.id not in {name for item in one.items for name in item.facts}
    assert fact.id not in {aside.fact for aside in one.unattached}
