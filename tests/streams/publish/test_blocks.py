"""A block set after publishing, and lifted again: what is hidden, what ends, and what the trail tells."""

from typing import Any

import msgspec

from contracts.facts.prescribing import Prescription
from contracts.medication_list import MedicationList
from contracts.publication import HELD_REASONS, Link
from contracts.systems import GLN, SAMORDNINGSNUMMER
from contracts.values import Identifier
from mappings.fhir.data_lock import is_data_lock, is_in_force
from mappings.fhir.exact_json import JsonObject, read_json
from streams.publish.execute import Attempt
from tests.streams.publish.cases import READER, There, dosage, job, line, replaced, standing, the_list, withdrawn
from tests.streams.publish.door import Door

RX = standing("rx-1")
OPEN = the_list(line(RX))
BLOCKED = the_list(withdrawn=(withdrawn(RX, "blocked"),))


async def publish(there: There, *lists: MedicationList, **more: Any) -> list[Attempt]:
    """Publish lists one after the other, as one process does."""
    attempts: list[Attempt] = []
    known: tuple[Link, ...] = ()
    executor = there.executor(**more)
    for number, one in enumerate(lists):
        attempts.append(await executor.attempt(job(one, f"h{number}", known=known)))
        known = attempts[-1].links
    return attempts


def kinds(attempt: Attempt) -> list[str]:
    """What was written."""
    return [one.kind for one in attempt.operations]


async def search(there: There, query: str, who: str = "test-prescriber") -> list[JsonObject]:
    """What one caller is shown."""
    headers = READER | {"authorization": f"Bearer {who}", "x-request-id": "look", "x-access": "FORMODAT_SAMTYCKE"}
    async with there.session.get(f"{there.base}/{query}", headers=headers) as answer:
        return [entry["resource"] for entry in read_json(await answer.read()).get("entry", [])]


async def test_a_block_hides_what_was_published_and_ends_nothing(there: There) -> None:
    """Other caregivers no longer see it; it can be dispensed as before, for the patient still takes it."""
    before = await publish(there, OPEN)
    seen_before = await search(there, "MedicationRequest?patient=p-1", "test-other-region")

    (attempt,) = await publish(there, BLOCKED)

    assert (kinds(before[0]), len(seen_before)) == (["create"], 1)
    assert (attempt.state, kinds(attempt)) == ("published", ["lock"])
    assert await search(there, "MedicationRequest?patient=p-1", "test-other-region") == []
    assert [one["status"] for one in await there.prescriptions()] == ["active"]


async def test_the_trail_tells_of_the_block(there: There) -> None:
    """The publication names the block's fact and the lock; so does the event at the endpoint, and nothing of the patient."""
    *_, attempt = await publish(there, OPEN, BLOCKED)

    events = await search(there, "Provenance?patient=p-1")
    told = [(one["activity"]["coding"][0]["code"], one.get("reason")) for one in events]
    assert attempt.operations[0].because == ("fact",)
    assert [(one.reason, one.record) for one in attempt.held] == [("blocked", RX.record)]
    assert "blocked" in HELD_REASONS
    assert {one.kind for one in attempt.links} == {"prescription", "lock"}
    assert told == [("REGISTRERA_FORSKRIVNING", None), ("REGISTRERA_SPARR", [{"text": "facts fact"}])]


async def test_a_lifted_block_shows_it_again_as_it_is_now(there: There) -> None:
    """It was never closed, so nothing is registered anew; what its source changed meanwhile is changed first."""
    changed = the_list(line(replaced(RX, dosage=dosage("2 tabletter varje morgon", "2"))))

    *_, attempt, again = await publish(there, OPEN, BLOCKED, changed, changed)

    shown = await search(there, "MedicationRequest?patient=p-1", "test-other-region")
    assert (kinds(attempt), kinds(again)) == (["update", "unlock"], [])
    assert [one["dosageInstruction"][0]["patientInstruction"] for one in shown] == ["2 tabletter varje morgon"]
    assert len(await there.prescriptions()) == 1
    assert not any(one.kind == "lock" for one in attempt.links)


async def test_a_process_that_knows_nothing_lifts_the_lock_too(there: There) -> None:
    """The endpoint tells that something is locked; the lock bears our record."""
    await publish(there, OPEN, BLOCKED)

    attempt = await there.executor().attempt(job(OPEN, "h3", certainty="unseen"))

    assert kinds(attempt) == ["unlock"]


async def test_a_line_that_is_held_back_for_another_reason_is_shown_again(there: There) -> None:
    """The block is gone, whatever else a person has to settle; one that is nowhere on the list stays locked."""
    held = the_list(line(RX, undecided=("dose",)))

    attempts = await publish(there, OPEN, BLOCKED, the_list(), held)

    assert [kinds(one) for one in attempts] == [["create"], ["lock"], [], ["unlock"]]


async def test_a_block_that_is_set_again_uses_the_lock_that_is_there(there: There) -> None:
    """One lock per prescription, whatever its history."""
    attempts = await publish(there, OPEN, BLOCKED, OPEN, BLOCKED, OPEN)

    locks = [one for one in await search(there, "Basic?patient=p-1") if is_data_lock(one)]
    assert [kinds(one) for one in attempts] == [["create"], ["lock"], ["unlock"], ["lock"], ["unlock"]]
    assert [is_in_force(one) for one in locks] == [False]


async def test_what_its_source_ends_behind_the_block_ends(there: There) -> None:
    """It must not be dispensed any more, whoever may not see why; never valid is cancelled."""
    for over, status in (("ended", "stopped"), ("cancelled", "cancelled")):
        rx = standing(f"rx-{over}")
        gone = the_list(withdrawn=(withdrawn(rx, "blocked", over=over),))  # type: ignore[arg-type] # a pair of the loop
        *_, attempt = await publish(there, the_list(line(rx)), gone)

        assert sorted(kinds(attempt)) == sorted(["lock", "end" if over == "ended" else "cancel"])
        assert (await there.prescriptions())[-1]["status"] == status


async def test_what_was_blocked_before_it_was_published_never_leaves(there: There, door: Door) -> None:
    """There is nothing to lock, and nothing is written."""
    (attempt,) = await publish(there, BLOCKED, base=door.base)

    assert (attempt.state, attempt.operations, door.writes) == ("published", (), [])


async def test_a_lock_whose_answer_was_lost_is_not_made_twice(there: There, door: Door) -> None:
    """The next attempt finds it by the record."""
    await publish(there, OPEN)
    door.faults.append(door.drop_after)
    executor = there.executor(base=door.base)

    lost = await executor.attempt(job(BLOCKED, "h2"))
    found = await executor.attempt(job(BLOCKED, "h2", certainty="unknown"))

    locks = [one for one in await search(there, "Basic?patient=p-1") if is_data_lock(one)]
    assert (lost.state, found.state, kinds(found), len(locks)) == ("failing", "published", [], 1)


async def test_a_person_without_personnummer_is_locked_and_shown_too(there: There) -> None:
    """The lock stands for the contained patient, and is looked for by the record."""
    person = Identifier(system=SAMORDNINGSNUMMER, value="196109732393")
    content: Prescription = msgspec.structs.replace(
        RX.content, person=person, receiving_pharmacy=Identifier(system=GLN, value="7350000000009")
    )
    rx = msgspec.structs.replace(RX, content=content)
    shown = the_list(line(rx), person=person)
    hidden = the_list(withdrawn=(withdrawn(rx, "blocked"),), person=person)

    attempts = await publish(there, shown, hidden, hidden, shown)

    assert [kinds(one) for one in attempts] == [["create"], ["lock"], [], ["unlock"]]
