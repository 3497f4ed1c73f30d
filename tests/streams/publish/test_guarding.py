"""What somebody else changes at the endpoint: it stands until our source decides anew, whatever our list says of it."""

import base64
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from contracts.medication_list import MedicationList, StandingPrescription
from contracts.publication import Sending, Written
from contracts.values import Identifier, Reference
from mappings.fhir.exact_json import JsonObject, write_json
from streams.publish.execute import Attempt
from streams.publish.writes import Writes, content_digest, is_ours, learned
from tests.streams.publish.cases import NOW, READER, There, dosage, job, line, replaced, standing, the_list, withdrawn
from tests.streams.publish.door import Door, after, answers

RX = standing()
LATER = NOW + timedelta(milliseconds=500)
"""After what another changes at the sandbox, whose clock stands at ``NOW``; and issued within that second."""
EARLIER = NOW - timedelta(minutes=5)
PROVENANCE = base64.b64encode(
    write_json(
        {
            "resourceType": "Provenance",
            "activity": {"coding": [{"code": "UPPDATERA_FORSKRIVNING"}]},
            "agent": [{"type": {"coding": [{"code": "author"}]}, "who": {"display": "tests"}}],
        }
    )
).decode()
THEIRS = "3 tabletter varje kväll"


async def another_changes(there: There, text: str = THEIRS, dose: float = 3) -> None:
    """Another region's prescriber changes the dose of our one prescription through their own system."""
    (stored,) = await there.prescriptions()
    step = stored["dosageInstruction"][0]
    step["patientInstruction"] = text
    step["doseAndRate"][0]["doseQuantity"]["value"] = dose
    await put(there, stored)


async def put(there: There, stored: JsonObject) -> None:
    """Another system stores a prescription anew."""
    version = stored["meta"]["versionId"]
    headers = READER | {"x-request-id": f"other-{version}", "prefer": "return=minimal", "if-match": f'W/"{version}"'}
    headers |= {"x-provenance": PROVENANCE, "content-type": "application/fhir+json"}
    url = f"{there.base}/MedicationRequest/{stored['id']}"
    async with there.session.put(url, data=write_json(stored), headers=headers) as answer:
        assert answer.status == 200, await answer.text()


async def words(there: There) -> list[str]:
    """What the patient reads on each prescription."""
    return [one["dosageInstruction"][0]["patientInstruction"] for one in await there.prescriptions()]


def decided(rx: StandingPrescription, at: datetime | None, **more: Any) -> StandingPrescription:
    """The prescription as its source decided it at some time."""
    return msgspec.structs.replace(replaced(rx, **more), recorded_at=at, occurred_at=None if at is None else NOW)


def held(attempt: Attempt) -> list[tuple[str, str]]:
    """What is held back, and why."""
    return [(one.record, one.reason) for one in attempt.held]


@pytest.fixture
async def begun(there: There) -> Attempt:
    """Our prescription is registered, and then changed there by another."""
    attempt = await there.executor().attempt(job(the_list(line(RX))))
    await another_changes(there)
    return attempt


STALE: dict[str, Callable[[], MedicationList]] = {
    "something else of it changes": lambda: the_list(line(decided(RX, EARLIER, purpose="mot kärlkramp"))),
    "the same time": lambda: the_list(line(decided(RX, NOW, purpose="mot kärlkramp"))),
    "no time": lambda: the_list(line(decided(RX, None, dosage=dosage("2 tabletter", "2")))),
    "a stop": lambda: the_list(line(decided(RX, EARLIER, status="stopped", state="ended"))),
    "run out": lambda: the_list(line(decided(RX, EARLIER, state="ended"))),
    "never valid": lambda: the_list(line(decided(RX, EARLIER, status="cancelled", state="cancelled"))),
    "taken back": lambda: the_list(withdrawn=(withdrawn(RX, "retracted"),)),
}


