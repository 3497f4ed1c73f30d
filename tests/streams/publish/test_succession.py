"""Taking over from a prescription that another system registered: in one write, or not at all, and the reason is told."""

from typing import Any

import pytest

from connectors.nll.requests import Task
from contracts.medication_list import StandingPrescription
from contracts.publication import HELD_REASONS
from contracts.systems import NLL_CHAIN, NLL_PRESCRIPTION
from contracts.values import Identifier, Reference
from mappings.fhir.elements import extension_value
from mappings.fhir.exact_json import JsonObject, write_json
from mappings.fhir.medication_request import KnownPatient, Terms, medication_request
from mappings.fhir.vocabulary import CHAIN, RECORD
from streams.publish.actual import Actual, registered
from streams.publish.desired import desired
from streams.publish.operations import Create, End
from streams.publish.plan import Plan, examine
from tests.streams.publish.cases import (
    NOW,
    PARACETAMOL,
    PERSON,
    POLICY,
    There,
    dosage,
    job,
    line,
    replaced,
    standing,
    the_list,
)
from tests.streams.publish.door import Door, answers


def theirs(name: str = "f-7001", status: str = "active", **more: Any) -> JsonObject:
    """A prescription that another system registered itself."""
    resource = medication_request(standing("elsewhere", **more), Terms(subject=KnownPatient("p-1")))
    assert isinstance(resource, dict)
    return resource | {
        "id": name,
        "meta": {"versionId": "1"},
        "status": status,
        "identifier": [{"system": NLL_PRESCRIPTION, "value": name}],
        "extension": [{"url": CHAIN, "valueIdentifier": {"system": NLL_CHAIN, "value": "kedja-501"}}],
    }


def heir(name: str = "rx-2", *of: str, **more: Any) -> StandingPrescription:
    """A prescription that says by NLL ids what it takes over from."""
    named = tuple(
        Reference(role="predecessor", target=Identifier(system=NLL_PRESCRIPTION, value=one))
        for one in of or ("f-7001",)
    )
    return standing(name, source="hospital", references=named, dosage=dosage("2 tabletter", "2"), **more)


def planned(there: list[JsonObject], *prescriptions: StandingPrescription) -> Plan:
    """The plan of a list with these prescriptions."""
    actual = Actual(subject=KnownPatient("p-1"), read_on=NOW.date(), registered=registered(there))
    return examine(desired(the_list(*map(line, prescriptions)), POLICY), actual, POLICY)


def replacing(found: Plan) -> list[tuple[str, str | None]]:
    """Record and replaced id of every create of a plan."""
    assert all(isinstance(one, Create) for one in found.operations)
    return [(one.record, one.replaces) for one in found.operations if isinstance(one, Create)]


def test_another_systems_prescription_is_replaced_in_one_write() -> None:
    """The new one points at it; nothing else is written about it."""
    found = planned([theirs()], heir())

    assert replacing(found) == [(heir().record, "f-7001")]
    assert found.held == ()


@pytest.mark.parametrize(
    ("reason", "there", "prescription"),
    [
        ("predecessor-not-there", [], heir()),
        ("predecessor-not-there", [theirs("f-7002")], heir()),
        ("predecessor-closed", [theirs(status="stopped")], heir()),
        ("predecessor-closed", [theirs(status="cancelled")], heir()),
        ("predecessor-other-drug", [theirs(medication=PARACETAMOL)], heir()),
        ("predecessor-other-drug", [theirs()], heir(medication=PARACETAMOL)),
        ("predecessors-several", [theirs("f-1"), theirs("f-2")], heir("rx-2", "f-1", "f-2")),
    ],
)
def test_what_cannot_be_taken_over_from_holds_the_new_one_back(
    reason: str, there: list[JsonObject], prescription: StandingPrescription
) -> None:
    """Two prescriptions of one treatment side by side are worse than one that a person must look at."""
    found = planned(there, prescription)

    assert found.operations == ()
    assert [(one.record, one.reason) for one in found.held] == [(prescription.record, reason)]
    assert reason in HELD_REASONS


def test_a_fully_dispensed_one_is_still_living() -> None:
    """Nothing left to dispense is no end of the treatment: it can be renewed."""
    assert replacing(planned([theirs(status="completed")], heir())) == [(heir().record, "f-7001")]


