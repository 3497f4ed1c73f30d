"""The story through real Kafka and medlist's own processes: one list, whatever the order, and whatever is killed."""

import random
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from contracts.medication_list import decode_list
from streams.command.demo.expectation import brief, expected
from streams.command.demo.story import load_story
from tests.story.region import Region, stop

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

STORY = load_story()
Start = Callable[[str], Region]


@pytest.fixture
def start(kafka: str, topic_prefix: str, tmp_path: Path) -> Iterator[Start]:
    """Make a region of a name of its own."""
    with ExitStack() as stack:

        def make(name: str) -> Region:
            directory = tmp_path / name
            directory.mkdir()
            return stack.enter_context(Region(kafka, f"{topic_prefix}{name}.", directory))

        yield make


def through(region: Region, story: list[int]) -> bytes:
    """Send these deliveries through a region's intake and reconciler; the list in the end."""
    processes = [region.run("intake"), region.run("reconciler")]
    sent = region.send(STORY[number] for number in story)
    encoded = region.wait_for_the_list(sent)
    assert [stop(process) for process in processes] == [0, 0]
    return encoded


def test_the_story_in_order_and_shuffled_with_repetitions_gives_one_list(start: Start) -> None:
    """On real brokers and with real processes the list record is the same to the byte, and the expected one."""
    in_order = list(range(len(STORY)))
    shuffled = [*in_order, *in_order[::2]]
    random.Random(4).shuffle(shuffled)

    one = through(start("ordered"), in_order)
    other = through(start("shuffled"), shuffled)

    assert other == one
    assert brief(decode_list(one)) == expected(len(STORY))


def test_a_reconciler_killed_in_the_middle_of_the_story_ends_in_the_same_list(start: Start) -> None:
    """`kill -9` under way, twice, and started again: nothing is lost, nothing counts twice."""
    undisturbed = through(start("undisturbed"), list(range(len(STORY))))

    region = start("killed")
    region.run("intake")
    reconciler = region.run("reconciler")
    sent = region.send(STORY[:6])
    region.wait_until_answered(sent)
    region.wait_until_something_is_applied()
    for part in (STORY[6:12], STORY[12:]):
        sent = region.send(part)
        reconciler.send_signal(signal.SIGKILL)
        reconciler.wait()
        reconciler = region.run("reconciler")
    killed = region.wait_for_the_list(sent)

    assert killed == undisturbed