@pytest.mark.parametrize("wish", STALE.values(), ids=STALE.keys())
async def test_an_older_decision_never_overwrites_what_another_changed(
    there: There, begun: Attempt, wish: Callable[[], MedicationList]
) -> None:
    """Neither a change nor a stop nor a cancellation: it is held back, and that is told."""
    attempt = await there.executor().attempt(job(wish(), "h2", known=begun.links, writes=begun.writes))

    assert (attempt.state, attempt.operations) == ("published", ())
    assert held(attempt) == [(RX.record, "changed-there")]
    assert await words(there) == [THEIRS]
    assert [one["status"] for one in await there.prescriptions()] == ["active"]


async def test_where_nothing_is_recorded_another_content_counts_as_somebody_elses(there: There, begun: Attempt) -> None:
    """A record of an earlier release does not tell which version is ours; what the list asks for is then no guide."""
    assert begun.state == "published"

    attempt = await there.executor().attempt(job(the_list(line(RX)), "h2"))

    assert (attempt.operations, held(attempt)) == ((), [(RX.record, "changed-there")])


@pytest.mark.parametrize(
    ("later", "kind"),
    [
        (decided(RX, LATER, dosage=dosage("2 tabletter", "2")), "update"),
        (decided(RX, LATER, status="stopped", state="ended"), "end"),
        (decided(RX, LATER, status="cancelled", state="cancelled"), "cancel"),
    ],
)
async def test_a_newer_decision_of_our_source_goes_out(
    there: There, begun: Attempt, later: StandingPrescription, kind: str
) -> None:
    """No deadlock: held once, sent when the source decides after the other's change, and ours from then on."""
    first = await there.executor().attempt(job(the_list(line(decided(RX, EARLIER))), "h2", writes=begun.writes))

    second = await there.executor().attempt(job(the_list(line(later)), "h3", writes=first.writes))

    assert held(first) == [(RX.record, "changed-there")]
    assert [one.kind for one in second.operations] == [kind]
    assert held(second) == []
    (stored,) = await there.prescriptions()
    assert second.writes is not None
    assert is_ours(stored, second.writes) is True


async def test_what_the_other_changes_back_is_no_longer_held(there: There, begun: Attempt) -> None:
    """It says what we want again: nothing to do, and what our source changes next goes out whenever it was decided."""
    during = await there.executor().attempt(job(the_list(line(RX)), "h2", writes=begun.writes))
    await another_changes(there, "1 tablett varje morgon", 1)

    after_it = await there.executor().attempt(job(the_list(line(RX)), "h3", writes=during.writes))
    other = decided(RX, EARLIER, dosage=dosage("2 tabletter", "2"))
    then = await there.executor().attempt(job(the_list(line(other)), "h4", writes=after_it.writes))

    assert held(during) == [(RX.record, "changed-there")]
    assert (held(after_it), after_it.operations) == ([], ())
    assert [one.kind for one in then.operations] == ["update"]


async def test_another_change_than_of_content_takes_nothing_from_us(there: There) -> None:
    """A note, or what was dispensed, makes a new version that says the same: our next change goes out."""
    first = await there.executor().attempt(job(the_list(line(RX))))
    (stored,) = await there.prescriptions()
    await put(there, stored | {"note": [{"text": "ringt patienten"}]})

    other = replaced(RX, dosage=dosage("2 tabletter", "2"))
    attempt = await there.executor().attempt(job(the_list(line(other)), "h2", writes=first.writes))

    assert [one.kind for one in attempt.operations] == ["update"]
    assert await words(there) == ["2 tabletter"]


async def test_a_change_of_another_between_reading_and_writing_is_seen(there: There, door: Door) -> None:
    """The write is refused as stale; what is read then is not ours, and is held."""
    first = await there.executor().attempt(job(the_list(line(RX))))

    async def somebody_else() -> None:
        await another_changes(there)

    door.faults.append(after(somebody_else))
    wish = job(the_list(line(replaced(RX, dosage=dosage("2 tabletter", "2")))), "h2", writes=first.writes)
    attempt = await there.executor(base=door.base).attempt(wish)

    assert held(attempt) == [(RX.record, "changed-there")]
    assert await words(there) == [THEIRS]


