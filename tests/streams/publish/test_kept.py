"""What is not read again: a patient's list under the version under which this process knows it. Whatever raises the version is read."""

from datetime import datetime

import pytest
from aiohttp import web

from contracts.medication_list import MedicationList
from streams.publish.execute import Attempt, Executor
from streams.publish.kept import BELIEVED
from streams.publish.look import READS, Certainty
from streams.publish.writes import Writes
from tests.streams.publish.cases import (
    NOW,
    PARACETAMOL,
    PATIENT,
    READER,
    There,
    dosage,
    job,
    line,
    replaced,
    standing,
    the_list,
    withdrawn,
)
from tests.streams.publish.door import Door, after
from tests.streams.publish.test_guarding import another_changes, held, words
from tests.streams.publish.test_succession import heir, seed, theirs

ASKING = READER | {"x-request-id": "look"}
LIST = "GET /MedicationRequest"
RX = standing()


class Publishing:
    """Attempts of one process for one patient, each knowing which versions there are ours."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self._writes = Writes()
        self._number = 0

    async def of(self, wish: MedicationList, certainty: Certainty = "settled") -> Attempt:
        """Bring a list about."""
        self._number += 1
        todo = job(wish, f"h{self._number}", writes=self._writes, certainty=certainty)
        attempt = await self._executor.attempt(todo)
        self._writes = attempt.writes or self._writes
        return attempt

    async def dosed(self, number: int) -> Attempt:
        """One more change of the dose by our source."""
        return await self.of(the_list(line(replaced(RX, dosage=dosage(f"{number} tabletter", str(number))))))


class Clock:
    """The time, which a test lets pass."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        """The time."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """Stands still."""
    return Clock()


@pytest.fixture
def publishing(there: There, door: Door, clock: Clock) -> Publishing:
    """Through the door."""
    return Publishing(there.executor(clock, base=door.base))


def lists_read(door: Door) -> int:
    """How often the patient's list was read since this was asked last."""
    found = door.requests.count(LIST)
    door.requests.clear()
    return found


async def test_a_list_that_nobody_else_changed_is_not_read_again(
    there: There, door: Door, publishing: Publishing
) -> None:
    """Our own write raised its version by one, and told what it made: that is all there is to know."""
    await publishing.of(the_list(line(RX)))
    assert lists_read(door) == 1

    attempts = [await publishing.dosed(number) for number in (2, 3)]

    assert [[one.kind for one in attempt.operations] for attempt in attempts] == [["update"], ["update"]]
    assert lists_read(door) == 0
    assert await words(there) == ["3 tabletter"]


async def test_what_is_known_is_enough_to_register_another(there: There, door: Door, publishing: Publishing) -> None:
    """The search by its record comes before it, as ever."""
    await publishing.of(the_list(line(RX)))
    lists_read(door)

    both = the_list(line(RX), line(standing("rx-2", medication=PARACETAMOL)))
    attempt = await publishing.of(both)

    assert [one.kind for one in attempt.operations] == ["create"]
    assert "POST /MedicationRequest/_search" in door.requests
    assert lists_read(door) == 0


async def test_what_another_changed_is_read(there: There, door: Door, publishing: Publishing) -> None:
    """It raised the version of the list, and it stands."""
    await publishing.of(the_list(line(RX)))
    await another_changes(there)
    lists_read(door)

    attempt = await publishing.dosed(2)

    assert held(attempt) == [(RX.record, "changed-there")]
    assert door.writes == []
    assert lists_read(door) == 1
    assert await words(there) == ["3 tabletter varje kväll"]


async def test_a_patient_that_another_process_had_meanwhile_is_read(door: Door, publishing: Publishing) -> None:
    """What was known of the patient is known no longer."""
    await publishing.of(the_list(line(RX)))
    lists_read(door)

    await publishing.of(the_list(line(RX)), certainty="unseen")

    assert lists_read(door) == READS["unseen"]


async def test_of_an_erased_patient_nothing_is_kept(there: There, door: Door) -> None:
    """Neither what was read nor who it is at the endpoint."""
    executor = there.executor(base=door.base)
    publishing = Publishing(executor)
    await publishing.of(the_list(line(RX)))
    door.requests.clear()

    executor.forget(PATIENT)
    await publishing.of(the_list(line(RX)))

    assert "POST /Patient/_search" in door.requests
    assert lists_read(door) == 1


async def test_a_change_that_comes_between_the_version_and_the_write_is_read(
    there: There, door: Door, publishing: Publishing
) -> None:
    """The write names versions that are no longer those: it is refused, and what is there is read before another is tried."""
    await publishing.of(the_list(line(RX)))
    lists_read(door)
    door.faults.append(after(lambda: another_changes(there)))

    attempt = await publishing.dosed(2)

    assert held(attempt) == [(RX.record, "changed-there")]
    assert lists_read(door) == 1
    assert await words(there) == ["3 tabletter varje kväll"]


