"""The executor against the real sandbox server: what it creates, changes and ends, and what it leaves alone."""

from datetime import UTC, datetime
from uuid import UUID, uuid5

from contracts.systems import GLN, PERSONNUMMER, SAMORDNINGSNUMMER
from contracts.values import Identifier, Period, Reason, Reference
from mappings.fhir.elements import extension_value
from mappings.fhir.validation import in_sample
from mappings.fhir.vocabulary import CHAIN, RECORD
from streams.publish.execute import Executor
from tests.streams.publish.cases import (
    NOW,
    PARACETAMOL,
    POLICY,
    There,
    dosage,
    job,
    line,
    replaced,
    standing,
    the_list,
    withdrawn,
)
from tests.streams.publish.door import Door, answers


async def test_a_prescription_of_the_list_is_registered_once(there: There) -> None:
    """Publishing the same list again changes nothing at the endpoint."""
    wish = job(the_list(line(standing())))

    first = await there.executor().attempt(wish)
    again = await there.executor().attempt(wish)

    stored = await there.prescriptions()
    assert [first.state, again.state] == ["published", "published"]
    assert [one.kind for one in first.operations] == ["create"]
    assert again.operations == ()
    assert [one["status"] for one in stored] == ["active"]
    assert {"system": RECORD, "value": standing().record} in stored[0]["identifier"]
    assert await there.versions(stored[0]["id"]) == 1


async def test_a_changed_dosage_is_one_new_version(there: There) -> None:
    """An update carries the full resource; what the server filled in stays."""
    rx = standing()
    await there.executor().attempt(job(the_list(line(rx))))
    before = (await there.prescriptions())[0]

    doubled = replaced(rx, dosage=dosage("2 tabletter varje morgon", "2"))
    attempt = await there.executor().attempt(job(the_list(line(doubled)), "h2"))

    after = (await there.prescriptions())[0]
    assert [one.kind for one in attempt.operations] == ["update"]
    assert after["dosageInstruction"][0]["patientInstruction"] == "2 tabletter varje morgon"
    assert after["meta"]["versionId"] == "2"
    assert {name: after[name] for name in ("id", "identifier", "authoredOn")} == {
        name: before[name] for name in ("id", "identifier", "authoredOn")
    }


async def test_a_stopped_prescription_is_ended(there: There) -> None:
    """What its prescriber stopped is ended there, once."""
    rx = standing()
    await there.executor().attempt(job(the_list(line(rx))))

    stopped = job(the_list(line(replaced(rx, status="stopped", state="ended"))), "h2")
    attempt = await there.executor().attempt(stopped)
    again = await there.executor().attempt(stopped)

    assert [one.kind for one in attempt.operations] == ["end"]
    assert again.operations == ()
    assert [one["status"] for one in await there.prescriptions()] == ["stopped"]


async def test_what_was_never_valid_is_cancelled(there: There) -> None:
    """Makulerad, not ended."""
    rx = standing()
    await there.executor().attempt(job(the_list(line(rx))))

    attempt = await there.executor().attempt(
        job(the_list(line(replaced(rx, status="cancelled", state="cancelled"))), "h2")
    )

    assert [one.kind for one in attempt.operations] == ["cancel"]
    assert [one["status"] for one in await there.prescriptions()] == ["cancelled"]


async def test_several_prescriptions_are_registered_in_one_attempt(there: There) -> None:
    """The list version that each write answers is the one that the next names."""
    wish = job(the_list(line(standing()), line(standing("rx-2", medication=PARACETAMOL))))

    attempt = await there.executor().attempt(wish)

    assert [one.kind for one in attempt.operations] == ["create", "create"]
    assert len(await there.prescriptions()) == 2


async def test_a_renewed_prescription_replaces_the_stopped_one_in_one_write(there: There) -> None:
    """The old one ends by it, and both are members of one chain."""
    old = standing("rx-1")
    await there.executor().attempt(job(the_list(line(old))))
    predecessor = Reference(role="predecessor", target=Identifier(system="primary-care", value="rx-1"))
    new = standing("rx-2", references=(predecessor,), dosage=dosage("2 tabletter varje morgon", "2"))

    renewed = the_list(line(replaced(old, status="stopped", state="ended"), new))
    attempt = await there.executor().attempt(job(renewed, "h2"))

    before, after = await there.prescriptions()
    assert [one.kind for one in attempt.operations] == ["replace"]
    assert (before["status"], after["status"]) == ("stopped", "active")
    assert extension_value(before, CHAIN) == extension_value(after, CHAIN)