@pytest.mark.parametrize("recorded_at", [EARLIER, LATER])
async def test_what_takes_over_from_a_changed_one_needs_a_newer_decision_too(
    there: There, begun: Attempt, recorded_at: datetime
) -> None:
    """Else the old one would end on an older word, or two would stand beside each other."""
    former = decided(RX, EARLIER, status="stopped", state="ended")
    reference = Reference(role="predecessor", target=Identifier(system="primary-care", value="rx-1"))
    heir = decided(standing("rx-2", references=(reference,)), recorded_at)

    attempt = await there.executor().attempt(job(the_list(line(former, heir)), "h2", writes=begun.writes))

    if recorded_at == LATER:
        assert [one.kind for one in attempt.operations] == ["replace"]
        assert held(attempt) == []
    else:
        assert attempt.operations == ()
        assert sorted(held(attempt)) == sorted([(RX.record, "changed-there"), (heir.record, "changed-there")])


async def test_a_refused_replacement_by_a_newer_decision_still_ends_the_changed_one(
    there: There, door: Door, begun: Attempt
) -> None:
    """Where the endpoint will not have the one write it gets the two, so that not both can be dispensed."""
    former = decided(RX, EARLIER, status="stopped", state="ended")
    reference = Reference(role="predecessor", target=Identifier(system="primary-care", value="rx-1"))
    heir = decided(standing("rx-2", references=(reference,)), LATER)
    door.faults.append(answers(422))

    wish = job(the_list(line(former, heir)), "h2", writes=begun.writes)
    attempt = await there.executor(base=door.base).attempt(wish)

    assert [one.kind for one in attempt.operations] == ["end", "create"]
    assert [one["status"] for one in await there.prescriptions()] == ["stopped", "active"]


async def test_an_update_whose_answer_was_lost_is_known_for_ours(there: There, door: Door) -> None:
    """It was told before it was sent: though the list has gone on meanwhile, and its decision is older than the write."""
    first = await there.executor().attempt(job(the_list(line(RX))))
    told: list[Writes] = []

    async def announce(writes: Writes) -> bool:
        told.append(writes)
        return True

    door.faults.extend([door.drop_after, door.drop_after])
    doubled = job(the_list(line(replaced(RX, dosage=dosage("2 tabletter", "2")))), "h2", writes=first.writes)
    lost = await there.executor(base=door.base).attempt(doubled, announce)
    tripled = the_list(line(replaced(RX, dosage=dosage("3 tabletter", "3"))))
    found = await there.executor().attempt(job(tripled, "h3", writes=told[-1]))

    assert lost.state == "failing"
    assert [one.kind for one in found.operations] == ["update"]
    assert (await words(there), held(found)) == (["3 tabletter"], [])
    assert found.writes is not None
    assert found.writes.sending == ()


async def test_after_a_lost_answer_only_what_we_sent_is_ours(there: There, door: Door) -> None:
    """The write never arrived, and another changed the prescription meanwhile: that next version is not ours."""
    first = await there.executor().attempt(job(the_list(line(RX))))
    door.faults.extend([door.drop_before, door.drop_before])
    doubled = job(the_list(line(replaced(RX, dosage=dosage("2 tabletter", "2")))), "h2", writes=first.writes)
    lost = await there.executor(base=door.base).attempt(doubled)
    await another_changes(there)

    found = await there.executor().attempt(msgspec.structs.replace(doubled, writes=lost.writes or Writes()))

    assert lost.state == "failing"
    assert (found.operations, held(found)) == ((), [(RX.record, "changed-there")])


