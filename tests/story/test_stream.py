"""The story through real Kafka and medlist's own processes: one list, whatever the order, and whatever is killed."""

import random
import signal
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from contracts.medication_list import decode_list
from streams.command.demo.expectation import brief, expected
from streams.command.demo.story import load_story
from tests.story.region import Region, stop

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.xdist_group("story")]

STORY = load_story()
Start = Callable[[str], Region]


@pytest.fixture(scope="module")
def start(kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Make a region of a name of its own."""
    prefix = f"t{uuid.uuid4().hex[:10]}."
    with ExitStack() as stack:
        yield lambda name: stack.enter_context(Region(kafka, f"{prefix}{name}.", tmp_path_factory.mktemp(name)))


@pytest.fixture(scope="module")
def undisturbed(start: Start) -> bytes:
    """The list of the story as it was told, with nothing in its way."""
    return through(start("undisturbed"), [*range(len(STORY))])


def through(region: Region, story: list[int]) -> bytes:
    """Send these deliveries through a region's intake and reconciler; the list in the end."""
    processes = [region.run("intake"), region.run("reconciler")]
    sent = region.send(STORY[number] for number in story)
    encoded = region.wait_for_the_list(sent)
    assert [stop(process) for process in processes] == [0, 0]
    return encoded


def test_the_story_in_order_and_shuffled_with_repetitions_gives_one_list(start: Start, undisturbed: bytes) -> None:
    """On real brokers and with real processes the list record is the same to the byte, and the expected one."""
    in_order = [*range(len(STORY))]
    shuffled = [*in_order, *in_order[::2]]
    random.Random(4).shuffle(shuffled)

    other = through(start("shuffled"), shuffled)

    assert other == undisturbed
    assert brief(decode_list(undisturbed)) == expected(len(STORY))


def test_a_reconciler_killed_in_the_middle_of_the_story_ends_in_the_same_list(start: Start, undisturbed: bytes) -> None:
    """`kill -9` once some of what was sent is applied, twice, and started again: nothing is lost, nothing counts twice."""
    region = start("killed")
    region.run("intake")
    reconciler = region.run("reconciler")
    killed = region.wait_for_the_list(region.send(STORY[:6]))
    for part in (STORY[6:12], STORY[12:]):
        before = region.applied()
        sent = region.send(part)
        region.wait_until_applied(before)
        reconciler.send_signal(signal.SIGKILL)
        reconciler.wait()
        reconciler = region.run("reconciler")
        killed = region.wait_for_the_list(sent)

    assert killed == undisturbed