async def test_a_refused_replacement_still_ends_the_stopped_one(there: There, door: Door) -> None:
    """Where the endpoint will not have the one write, it gets the two."""
    old = standing("rx-1")
    await there.executor().attempt(job(the_list(line(old))))
    predecessor = Reference(role="predecessor", target=Identifier(system="primary-care", value="rx-1"))
    new = standing("rx-2", references=(predecessor,))
    door.faults.append(answers(422))

    renewed = the_list(line(replaced(old, status="stopped", state="ended"), new))
    attempt = await there.executor(base=door.base).attempt(job(renewed, "h2"))

    assert (attempt.state, [one.kind for one in attempt.operations]) == ("published", ["end", "create"])
    assert [one["status"] for one in await there.prescriptions()] == ["stopped", "active"]


async def test_a_prescription_that_has_not_begun_can_be_ended(there: There) -> None:
    """Its first day is to come: only its status changes."""
    begins = datetime(2026, 4, 1, 22, tzinfo=UTC)
    rx = standing(state="planned", period=Period(start=begins))
    await there.executor().attempt(job(the_list(line(rx))))

    attempt = await there.executor().attempt(job(the_list(line(replaced(rx, status="stopped", state="ended"))), "h2"))

    assert (attempt.state, [one.kind for one in attempt.operations]) == ("published", ["end"])
    assert [one["status"] for one in await there.prescriptions()] == ["stopped"]


async def test_a_person_without_personnummer_stands_in_the_prescription(there: There) -> None:
    """It is addressed to a pharmacy, and found again by its record."""
    person = Identifier(system=SAMORDNINGSNUMMER, value="196109732393")
    rx = standing(receiving_pharmacy=Identifier(system=GLN, value="7350000000009"))
    wish = job(the_list(line(rx), person=person))

    first = await there.executor().attempt(wish)
    again = await there.executor().attempt(wish)

    assert (first.state, [one.kind for one in first.operations]) == ("published", ["create"])
    assert (again.state, again.operations) == ("published", ())


async def test_a_person_nobody_knows_parks_the_list(there: There) -> None:
    """Without the patient there is nothing to register for."""
    wish = job(the_list(line(standing()), person=Identifier(system=PERSONNUMMER, value="191212121213")))

    attempt = await there.executor().attempt(wish)

    assert (attempt.state, [one.code for one in attempt.problems]) == ("parked", ["patient-unknown"])


async def test_what_was_taken_back_is_cancelled_and_what_was_blocked_is_locked(there: There) -> None:
    """Only what we created ourselves, and only by its record."""
    first, second = standing("rx-1"), standing("rx-2", medication=PARACETAMOL)
    await there.executor().attempt(job(the_list(line(first), line(second))))
    gone = (withdrawn(first, "retracted"), withdrawn(second, "blocked"), withdrawn(standing("rx-3"), "retracted"))

    attempt = await there.executor().attempt(job(the_list(withdrawn=gone), "h2"))

    assert sorted(one.kind for one in attempt.operations) == ["cancel", "lock"]
    assert sorted(one["status"] for one in await there.prescriptions()) == ["active", "cancelled"]


async def test_what_is_no_fhir_is_not_sent(there: There, door: Door) -> None:
    """A sample of what is sent is shown to another implementation first; here it is everything."""
    executor = Executor(there.client(base=door.base), POLICY, lambda: NOW, validated=1.0)
    wrong = standing(reason=Reason(code=Identifier(system="a system with spaces", value=" ")))

    refused = await executor.attempt(job(the_list(line(wrong))))
    accepted = await executor.attempt(job(the_list(line(standing("rx-2"))), "h2"))

    assert refused.state == "parked"
    assert {one.code for one in refused.problems} == {"fhir-unreadable"}
    assert (accepted.state, len(door.writes)) == ("published", 1)


async def test_a_sample_is_always_the_same() -> None:
    """A share of the ids, whoever asks and whenever."""
    ids = [str(uuid5(UUID(int=2), str(number))) for number in range(2000)]

    chosen = [name for name in ids if in_sample(name, 0.1)]

    assert 150 < len(chosen) < 250
    assert chosen == [name for name in ids if in_sample(name, 0.1)]
    assert not any(in_sample(name, 0.0) for name in ids)
    assert all(in_sample(name, 1.0) for name in ids)
