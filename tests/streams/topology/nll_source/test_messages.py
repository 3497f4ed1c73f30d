"""From what NLL holds to messages: what is new, what is our own, what a lagging copy shows."""

from typing import Any

import pytest

from contracts.publication import Sending, Written
from contracts.systems import PERSONNUMMER
from mappings.fhir.exact_json import JsonObject, read_json
from mappings.fhir.vocabulary import RECORD
from streams.publish.writes import Writes, content_digest
from streams.topology.nll_source.messages import Before, News, Outgoing, Reader
from streams.topology.nll_source.roster import Patient
from tests.streams.topology.nll_source.wire import dispense, prescription

OURS = "7a3f1c52-0f0e-5d5b-9b1e-2f6d6f3c1a10"
PATIENT = Patient(
    pseudonym="pseudonym-1",
    partition=0,
    number="191212121212",
    dose=False,
    records={OURS: ("primary-care", "rx-1")},
)


def versioned(resource: JsonObject, version: str = "1", **more: Any) -> JsonObject:
    """A resource as the server shows it."""
    return resource | {"meta": {"versionId": version}} | more


def news(*resources: JsonObject, known: dict[str, str] | None = None, **medications: JsonObject) -> News:
    """What is new of these."""
    return Reader(PATIENT, "p-1", resources, medications).news(Before(versions=known or {}))


def entries(message: Outgoing) -> list[JsonObject]:
    """The resources of a message."""
    return [entry["resource"] for entry in read_json(message.value)["entry"]]


def ours(name: str = "f-1", **more: Any) -> JsonObject:
    """A prescription that we registered."""
    return versioned(prescription(name, identifier=[{"system": RECORD, "value": OURS}]), **more)


def test_a_message_is_the_resource_its_patient_and_its_medication() -> None:
    """Nothing of the resource is left out; the patient bears the number that the intake needs."""
    resource = versioned(prescription("f-7001", medicationReference={"reference": "Medication/art-9"}))
    product = {"resourceType": "Medication", "id": "art-9"}

    (message,) = Reader(PATIENT, "p-1", [resource], {"art-9": product}).news(Before()).messages

    person = {"resourceType": "Patient", "id": "p-1", "identifier": [{"system": PERSONNUMMER, "value": PATIENT.number}]}
    assert (message.name, message.version) == ("MedicationRequest/f-7001", "1")
    assert entries(message) == [resource, person, product]


def test_what_was_passed_on_is_not_passed_on_again() -> None:
    """A version is known by resource and number; another version of it is news."""
    known = {"MedicationRequest/f-1": "1", "MedicationRequest/f-2": "1"}

    found = news(versioned(prescription("f-1")), versioned(prescription("f-2"), "2"), known=known)

    assert [(one.name, one.version) for one in found.messages] == [("MedicationRequest/f-2", "2")]
    assert found.versions == {"MedicationRequest/f-1": "1", "MedicationRequest/f-2": "2"}
    assert not found.lagging


def test_our_own_writes_are_counted_and_never_passed_on_in_any_version() -> None:
    """They bear the record's id, also of a record that is on no list any more."""
    foreign = versioned(prescription("f-3", identifier=[{"system": RECORD, "value": "another record"}]))

    first = news(ours(), foreign)
    later = news(ours(version="2"), foreign, known=first.versions)

    assert (first.messages, first.echoes) == ((), 2)
    assert (later.messages, later.echoes) == ((), 1)
    assert later.versions["MedicationRequest/f-1"] == "2"


@pytest.mark.parametrize(
    ("resource", "element"),
    [
        (versioned(dispense("u-1", "f-1")), "authorizingPrescription"),
        (versioned(prescription("f-2", priorPrescription={"reference": "MedicationRequest/f-1"})), "priorPrescription"),
    ],
    ids=["dispensing", "successor"],
)
def test_what_refers_to_ours_names_the_record_of_its_source(resource: JsonObject, element: str) -> None:
    """Its own reference stays as it was."""
    (message,) = news(ours(), resource).messages

    (found,) = [one for one in [entries(message)[0][element]] for one in (one if isinstance(one, list) else [one])]
    assert found == {
        "reference": "MedicationRequest/f-1",
        "identifier": {"system": "urn:medlist:source:primary-care", "value": "rx-1"},
    }


def test_what_refers_to_others_is_left_as_it_is() -> None:
    """A dispensing on another caregiver's prescription names no source of ours."""
    resource = versioned(dispense("u-1", "f-9"))

    (message,) = news(resource).messages

    assert entries(message)[0] == resource