async def test_a_reading_older_than_what_we_have_written_concludes_nothing(there: There) -> None:
    """A copy that lags behind, read by a process that only knows what an earlier one told: it is no change of another."""
    first = await there.executor().attempt(job(the_list(line(RX))))
    assert first.writes is not None
    ahead = Writes(written=tuple(msgspec.structs.replace(one, version="2") for one in first.writes.written))

    doubled = job(the_list(line(replaced(RX, dosage=dosage("2 tabletter", "2")))), "h2", writes=ahead)
    attempt = await there.executor().attempt(doubled)

    assert (attempt.state, [one.code for one in attempt.problems]) == ("failing", ["stale-read"])
    assert (attempt.held, attempt.writes) == ((), ahead)


async def test_an_attempt_that_may_not_write_writes_nothing(there: There) -> None:
    """Another process has the patient by now."""
    await there.executor().attempt(job(the_list(line(RX))))

    async def refuse(_writes: Writes) -> bool:
        return False

    doubled = job(the_list(line(replaced(RX, dosage=dosage("2 tabletter", "2")))), "h2")
    attempt = await there.executor().attempt(doubled, refuse)

    assert (attempt.state, [one.code for one in attempt.problems]) == ("failing", ["patient-elsewhere"])
    assert await there.versions("f-1") == 1


def stored(version: str, text: str = "a", status: str = "active") -> JsonObject:
    """A version of a prescription of ours."""
    return {
        "id": "f-1",
        "meta": {"versionId": version},
        "status": status,
        "dosageInstruction": [{"patientInstruction": text}],
    }


A, B = content_digest(stored("1")), content_digest(stored("1", "b"))
KNOWN = Writes(written=(Written(id="f-1", version="3", content=A),))
UNDER_WAY = msgspec.structs.replace(KNOWN, sending=(Sending(id="f-1", onto="3", content=B),))
CLOSING = msgspec.structs.replace(KNOWN, sending=(Sending(id="f-1", onto="3"),))


@pytest.mark.parametrize(
    ("resource", "writes", "ours"),
    [
        (stored("1"), Writes(), True),
        (stored("2"), Writes(), None),
        (stored("3", "any"), KNOWN, True),
        (stored("4"), KNOWN, True),
        (stored("4", "b"), KNOWN, False),
        (stored("4", "a", "stopped"), KNOWN, False),
        (stored("2", "b"), KNOWN, None),
        (stored("4", "b"), UNDER_WAY, True),
        (stored("5", "b"), UNDER_WAY, True),
        (stored("4", "c"), UNDER_WAY, False),
        (stored("4", "b", "stopped"), CLOSING, True),
        (stored("5", "b", "stopped"), CLOSING, False),
        (stored("4", "b"), CLOSING, False),
        (stored("2", "b"), Writes(sending=(Sending(id="f-1", onto="1", content=A),)), False),
    ],
    ids=[
        "the first",
        "nothing is recorded",
        "the recorded one",
        "a later one that says the same",
        "a later one that says something else",
        "closed by another",
        "older than ours",
        "what was being sent",
        "what was being sent, and then something that is no content",
        "not what was being sent",
        "closed by what was being sent",
        "closed later",
        "not closed though that was being sent",
        "only a write under way is known, and it is not that",
    ],
)
def test_whose_version_it_is(resource: JsonObject, writes: Writes, *, ours: bool | None) -> None:
    """Told by version and content alone."""
    assert is_ours(resource, writes) is ours


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        (stored("4", "b"), Writes(written=(Written(id="f-1", version="4", content=B),))),
        (stored("4", "c"), KNOWN),
        (stored("3"), UNDER_WAY),
        (stored("2"), UNDER_WAY),
    ],
    ids=["it arrived", "another was faster", "it may still arrive", "a copy that lags behind"],
)
def test_a_reading_settles_what_was_under_way(resource: JsonObject, expected: Writes) -> None:
    """A newer version does; the same or an older one leaves it open."""
    assert learned(UNDER_WAY, [resource]) == expected