async def test_an_answer_that_tells_a_version_beyond_the_next_is_not_all_there_is(
    there: There, door: Door, publishing: Publishing
) -> None:
    """Another's change came right after ours, and the answer told the version after both."""
    await publishing.of(the_list(line(RX)))

    async def another_right_after(request: web.Request) -> web.Response:
        answer = await door.pass_on(request)
        await another_changes(there)
        version = int(answer.headers["x-medicationlist-version"])
        answer.headers["x-medicationlist-version"] = str(version + 1)
        return answer

    door.faults.append(another_right_after)
    assert (await publishing.dosed(2)).state == "published"
    lists_read(door)
    attempt = await publishing.dosed(4)

    assert held(attempt) == [(RX.record, "changed-there")]
    assert door.writes == []  # not even one that is refused
    assert lists_read(door) == 1


async def test_after_an_attempt_that_failed_it_is_read(there: There, door: Door, publishing: Publishing) -> None:
    """Nobody knows what came of its write."""
    await publishing.of(the_list(line(RX)))
    door.faults += [door.drop_after, door.drop_after]  # a broken connection is tried once more by itself
    assert (await publishing.dosed(2)).state == "failing"
    lists_read(door)

    attempt = await publishing.dosed(3)

    assert attempt.state == "published"
    assert lists_read(door) >= 1


async def test_after_a_write_that_ended_another_it_is_read(there: There, door: Door, publishing: Publishing) -> None:
    """The answer told of the new prescription, and not of what became of another region's old one."""
    await seed(there, theirs())
    new = the_list(line(heir()))
    assert [one.kind for one in (await publishing.of(new)).operations] == ["replace"]
    lists_read(door)

    await publishing.of(new)

    assert lists_read(door) == 1


async def test_of_a_patient_with_locks_everything_is_read(there: There, door: Door, publishing: Publishing) -> None:
    """Whether a lock raises the version of the list is said nowhere."""
    shown, blocked = the_list(line(RX)), the_list(withdrawn=(withdrawn(RX, "blocked"),))
    await publishing.of(shown)
    await publishing.of(blocked)
    lists_read(door)

    attempts = [await publishing.of(one) for one in (blocked, shown, shown)]

    assert [[one.kind for one in attempt.operations] for attempt in attempts] == [[], ["unlock"], []]
    assert lists_read(door) == len(attempts)


async def test_of_a_patient_whose_list_says_that_something_is_locked_everything_is_read(
    there: There, door: Door, publishing: Publishing
) -> None:
    """The lock may be another's, and as new as this reading."""
    await publishing.of(the_list(line(RX)))
    async with there.session.get(f"{there.base}/Basic?patient=p-1&code=medlistinfo", headers=ASKING) as answer:
        told = await answer.text()
    locked = told.replace('"nllPrivacyLock","valueBoolean":false', '"nllPrivacyLock","valueBoolean":true')
    assert locked != told
    door.reads["/Basic"] = [web.Response(text=locked, content_type="application/fhir+json")]
    lists_read(door)

    await publishing.dosed(2)

    assert lists_read(door) == 1


async def test_a_copy_that_lagged_behind_the_version_is_not_believed_for_ever(
    there: There, door: Door, publishing: Publishing, clock: Clock
) -> None:
    """The version was told by a copy that had another's change, the list by one that had not; our own writes go on from there."""
    await publishing.of(the_list(line(RX)))
    async with there.session.get(f"{there.base}/MedicationRequest?patient=p-1", headers=ASKING) as answer:
        lagging = await answer.text()
    await another_changes(there)
    door.reads["/MedicationRequest"] = [web.Response(text=lagging, content_type="application/fhir+json")]
    assert held(await publishing.of(the_list(line(RX)))) == []
    both = the_list(line(RX), line(standing("rx-2", medication=PARACETAMOL)))
    clock.now += BELIEVED / 2
    assert [one.kind for one in (await publishing.of(both)).operations] == ["create"]

    clock.now += BELIEVED / 2
    attempt = await publishing.of(both)

    assert held(attempt) == [(RX.record, "changed-there")]


async def test_where_the_endpoint_tells_no_version_the_list_is_read(
    there: There, door: Door, publishing: Publishing
) -> None:
    """None told looks like that of a list that does not exist yet: it stays the same whoever changes what."""
    silent = b'{"resourceType":"Bundle","type":"searchset"}'
    door.reads["/Basic"] = [web.Response(body=silent, content_type="application/fhir+json") for _ in range(4)]
    await publishing.of(the_list(withdrawn=(withdrawn(RX, "retracted"),)))
    await seed(there, theirs())
    lists_read(door)

    await publishing.of(the_list(withdrawn=(withdrawn(RX, "retracted"),)))

    assert lists_read(door) == 1
