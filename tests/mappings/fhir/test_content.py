"""What counts as a change of content, and what does not."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from mappings.fhir.amendment import amended
from mappings.fhir.content import content_of, differences
from mappings.fhir.exact_json import JsonObject, read_json, write_json
from mappings.fhir.medication_request import KnownPatient, Terms, medication_request
from mappings.fhir.vocabulary import CHAIN, DISPENSES_ALLOWED
from tests.streams.publish.cases import standing

Change = Callable[[JsonObject], object]


def resource(**more: Any) -> JsonObject:
    """A prescription as we would send it."""
    made = medication_request(standing(**more), Terms(subject=KnownPatient("p-1")))
    assert isinstance(made, dict)
    return made


def changed(change: Change) -> JsonObject:
    """The same prescription as the endpoint holds it, with a change."""
    copy: JsonObject = read_json(write_json(resource()))
    change(copy)
    return copy


def _dose(copy: JsonObject) -> JsonObject:
    found: JsonObject = copy["dosageInstruction"][0]["doseAndRate"][0]["doseQuantity"]
    return found


UNIMPORTANT: dict[str, Change] = {
    "what the server fills in": lambda r: r.update(
        id="f-1", meta={"versionId": "7"}, authoredOn="2026-03-02T10:00:00+01:00"
    ),
    "a chain": lambda r: r["extension"].append({"url": CHAIN, "valueIdentifier": {"value": "kedja-1"}}),
    "another prescriber": lambda r: r["contained"][0]["identifier"][0].update(value="9000035"),
    "a note": lambda r: r.update(note=[{"text": "ring"}]),
    "more digits of the same number": lambda r: _dose(r).update(value=Decimal("1.00")),
    "the unit's display": lambda r: _dose(r).update(unit="tablett"),
    "no start": lambda r: r["dosageInstruction"][0]["timing"]["repeat"].pop("boundsPeriod"),
    "wider spaces": lambda r: r["dosageInstruction"][0].update(patientInstruction=" 1  tablett varje\tmorgon\r\n"),
    "the whole text": lambda r: r["dosageInstruction"][0].update(text="Annan ordning."),
    "the words of the product": lambda r: r["medicationCodeableConcept"].update(text="METOPROLOL"),
    "no count of dispenses beside the repeats": lambda r: r["dispenseRequest"]["extension"].pop(),
    "warnings of the server": lambda r: r["contained"].append({"resourceType": "DetectedIssue", "id": "aff-1"}),
}

CLINICAL: dict[str, tuple[Change, str]] = {
    "another dose": (lambda r: _dose(r).update(value=2), "dosage"),
    "another unit": (lambda r: _dose(r).update(code="mg"), "dosage"),
    "other words": (lambda r: r["dosageInstruction"][0].update(patientInstruction="2 om dagen"), "dosage"),
    "another line": (
        lambda r: r["dosageInstruction"][0].update(patientInstruction="1 tablett\nvarje morgon"),
        "dosage",
    ),
    "an end": (
        lambda r: r["dosageInstruction"][0]["timing"]["repeat"]["boundsPeriod"].update(end="2026-03-20"),
        "dosage",
    ),
    "a later start": (
        lambda r: r["dosageInstruction"][0]["timing"]["repeat"]["boundsPeriod"].update(start="2026-03-09"),
        "dosage",
    ),
    "another route": (lambda r: r["dosageInstruction"][0]["route"]["coding"][0].update(code="37161004"), "dosage"),
    "as needed": (lambda r: r["dosageInstruction"][0].update(asNeededBoolean=True), "dosage"),
    "one more step": (lambda r: r["dosageInstruction"].append({"sequence": 2}), "dosage"),
    "another product": (lambda r: r["medicationCodeableConcept"]["coding"][0].update(code="20990102100025"), "product"),
    "another purpose": (lambda r: r["extension"][0].update(valueString="mot smärta"), "purpose"),
    "another last day": (lambda r: r["dispenseRequest"]["validityPeriod"].update(end="2026-12-31"), "valid_until"),
    "fewer dispenses": (
        lambda r: next(e for e in r["dispenseRequest"]["extension"] if e["url"] == DISPENSES_ALLOWED).update(
            valueUnsignedInt=2
        ),
        "dispenses_allowed",
    ),
    "dose-dispensed": (lambda r: r["dispenseRequest"]["extension"][0].update(valueBoolean=True), "dose_dispensed"),
}


@pytest.mark.parametrize("change", UNIMPORTANT.values(), ids=UNIMPORTANT)
def test_this_is_no_change_of_content(change: Change) -> None:
    """It asks for no write: a needless one costs a pharmacist's work."""
    assert differences(content_of(resource()), content_of(changed(change))) == ()


@pytest.mark.parametrize(("change", "field"), CLINICAL.values(), ids=CLINICAL)
def test_this_is_a_change_of_content(change: Change, field: str) -> None:
    """It asks for a write, and the amended resource no longer differs."""
    there = changed(change)

    assert differences(content_of(resource()), content_of(there)) == (field,)
    assert differences(content_of(resource()), content_of(amended(there, resource()))) == ()


@pytest.mark.parametrize("change", CLINICAL.values(), ids=CLINICAL)
def test_an_amended_resource_keeps_what_is_not_ours(change: tuple[Change, str]) -> None:
    """Ids, version, time of issue, chain and what others added stay."""
    there = changed(change[0])
    theirs = {
        "id": "f-1",
        "meta": {"versionId": "3"},
        "authoredOn": "2026-03-02T10:00:00+01:00",
        "note": [{"text": "x"}],
    }
    there |= theirs
    chain = {"url": CHAIN, "valueIdentifier": {"value": "kedja-1"}}
    there["extension"].append(chain)

    kept = amended(there, resource())

    assert {name: kept[name] for name in theirs} == theirs
    assert chain in kept["extension"]


def test_what_the_source_does_not_state_is_left_as_it_stands() -> None:
    """A last day that the server filled in is no difference to a prescription without one."""
    ours = resource(valid_until=None, purpose=None, dispenses_allowed=None)

    assert differences(content_of(ours), content_of(resource())) == ()


@pytest.mark.parametrize("shape", [None, [], {}, 1, "x", [[]], [None]])
def test_a_resource_of_another_shape_is_read_without_failing(shape: object) -> None:
    """Whatever stands at the endpoint, reading it is no bug of ours."""
    names = (
        "medicationCodeableConcept",
        "dosageInstruction",
        "dispenseRequest",
        "extension",
        "reasonCode",
        "authoredOn",
    )

    content = content_of(dict.fromkeys(names, shape))

    assert differences(content_of(resource()), content) != ()
