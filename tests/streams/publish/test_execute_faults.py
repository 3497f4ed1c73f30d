"""The executor when things go wrong on the way: it reads before it writes again, and writes nothing twice."""

import asyncio
import base64
from collections.abc import Callable
from datetime import UTC, datetime

import msgspec
import pytest
from aiohttp import web

from contracts.publication import Link
from mappings.fhir.exact_json import write_json
from tests.streams.publish.cases import READER, There, dosage, job, line, replaced, standing, the_list
from tests.streams.publish.door import Door, Fault, after, answers

ONE = job(the_list(line(standing())))
DOUBLED = job(the_list(line(replaced(standing(), dosage=dosage("2 tabletter", "2")))), "h2", certainty="unknown")
PROVENANCE = base64.b64encode(
    write_json(
        {
            "resourceType": "Provenance",
            "activity": {"coding": [{"code": "UPPDATERA_FORSKRIVNING"}]},
            "agent": [{"type": {"coding": [{"code": "author"}]}, "who": {"display": "tests"}}],
        }
    )
).decode()


async def test_a_create_whose_answer_was_lost_is_found_and_not_repeated(there: There, door: Door) -> None:
    """No answer means unknown: the next attempt looks for the record and finds it."""
    door.faults.append(door.drop_after)
    executor = there.executor(base=door.base)

    lost = await executor.attempt(ONE)
    found = await executor.attempt(ONE)

    assert (lost.state, [one.code for one in lost.problems]) == ("failing", ["no-answer"])
    assert (found.state, found.operations) == ("published", ())
    assert len(door.writes) == 1
    assert len(await there.prescriptions()) == 1


async def test_a_create_that_never_arrived_is_sent_again_under_the_same_id(there: There, door: Door) -> None:
    """The retry is the same request: an endpoint that saw both would answer both alike."""
    door.faults.append(door.drop_before)
    executor = there.executor(base=door.base)

    lost = await executor.attempt(ONE)
    sent = await executor.attempt(ONE)

    assert (lost.state, sent.state) == ("failing", "published")
    assert len(set(door.request_ids)) == 1
    assert len(door.request_ids) == 2
    assert len(await there.prescriptions()) == 1


async def test_an_update_whose_answer_was_lost_is_not_repeated(there: There, door: Door) -> None:
    """The new version is there: nothing is left to do. It is lost twice, since the HTTP library repeats a PUT once."""
    await there.executor().attempt(ONE)
    wish = job(the_list(line(replaced(standing(), dosage=dosage("2 tabletter", "2")))), "h2")
    door.faults.extend([door.drop_after, door.drop_after])
    executor = there.executor(base=door.base)

    lost = await executor.attempt(wish)
    found = await executor.attempt(wish)

    assert (lost.state, found.state, found.operations) == ("failing", "published", ())
    assert await there.versions("f-1") == 2


@pytest.mark.parametrize("status", [409, 412])
async def test_a_stale_version_is_read_again_and_planned_anew(there: There, door: Door, status: int) -> None:
    """Both codes mean the same; the attempt goes on by itself."""
    door.faults.append(answers(status))

    attempt = await there.executor(base=door.base).attempt(ONE)

    assert (attempt.state, len(attempt.operations)) == ("published", 1)
    assert len(await there.prescriptions()) == 1


async def test_a_change_by_somebody_else_meanwhile_is_kept(there: There, door: Door) -> None:
    """An update that builds on an older version is refused by the server; the next one builds on the newer."""
    await there.executor().attempt(ONE)
    wish = job(the_list(line(replaced(standing(), dosage=dosage("2 tabletter", "2")))), "h2")

    async def somebody_else() -> None:
        stored = (await there.prescriptions())[0]
        stored["note"] = [{"text": "ringt patienten"}]
        headers = READER | {"x-request-id": "other", "prefer": "return=minimal", "if-match": 'W/"1"'}
        headers |= {"x-provenance": PROVENANCE, "content-type": "application/fhir+json"}
        async with there.session.put(
            f"{there.base}/MedicationRequest/f-1", data=write_json(stored), headers=headers
        ) as answer:
            assert answer.status == 200

    door.faults.append(after(somebody_else))
    attempt = await there.executor(base=door.base).attempt(wish)

    stored = (await there.prescriptions())[0]
    assert attempt.state == "published"
    assert stored["note"] == [{"text": "ringt patienten"}]
    assert stored["dosageInstruction"][0]["patientInstruction"] == "2 tabletter"
    assert stored["meta"]["versionId"] == "3"


