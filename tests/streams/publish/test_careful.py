"""What a careful prescriber's system leaves alone: approved dose bases, days that have passed, whatever is in doubt."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any, Final

import pytest

from contracts.medication_list import Finding, ListItem, MedicationList, StandingPrescription
from contracts.systems import PRESCRIBER_CODE
from contracts.values import Identifier, Practitioner
from mappings.fhir.elements import extension_value
from mappings.fhir.exact_json import JsonObject, read_json, write_json
from tests.streams.publish.cases import NOW, READER, There, dosage, job, line, replaced, standing, the_list

RX: Final = standing(dose_dispensed=True)
BASIS_STATUS: Final = "http://electronichealth.se/fhir/StructureDefinition/NLLMultiDoseDispensingBasisStatus"
OTHER: Final = Practitioner(identifiers=(Identifier(system=PRESCRIBER_CODE, value="9000035"),), profession="LK")


async def admin(there: There, path: str, body: object) -> None:
    """Tell the sandbox something, beside everything that it is asked."""
    async with there.session.post(f"{there.base}/_sandbox/{path}", data=write_json(body)) as answer:
        assert answer.status == 200


async def basis(there: There) -> JsonObject:
    """The patient's dose basis."""
    url = f"{there.base}/Basic?patient=p-1&code=multidosedispensingbasis"
    async with there.session.get(url, headers=READER | {"x-request-id": "look"}) as answer:
        (entry,) = read_json(await answer.read())["entry"]
    found: JsonObject = entry["resource"]
    return found


async def approved(there: There) -> None:
    """A dose patient whose list is published and whose basis a pharmacist has approved."""
    assert (await there.executor().attempt(job(the_list(line(RX))))).state == "published"
    approved = {
        "resourceType": "Basic",
        "id": "b-77",
        "extension": [{"url": BASIS_STATUS, "valueCode": "approved"}],
        "code": {"coding": [{"code": "multidosedispensingbasis"}]},
        "subject": {"reference": "Patient/p-1"},
    }
    consent = {
        "resourceType": "Consent",
        "id": "s-77",
        "status": "active",
        "category": [{"coding": [{"code": "multidosedispconsent"}]}],
        "patient": {"reference": "Patient/p-1"},
        "organization": [{"identifier": {"system": "urn:oid:1.3.88", "value": "7350000000009"}}],
    }
    await admin(there, "seed", [consent, approved])


def doubtful(**more: Any) -> Callable[[StandingPrescription], MedicationList]:
    """The list with its one line like this."""
    return lambda rx: the_list(line(rx, **more))


def conflicting(code: str) -> Callable[[StandingPrescription], MedicationList]:
    """The list with such a finding on its one line."""

    def made(rx: StandingPrescription) -> MedicationList:
        item: ListItem = line(rx)
        found = Finding(code=code, severity="high", conflict=True, items=(item.strand,), facts=(), key="k")
        return the_list(item, findings=(found,))

    return made


@pytest.mark.parametrize(
    "later",
    [
        replaced(RX, note="ring patienten"),
        replaced(RX, prescriber=OTHER),
        replaced(RX, dosage=dosage(" 1  tablett varje morgon\n")),
        replaced(RX, dosage=dosage(dose="1.00")),
        replaced(RX, valid_until=None, dispenses_allowed=None, purpose=None),
        replaced(RX, state="dormant"),
        replaced(RX, state="paused"),
    ],
    ids=["note", "prescriber", "spaces", "digits", "less is said", "admitted", "paused"],
)
async def test_what_is_not_clinical_leaves_a_dose_basis_approved(there: There, later: StandingPrescription) -> None:
    """No write, so no pharmacist has to approve again; a dose that changes does make it unapproved."""
    await approved(there)

    same = await there.executor().attempt(job(the_list(line(later)), "h2"))
    kept = extension_value(await basis(there), BASIS_STATUS)
    other = await there.executor().attempt(job(the_list(line(replaced(RX, dosage=dosage("2 om dagen", "2")))), "h3"))

    assert (same.state, same.operations, kept) == ("published", (), "approved")
    assert [one.kind for one in other.operations] == ["update"]
    assert extension_value(await basis(there), BASIS_STATUS) == "not-approved"


@pytest.mark.parametrize("text", ["1 tablett varje morgon", "2 tabletter varje morgon"])
async def test_a_last_day_of_validity_that_has_passed_is_not_set(there: There, text: str) -> None:
    """Nor anything else of a prescription that its source has let run out; the reason is told, nothing is asked in vain."""
    rx = standing()
    await there.executor().attempt(job(the_list(line(rx))))
    late = replaced(rx, valid_until=NOW.date() - timedelta(days=1), dosage=dosage(text))

    attempt = await there.executor().attempt(job(the_list(line(late)), "h2"))

    (stored,) = await there.prescriptions()
    assert (attempt.state, attempt.operations) == ("published", ())
    assert [(one.record, one.reason) for one in attempt.held] == [(rx.record, "expired")]
    assert stored["dispenseRequest"]["validityPeriod"]["end"] == "2027-03-01"


@pytest.mark.parametrize("until", [NOW.date(), date(2026, 6, 1)], ids=["today", "later"])
async def test_a_validity_that_is_shortened_to_what_may_be_is_written(there: There, until: date) -> None:
    """Today is the first day that may be said."""
    rx = standing()
    await there.executor().attempt(job(the_list(line(rx))))

    attempt = await there.executor().attempt(job(the_list(line(replaced(rx, valid_until=until))), "h2"))

    (stored,) = await there.prescriptions()
    assert [one.kind for one in attempt.operations] == ["update"]
    assert stored["dispenseRequest"]["validityPeriod"]["end"] == until.isoformat()


@pytest.mark.parametrize(
    "doubt",
    [
        lambda _rx: the_list(),
        lambda rx: the_list(line(rx), person=None),
        doubtful(undecided=("dosage",)),
        doubtful(undecided=("end",)),
        conflicting("dose-differs"),
        conflicting("a code of tomorrow"),
        lambda rx: the_list(line(replaced(rx, setting="inpatient"))),
        lambda rx: the_list(line(replaced(rx, state="unknown"))),
        lambda rx: the_list(line(replaced(rx, status="unknown", state="active"))),
    ],
    ids=["not listed", "nobody", "dose", "end", "conflict", "unknown finding", "inpatient", "state", "status"],
)
@pytest.mark.parametrize(
    "later",
    [replaced(standing(), dosage=dosage("2 tabletter", "2")), replaced(standing(), state="ended", status="stopped")],
    ids=["another dose", "an end"],
)
async def test_doubt_ends_and_changes_nothing(
    there: There, doubt: Callable[[StandingPrescription], MedicationList], later: StandingPrescription
) -> None:
    """Whatever else the list says of it: what stands there stays."""
    await there.executor().attempt(job(the_list(line(standing()))))

    attempt = await there.executor().attempt(job(doubt(later), "h2"))

    (stored,) = await there.prescriptions()
    assert attempt.operations == ()
    assert (stored["status"], stored["meta"]["versionId"]) == ("active", "1")