def test_what_a_lagging_copy_shows_is_no_news_and_nothing_to_go_back_to() -> None:
    """Version 9 comes before version 10; the newer one stays known, and the reading counts as lagging."""
    found = news(versioned(prescription("f-1"), "9"), known={"MedicationRequest/f-1": "10"})

    assert (found.messages, found.lagging) == ((), True)
    assert found.versions == {"MedicationRequest/f-1": "10"}


@pytest.mark.parametrize(("version", "known"), [("b", "a"), ("1", "x"), ("²", "3")])
def test_versions_that_are_no_numbers_are_news_whenever_they_differ(version: str, known: str) -> None:
    """Nobody can tell which of them is older."""
    found = news(versioned(prescription("f-1"), version), known={"MedicationRequest/f-1": known})

    assert [one.version for one in found.messages] == [version]


def after_writing(resource: JsonObject, **more: Any) -> Writes:
    """What is known when we have written this."""
    version = resource["meta"]["versionId"]
    return Writes(written=(Written(id="f-1", version=version, content=content_digest(resource)),), **more)


def told(resource: JsonObject, writes: Writes, **before: Any) -> News:
    """What is new of one prescription, given what is known of our writes."""
    return Reader(PATIENT, "p-1", [resource], {}).news(Before(**before), lambda: writes)


THEIR_DOSE = [{"sequence": 1, "patientInstruction": "3 tabletter varje kväll"}]
MINE = after_writing(ours(version="2"))


def test_what_another_changed_of_ours_is_passed_on_under_the_id_of_our_record() -> None:
    """Ours is taken off: the version is no word of ours; it names the record that it was registered for."""
    found = told(ours(version="3", dosageInstruction=THEIR_DOSE), MINE)

    (message,) = found.messages
    assert (message.name, message.version, found.echoes) == ("MedicationRequest/f-1", "3", 0)
    assert found.theirs == ("MedicationRequest/f-1",)
    assert entries(message)[0]["dosageInstruction"] == THEIR_DOSE
    assert entries(message)[0]["identifier"] == [{"system": "urn:medlist:source:primary-care", "value": "rx-1"}]


@pytest.mark.parametrize(
    ("resource", "writes"),
    [
        (ours(version="1", dosageInstruction=THEIR_DOSE), Writes()),
        (ours(version="2", dosageInstruction=THEIR_DOSE), MINE),
        (ours(version="3", note=[{"text": "ringt patienten"}]), MINE),
        (ours(version="2", dosageInstruction=THEIR_DOSE), after_writing(ours(version="3"))),
        (ours(version="3", dosageInstruction=THEIR_DOSE), Writes()),
        (
            ours(version="3", dosageInstruction=THEIR_DOSE),
            after_writing(
                ours(version="2"),
                sending=(Sending(id="f-1", onto="2", content=content_digest(ours(dosageInstruction=THEIR_DOSE))),),
            ),
        ),
        (
            ours(version="3", status="stopped"),
            after_writing(ours(version="2"), sending=(Sending(id="f-1", onto="2"),)),
        ),
    ],
    ids=["created", "written last", "no content", "written before", "not recorded", "being written", "being ended"],
)
def test_our_own_writes_are_no_messages_also_while_they_are_under_way(resource: JsonObject, writes: Writes) -> None:
    """Told by what the publisher has recorded before it wrote; where nothing is recorded nobody can tell."""
    found = told(resource, writes)

    assert (found.messages, found.echoes) == ((), 1)


@pytest.mark.parametrize(
    ("resource", "writes", "passed"),
    [
        (ours(version="4"), MINE, True),
        (ours(version="4", dosageInstruction=THEIR_DOSE), after_writing(ours(version="4")), False),
        (ours(version="4", status="stopped"), after_writing(ours(version="4", status="stopped")), True),
    ],
    ids=["changed back by another", "changed by us", "ended by us"],
)
def test_after_anothers_version_what_ends_its_word_is_passed_on_too(
    resource: JsonObject, writes: Writes, *, passed: bool
) -> None:
    """Its own change back, and our end; a newer dose of ours comes from its own source."""
    before = {"theirs": ("MedicationRequest/f-1",), "versions": {"MedicationRequest/f-1": "3"}}

    found = told(resource, writes, **before)

    assert bool(found.messages) is passed
    assert found.theirs == ("MedicationRequest/f-1",)


@pytest.mark.parametrize("missing", ["id", "meta"])
def test_what_could_not_be_known_again_is_left(missing: str) -> None:
    """Without id or version it would be passed on at every look."""
    resource = versioned(prescription("f-1"))
    del resource[missing]

    assert news(resource) == News(messages=(), echoes=0, versions={})
