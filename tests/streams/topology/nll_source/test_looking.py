"""Looking at one patient: when a list is read, when it is done with, and what an endpoint that fails leaves behind."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, cast

import msgspec
import pytest

from connectors.nll.client import ListInfo, NllClient
from connectors.nll.outcomes import Accepted, Outcome, Refused, Rejected, Stale, Unavailable, Unknown
from contracts.nll_watermark import NllWatermark
from mappings.fhir.exact_json import JsonObject
from streams.publish.writes import Writes
from streams.topology.nll_source.limits import NllSourceLimits
from streams.topology.nll_source.looking import Changed, Failed, Looked, Looker, NotThere, Unchanged
from streams.topology.nll_source.monitoring import can_be_asked_about, since, to_look_at
from streams.topology.nll_source.pace import Pace
from tests.streams.publish.cases import NOW
from tests.streams.topology.nll_source.test_messages import PATIENT, versioned
from tests.streams.topology.nll_source.wire import dispense, prescription

LIMITS = NllSourceLimits()
DOSE = msgspec.structs.replace(PATIENT, dose=True)


class Copy:
    """An endpoint whose answers a test sets: what it shows of prescriptions and dispensings, and the list version."""

    def __init__(self, *prescriptions: JsonObject, version: int = 1) -> None:
        self.version = version
        self.shown: dict[str, list[JsonObject] | Outcome] = {"prescriptions": [*prescriptions], "dispenses": []}
        self.person: Outcome = Accepted(id="p-1")
        self.info: Outcome | None = None
        self.medication: Outcome = Accepted(resource={"resourceType": "Medication", "id": "art-9"})
        self.asked: list[str] = []

    async def find_patient(self, *_: object) -> Outcome:
        """The person."""
        self.asked.append("person")
        return self.person

    async def list_info(self, _task: object) -> ListInfo | Outcome:
        """The list's version."""
        self.asked.append("info")
        return self.info or ListInfo(self.version, locked=False)

    async def prescriptions(self, _task: object) -> list[JsonObject] | Outcome:
        """What it shows."""
        self.asked.append("prescriptions")
        return self.shown["prescriptions"]

    async def dispenses(self, _task: object) -> list[JsonObject] | Outcome:
        """What it shows."""
        self.asked.append("dispenses")
        return self.shown["dispenses"]

    async def read(self, _kind: str, name: str, _task: object) -> Outcome:
        """A product."""
        self.asked.append(name)
        return self.medication


def looker(copy: Copy) -> Looker:
    """What looks there, in no hurry and without waiting."""
    return Looker(cast("NllClient", copy), Pace(1e9, lambda: 0.0), lambda: NOW, lambda *_: Writes())


def changed(looked: Looked) -> Changed:
    """A reading."""
    assert isinstance(looked, Changed)
    return looked


def passed(looked: Looked) -> list[tuple[str, str]]:
    """What it found to pass on."""
    return [(one.name, one.version) for one in changed(looked).news.messages]


def mark(**more: Any) -> NllWatermark:
    """How far the patient was read."""
    usual: dict[str, Any] = {
        "patient": PATIENT.pseudonym,
        "nll_patient": "p-1",
        "list_version": 1,
        "read_at": NOW,
        "confirmed": True,
    }
    return NllWatermark(**(usual | more))


async def test_a_list_version_is_done_with_when_it_was_read_twice_alike() -> None:
    """Then only its version is asked for, until it is another."""
    copy = Copy(versioned(prescription("f-1")))
    looking = looker(copy)

    first = changed(await looking.look(PATIENT, None))
    second = changed(await looking.look(PATIENT, first.watermark))
    copy.asked.clear()
    third = await looking.look(PATIENT, second.watermark)

    assert passed(first) == [("MedicationRequest/f-1", "1")]
    assert (first.watermark.confirmed, second.watermark.confirmed) == (False, True)
    assert passed(second) == []
    assert isinstance(third, Unchanged)
    assert copy.asked == ["info"]


async def test_a_copy_that_lags_behind_its_list_version_loses_nothing() -> None:
    """It tells the new list version with the old resources: the new ones come with the next look."""
    old, new = versioned(prescription("f-1")), versioned(prescription("f-1", status="stopped"), "2")
    known = mark(versions={"MedicationRequest/f-1": "1"})
    copy = Copy(old, version=2)
    looking = looker(copy)

    lagging = changed(await looking.look(PATIENT, known))
    copy.shown = {"prescriptions": [new], "dispenses": [versioned(dispense("u-1", "f-1"))]}
    caught_up = changed(await looking.look(PATIENT, lagging.watermark))
    after = changed(await looking.look(PATIENT, caught_up.watermark))

    assert passed(lagging) == []
    assert passed(caught_up) == [("MedicationRequest/f-1", "2"), ("MedicationDispense/u-1", "1")]
    assert [one.watermark.confirmed for one in (lagging, caught_up, after)] == [False, False, True]


