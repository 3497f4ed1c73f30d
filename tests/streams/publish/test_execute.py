"""The executor against the real sandbox server: what it creates, changes and ends, and what it leaves alone."""

from mappings.fhir.vocabulary import RECORD
from tests.streams.publish.cases import PARACETAMOL, There, dosage, job, line, replaced, standing, the_list


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