async def test_two_publishers_at_once_register_a_prescription_once(there: There, door: Door) -> None:
    """The list version that each read guards the create: the slower one is told that its picture is stale."""
    other = job(the_list(line(replaced(standing(), purpose="mot kärlkramp"))))

    async def the_other() -> None:
        assert (await there.executor().attempt(other)).state == "published"

    door.faults.append(after(the_other))
    attempt = await there.executor(base=door.base).attempt(ONE)

    assert (attempt.state, [one.kind for one in attempt.operations]) == ("published", ["update"])
    assert len(await there.prescriptions()) == 1


async def test_the_same_write_of_two_publishers_is_one_request(there: There, door: Door) -> None:
    """Its id depends on nothing but the patient and the write: the endpoint gives the second the first one's answer."""

    async def the_other() -> None:
        assert (await there.executor().attempt(job(the_list(line(standing())), "other"))).state == "published"

    door.faults.append(after(the_other))
    attempt = await there.executor(base=door.base).attempt(ONE)

    assert attempt.state == "published"
    assert len(await there.prescriptions()) == 1


async def test_a_read_that_is_older_than_what_is_known_concludes_nothing(there: There, door: Door) -> None:
    """A replica that lags: an older state would be taken for the present one, and left standing."""
    one = await there.executor().attempt(ONE)
    doubled = job(the_list(line(replaced(standing(), dosage=dosage("2 tabletter", "2")))), "h2", known=one.links)
    two = await there.executor().attempt(doubled)
    ahead = tuple(msgspec.structs.replace(link, version="3") for link in two.links)

    attempt = await there.executor(base=door.base).attempt(msgspec.structs.replace(doubled, known=ahead))

    assert (attempt.state, [one.code for one in attempt.problems]) == ("failing", ["stale-read"])
    assert door.writes == []


async def test_a_record_that_only_the_search_finds_is_not_created(there: There, door: Door) -> None:
    """The list was read as it was before; the search by record shows the truth."""
    await there.executor().attempt(ONE)
    empty = web.json_response({"resourceType": "Bundle", "type": "searchset", "entry": []})
    door.reads["/MedicationRequest"] = [empty]

    attempt = await there.executor(base=door.base).attempt(ONE)

    assert (attempt.state, attempt.operations) == ("published", ())
    assert door.writes == []


def nothing_there() -> web.Response:
    """What a copy says that has not heard of the patient's prescriptions yet."""
    return web.json_response({"resourceType": "Bundle", "type": "searchset", "entry": []})


def lag(door: Door, *answered: Callable[[], web.Response]) -> None:
    """The next readings of the list are answered so, and the next searches by record with nothing."""
    door.reads["/MedicationRequest"] = [make() for make in answered]
    door.reads["/MedicationRequest/_search"] = [nothing_there(), nothing_there()]


async def test_what_a_lost_answer_created_is_looked_for_until_a_copy_shows_it(there: There, door: Door) -> None:
    """The next list asks for another dose, so the request is another one, and six readings in a row lag behind."""
    door.faults.append(door.drop_after)
    executor = there.executor(base=door.base)
    assert (await executor.attempt(ONE)).state == "failing"
    assert len(await there.prescriptions()) == 1

    lag(door, *[nothing_there] * 6)
    attempt = await executor.attempt(DOUBLED)

    assert (attempt.state, [one.kind for one in attempt.operations]) == ("published", ["update"])
    assert len(await there.prescriptions()) == 1


async def test_what_an_attempt_that_was_cut_created_is_looked_for_all_the_same(there: There, door: Door) -> None:
    """It had read often before it wrote: none of those readings could show what it wrote."""
    executor = there.executor(base=door.base)
    first = msgspec.structs.replace(ONE, certainty="unknown")
    cut = asyncio.create_task(executor.attempt(first))

    async def carried_out_and_cut(request: web.Request) -> web.Response:
        answer = await door.pass_on(request)
        cut.cancel()
        return answer

    door.faults.append(carried_out_and_cut)
    with pytest.raises(asyncio.CancelledError):
        await cut
    assert len(await there.prescriptions()) == 1

    lag(door, *[nothing_there] * 6)
    attempt = await executor.attempt(DOUBLED)

    assert (attempt.state, [one.kind for one in attempt.operations]) == ("published", ["update"])
    assert len(await there.prescriptions()) == 1