async def test_a_copy_that_shows_an_older_version_is_not_believed() -> None:
    """Nothing is passed on again, and the list is looked at again."""
    copy = Copy(versioned(prescription("f-1"), "1"), version=2)
    known = mark(list_version=2, confirmed=False, versions={"MedicationRequest/f-1": "2"})

    found = changed(await looker(copy).look(PATIENT, known))

    assert passed(found) == []
    assert found.watermark == msgspec.structs.replace(known, confirmed=False)


@pytest.mark.parametrize(
    ("outcome", "failed"),
    [
        (Unavailable(reason="http-503"), Failed(reason="http-503", answered=False)),
        (
            Unavailable(reason="http-429", retry_after_seconds=7.0),
            Failed(reason="http-429", answered=False, retry_after_seconds=7.0),
        ),
        (Unknown("no-answer"), Failed(reason="no-answer", answered=False)),
        (Rejected(403, (Refused("hidden"),)), Failed(reason="hidden", answered=True)),
        (Rejected(401, ()), Failed(reason="http-401", answered=True)),
        (Stale(), Failed(reason="unexpected-answer", answered=True)),
    ],
    ids=lambda value: value.reason if isinstance(value, Failed) else type(value).__name__,
)
@pytest.mark.parametrize("where", ["person", "info", "prescriptions", "dispenses"])
async def test_a_reading_that_fails_anywhere_is_no_reading(outcome: Outcome, failed: Failed, where: str) -> None:
    """Nothing is passed on and no watermark moves, wherever in the middle it failed."""
    copy = Copy(versioned(prescription("f-1")))
    match where:
        case "person":
            copy.person = outcome
        case "info":
            copy.info = outcome
        case _:
            copy.shown[where] = outcome

    assert await looker(copy).look(PATIENT, None) == failed


async def test_whom_nll_does_not_know_is_not_there() -> None:
    """That is an answer, and no failure."""
    copy = Copy()
    copy.person = Accepted()

    assert await looker(copy).look(PATIENT, None) == NotThere()


async def test_a_product_is_read_once_for_all() -> None:
    """And one that cannot be had goes missing, so that the message ends where it can be seen."""
    copy = Copy(versioned(prescription("f-1", medicationReference={"reference": "Medication/art-9"})))
    looking = looker(copy)

    await looking.look(PATIENT, None)
    await looking.look(PATIENT, None)
    known, copy.medication = copy.asked.count("art-9"), Rejected(404, ())
    found = changed(await looker(copy).look(PATIENT, None))

    assert known == 1
    assert b'"Medication"' not in found.news.messages[0].value


@pytest.mark.parametrize(
    ("patient", "known", "can"),
    [
        (DOSE, mark(), True),
        (DOSE, mark(read_at=NOW - timedelta(seconds=LIMITS.whole_seconds)), False),
        (DOSE, mark(confirmed=False), False),
        (DOSE, None, False),
        (PATIENT, mark(), False),
    ],
    ids=["dose patient", "read long ago", "not confirmed", "never read", "no dose patient"],
)
def test_only_dose_patients_who_were_read_whole_are_asked_about_together(
    patient: Any, known: NllWatermark | None, *, can: bool
) -> None:
    """The question about changes tells of prescriptions only, and of dose patients only."""
    assert can_be_asked_about(patient, known, NOW, LIMITS) is can


@pytest.mark.parametrize(("days", "asked"), [((1, 5), 5), ((90, 1), 60)])
def test_the_question_reaches_back_to_the_oldest_reading_as_far_as_it_may(days: tuple[int, int], asked: int) -> None:
    """60 days at most."""
    patients = [msgspec.structs.replace(DOSE, pseudonym=str(n)) for n in days]
    known = {str(n): mark(read_at=NOW - timedelta(days=n)) for n in days}

    assert since(patients, known, NOW, LIMITS.monitored_days) == date(2026, 3, 2) - timedelta(days=asked)


def test_whoever_is_named_with_another_version_is_looked_at() -> None:
    """Also with a prescription that nobody has seen yet; the others are quiet."""
    names = {"quiet": "p-1", "changed": "p-2", "new": "p-3", "not named": "p-4"}
    patients = [msgspec.structs.replace(DOSE, pseudonym=name) for name in names]
    known: Mapping[str, NllWatermark] = {
        name: mark(nll_patient=there, versions={f"MedicationRequest/{there}": "2"}) for name, there in names.items()
    }
    answer = [
        versioned(prescription(name, subject={"reference": f"Patient/{there}"}), version)
        for name, there, version in [("p-1", "p-1", "2"), ("p-2", "p-2", "3"), ("other", "p-3", "1")]
    ]

    assert [one.pseudonym for one in to_look_at(answer, patients, known)] == ["changed", "new"]
