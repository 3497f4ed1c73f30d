"""A short run of the publisher under faults on a real Kafka; and evidence with planted faults, which must be found."""

from pathlib import Path
from typing import Any

import pytest

from contracts.systems import NLL_PRESCRIPTION
from mappings.fhir.data_lock import data_lock, with_status
from mappings.fhir.exact_json import JsonObject
from mappings.fhir.medication_request import KnownPatient
from mappings.fhir.vocabulary import RECORD
from tests.faults.publishing import MOST, Plan, as_text, run
from tests.faults.publishing_lists import Course, Wanted
from tests.faults.publishing_verdict import Evidence, Verdict, judge

SUMMARY = {"duplicates": {"living": 0, "ever": 0}, "versions_without_clinical_change": 0}
WANTED = Wanted(open={"r-1": "text, ändring 2"}, over=frozenset({"r-2"}), locked=frozenset({"r-3"}))


@pytest.mark.kafka
@pytest.mark.slow
def test_a_killed_publisher_among_faults_ends_as_the_lists_say(kafka: str, tmp_path: Path) -> None:
    """60 patients, 500 lists, every fault switch on at random, killed three times: nothing lost, twice, older or needless."""
    report = run(kafka, tmp_path, Plan(patients=60, changes=500, kills=3), print)

    assert report.verdict == Verdict(), as_text(report)
    assert len(report.killed_after_lists) == 3
    assert report.lists == 500
    assert report.faults_struck.keys() == MOST.keys()
    assert report.versions_stored > 250


def version(name: str, record: str, turn: int, number: int = 1, status: str = "active") -> JsonObject:
    """One version of one prescription."""
    return {
        "resourceType": "MedicationRequest",
        "id": name,
        "meta": {"versionId": str(number)},
        "identifier": [{"system": RECORD, "value": record}, {"system": NLL_PRESCRIPTION, "value": name}],
        "status": status,
        "dosageInstruction": [{"patientInstruction": f"text, ändring {turn}"}],
    }


def lock(name: str, record: str, prescription: str) -> JsonObject:
    """A lock in force."""
    return data_lock(record, prescription, KnownPatient("p-1"), "integrity") | {"id": name}


def right() -> dict[str, Any]:
    """Evidence of a run in which nothing went wrong."""
    versions = [
        version("f-1", "r-1", 1),
        version("f-2", "r-2", 1),
        version("f-3", "r-3", 1),
        version("f-1", "r-1", 2, 2),
        version("f-2", "r-2", 1, 2, "stopped"),
    ]
    return {
        "prescriptions": versions,
        "basics": [lock("b-1", "r-3", "f-3")],
        "summary": SUMMARY,
        "states": {"p": "published"},
    }


def test_a_run_in_which_nothing_went_wrong_is_good() -> None:
    """What is judged as right."""
    assert judge([WANTED], Evidence(**right())) == Verdict()


@pytest.mark.parametrize(
    ("found", "planted"),
    [
        ("lost", {"prescriptions": [version("f-2", "r-2", 1, 1, "stopped"), version("f-3", "r-3", 1)]}),
        ("lost", {"prescriptions": [*right()["prescriptions"], version("f-1", "r-1", 3, 3)]}),
        ("lost", {"prescriptions": [*right()["prescriptions"], version("f-1", "r-1", 2, 3, "stopped")]}),
        ("left_open", {"prescriptions": right()["prescriptions"][:-1]}),
        ("left_open", {"prescriptions": [*right()["prescriptions"], version("f-9", "nobody's", 1)]}),
        ("duplicated", {"prescriptions": [*right()["prescriptions"], version("f-4", "r-1", 2, 1, "stopped")]}),
        ("duplicated", {"basics": [*right()["basics"], lock("b-2", "r-3", "f-3")]}),
        ("duplicated", {"summary": SUMMARY | {"duplicates": {"living": 0, "ever": 1}}}),
        ("older_over_newer", {"prescriptions": [version("f-1", "r-1", 3), *right()["prescriptions"]]}),
        ("older_over_newer", {"prescriptions": [version("f-2", "r-2", 1, 1, "stopped"), *right()["prescriptions"]]}),
        ("needless", {"summary": SUMMARY | {"versions_without_clinical_change": 2}}),
        ("locks_wrong", {"basics": []}),
        ("locks_wrong", {"basics": [*right()["basics"], with_status(lock("b-1", "r-3", "f-3"), in_force=False)]}),
        ("locks_wrong", {"basics": [*right()["basics"], lock("b-2", "r-1", "f-1")]}),
        ("unsettled", {"states": {"p": "published", "q": "parked"}}),
    ],
)
def test_a_planted_fault_is_found(found: str, planted: dict[str, Any]) -> None:
    """Every count can rise: a run that says 0 has looked."""
    verdict = judge([WANTED], Evidence(**(right() | planted)))

    assert not verdict.good
    assert getattr(verdict, found) > 0


def test_the_lists_of_a_patient_are_always_the_same_and_hold_every_kind_of_change() -> None:
    """A seed tells them; blocks, retractions and replacements are among them."""
    courses = [Course(number, seed=5) for number in range(30)]
    lists = [one for course in courses for one in course.lists(20)]
    again = [one for course in [Course(number, seed=5) for number in range(30)] for one in course.lists(20)]
    last = [course.list() for course in courses]

    assert lists == again
    assert len(lists) == 600
    assert {gone.reason for one in last for gone in one.withdrawn} == {"retracted", "blocked"}
    assert any(rx.content.references for one in last for item in one.items for rx in item.prescriptions)
    assert {rx.state for one in last for item in one.items for rx in item.prescriptions} == {
        "active",
        "ended",
        "cancelled",
    }