async def test_readings_before_a_patient_was_parked_do_not_count(there: There, door: Door) -> None:
    """They were often enough; but then another list was tried, and its answer was lost."""
    executor = there.executor(base=door.base)
    gone = Link(record="gone", id="f-9", ours=True, kind="lock")
    stale = await executor.attempt(msgspec.structs.replace(ONE, known=(gone,), certainty="unknown"))
    assert [one.code for one in stale.problems] == ["stale-read"]

    door.faults.append(door.drop_after)
    assert (await executor.attempt(ONE)).state == "failing"
    lag(door, *[nothing_there] * 6)
    attempt = await executor.attempt(DOUBLED)

    assert (attempt.state, [one.kind for one in attempt.operations]) == ("published", ["update"])
    assert len(await there.prescriptions()) == 1


async def test_readings_of_attempts_that_failed_count(there: There, door: Door) -> None:
    """An endpoint that refuses every third reading: no attempt reads often enough by itself, all of them together do."""
    door.faults.append(door.drop_after)
    executor = there.executor(base=door.base)
    assert (await executor.attempt(ONE)).state == "failing"

    lagging = [nothing_there, nothing_there, lambda: web.Response(status=500)]
    lag(door, *lagging * 3)
    attempts = [await executor.attempt(DOUBLED) for _ in range(4)]

    assert [attempt.state for attempt in attempts] == ["failing", "failing", "failing", "published"]
    assert len(await there.prescriptions()) == 1


async def test_after_a_restart_what_is_to_end_is_looked_for_until_a_copy_shows_it(there: There, door: Door) -> None:
    """An earlier process registered it and died; the list has stopped it since."""
    await there.executor().attempt(ONE)
    stopped = job(the_list(line(replaced(standing(), status="stopped", state="ended"))), "h2", certainty="unseen")

    lag(door, *[nothing_there] * 5)
    attempt = await there.executor(base=door.base).attempt(stopped)

    assert attempt.state == "published"
    assert [one["status"] for one in await there.prescriptions()] == ["stopped"]


@pytest.mark.parametrize(
    ("fault", "code", "wait"),
    [
        (answers(500), "http-500", None),
        (answers(503, {"Retry-After": "7"}), "http-503", 7.0),
        (answers(429, {"Retry-After": "3"}), "http-429", 3.0),
        (answers(408), "http-408", None),
    ],
)
async def test_an_endpoint_in_trouble_is_tried_again_later(
    there: There, door: Door, fault: Fault, code: str, wait: float | None
) -> None:
    """Nothing is parked; how long it asked to be left alone is told."""
    door.faults.append(fault)
    executor = there.executor(base=door.base)

    attempt = await executor.attempt(ONE)

    assert (attempt.state, attempt.retry_after_seconds) == ("failing", wait)
    assert [one.code for one in attempt.problems] == [code]
    assert (await executor.attempt(ONE)).state == "published"


async def test_one_refusal_does_not_hold_up_the_others(there: There, door: Door) -> None:
    """What is refused for good is told with its code and place; the patient's other prescriptions are written."""
    wrong = standing("rx-2", workplace_code=None)
    wish = job(the_list(line(standing()), line(wrong)))

    attempt = await there.executor(base=door.base).attempt(wish)

    assert (attempt.state, [one.kind for one in attempt.operations]) == ("parked", ["create"])
    assert {(one.code, one.record) for one in attempt.problems} == {("F.004", wrong.record)}
    assert len(await there.prescriptions()) == 1


async def test_a_slow_endpoint_is_given_up(there: There, door: Door) -> None:
    """A request that takes too long is unknown, as one whose answer was lost."""

    async def never() -> None:
        await asyncio.Event().wait()

    door.faults.append(after(never))

    attempt = await there.executor(base=door.base, timeout_seconds=0.3).attempt(ONE)

    assert (attempt.state, [one.code for one in attempt.problems]) == ("failing", ["no-answer"])


async def test_an_endpoint_that_is_not_there_is_unavailable(there: There) -> None:
    """Nothing was sent, so nothing is unknown."""
    attempt = await there.executor(base="http://127.0.0.1:9").attempt(ONE)

    assert (attempt.state, [one.code for one in attempt.problems]) == ("failing", ["unreachable"])


async def test_a_token_that_is_refused_twice_is_no_reason_to_park(there: There) -> None:
    """Who we are is the same for every patient: it is the endpoint that fails."""
    attempt = await there.executor(token="nobody").attempt(ONE)

    assert (attempt.state, [one.code for one in attempt.problems]) == ("failing", ["http-401"])


async def test_an_expired_prescription_is_not_registered_anew(there: There) -> None:
    """Its last day of validity has passed on the day of reading."""
    late = there.executor(now=lambda: datetime(2027, 3, 2, 9, tzinfo=UTC))

    attempt = await late.attempt(ONE)

    assert (attempt.state, [one.reason for one in attempt.held]) == ("published", ["expired"])
    assert await there.prescriptions() == []