def test_of_two_that_take_over_from_one_the_second_stands_beside_the_first() -> None:
    """Now, and also when the first has been registered already."""
    first, second = sorted([heir("rx-2"), heir("rx-3")], key=lambda one: one.record)
    both = planned([theirs()], first, second)
    registered_first = _resource(first) | {
        "id": "f-1",
        "meta": {"versionId": "1"},
        "priorPrescription": {"reference": "MedicationRequest/f-7001"},
    }

    later = planned([theirs(status="stopped"), registered_first], first, second)

    assert replacing(both) == [(first.record, "f-7001"), (second.record, None)]
    assert replacing(later) == [(second.record, None)]


def test_one_of_ours_that_is_named_by_its_nll_id_is_not_changed_before_it_ends() -> None:
    """It ends by being replaced: neither an update nor an end of its own is sent."""
    old = standing("rx-1")
    ours = theirs("f-1") | {
        "identifier": [{"system": RECORD, "value": old.record}, {"system": NLL_PRESCRIPTION, "value": "f-1"}]
    }

    for former in (
        replaced(old, dosage=dosage("3 tabletter", "3")),
        replaced(old, status="stopped", state="ended"),
        replaced(old, state="ended"),
    ):
        assert replacing(planned([ours], former, heir("rx-2", "f-1"))) == [(heir().record, "f-1")]


def test_one_of_ours_that_was_never_valid_is_cancelled_and_not_replaced() -> None:
    """There is nothing to take over from."""
    old = standing("rx-1")
    ours = theirs("f-1") | {"identifier": [{"system": RECORD, "value": old.record}]}

    found = planned([ours], replaced(old, status="cancelled", state="cancelled"), heir("rx-2", "f-1"))

    assert [(type(one).__name__, getattr(one, "replaces", None)) for one in found.operations] == [
        ("Cancel", None),
        ("Create", None),
    ]
    assert not any(isinstance(one, End) for one in found.operations)


async def test_the_endpoint_ends_it_and_keeps_its_chain(there: There) -> None:
    """Primary care registered f-7001 itself; the hospital's prescription, published by us, replaces it."""
    await seed(there, theirs())

    attempt = await there.executor().attempt(job(the_list(line(heir()))))
    again = await there.executor().attempt(job(the_list(line(heir())), "h2", certainty="unknown"))

    before, after = await there.prescriptions()
    assert (attempt.state, [one.kind for one in attempt.operations]) == ("published", ["replace"])
    assert again.operations == ()
    assert (before["id"], before["status"], after["status"]) == ("f-7001", "stopped", "active")
    assert after["priorPrescription"] == {"reference": "MedicationRequest/f-7001"}
    assert extension_value(before, CHAIN) == extension_value(after, CHAIN)


async def test_one_that_is_not_seen_is_looked_for_again(there: There) -> None:
    """A read may be older than what the other system registered a moment ago."""
    await seed(there, theirs())
    faults = {"seed": 3, "switches": {"stale_read": {"probability": 0.5}}}
    await _admin(there, "faults", faults)

    attempt = await there.executor().attempt(job(the_list(line(heir()))))

    assert (attempt.state, attempt.held) == ("published", ())
    assert [one.kind for one in attempt.operations] == ["replace"]


async def test_a_refused_replacement_parks_and_ends_nothing(there: There, door: Door) -> None:
    """What is not ours is ended by being replaced, or not at all."""
    await seed(there, theirs())
    door.faults.append(answers(422))

    attempt = await there.executor(base=door.base).attempt(job(the_list(line(heir()))))

    assert (attempt.state, [one.record for one in attempt.problems]) == ("parked", [heir().record])
    assert [one["status"] for one in await there.prescriptions()] == ["active"]


def _resource(prescription: StandingPrescription) -> JsonObject:
    resource = medication_request(prescription, Terms(subject=KnownPatient("p-1")))
    assert isinstance(resource, dict)
    return resource


async def seed(there: There, resource: JsonObject) -> None:
    """The endpoint holds what another system registered."""
    await there.client().find_patient(PERSON, Task(context_id="tests"))  # the population register makes the patient
    await _admin(there, "seed", [resource])


async def _admin(there: There, path: str, body: object) -> None:
    async with there.session.post(f"{there.base}/_sandbox/{path}", data=write_json(body)) as answer:
        assert answer.status == 200
