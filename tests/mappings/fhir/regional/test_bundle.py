"""A list as a Bundle: what is in it, what it refers to, and what it never says."""

import re
from collections import Counter
from datetime import datetime
from decimal import Decimal
from typing import get_args

import msgspec
import pytest

from contracts.findings import FINDINGS
from contracts.medication_list import DailyDose, ItemState, Layer, decode_list, encode_list
from contracts.values import Identifier, Period
from mappings.fhir.elements import child, extension_value, objects
from mappings.fhir.exact_json import JsonObject, read_json, write_json
from mappings.fhir.regional import list_version, names, regional_bundle
from mappings.fhir.validation import fhir_problems
from mappings.fhir.vocabulary import RECORD
from tests.mappings.fhir.regional import golden
from tests.mappings.fhir.regional.lists import (
    PUT_OUT_AT,
    SIMULATED,
    WHERE_FROM,
    bundle,
    edition,
    lists_from,
    simulated,
    story,
)
from tests.streams.publish.cases import line, standing, the_list


def resources(found: JsonObject, kind: str, profile: str | None = None) -> list[JsonObject]:
    """The resources of a Bundle, of one kind and maybe profile."""
    all_of_them = [entry["resource"] for entry in objects(found["entry"])]
    return [
        one
        for one in all_of_them
        if one["resourceType"] == kind and (profile is None or one["meta"]["profile"] == [profile])
    ]


def references(value: object) -> list[str]:
    """Every literal reference inside a value."""
    match value:
        case {"reference": str(one)}:
            return [one]
        case dict():
            return [found for part in value.values() for found in references(part)]
        case list():
            return [found for part in value for found in references(part)]
        case _:
            return []


@pytest.mark.parametrize("where", WHERE_FROM)
def test_every_list_is_base_fhir_in_another_implementation(where: str) -> None:
    """``fhir.resources`` reads the Bundle without a complaint, with and without a time."""
    for one in lists_from(where):
        assert fhir_problems(bundle(one)) == ()
        assert fhir_problems(bundle(one, put_out_at=None)) == ()


@pytest.mark.parametrize("where", WHERE_FROM)
def test_what_is_referred_to_is_there_once(where: str) -> None:
    """Every reference but those to contained resources is an entry of the Bundle, and no two entries share an address."""
    for one in lists_from(where):
        found = bundle(one)

        addresses = Counter(entry["fullUrl"] for entry in found["entry"])

        assert set(addresses.values()) == {1}
        assert {to for to in references(found) if not to.startswith("#")} <= addresses.keys()


@pytest.mark.parametrize("where", WHERE_FROM)
def test_every_line_layer_prescription_and_finding_is_there(where: str) -> None:
    """Nothing of the list is left out but withdrawn prescriptions, which are the publisher's."""
    for one in lists_from(where):
        found = bundle(one)
        layers = Counter(name for item in one.items for name in item.layers)

        assert [text(r, names.STRAND) for r in resources(found, "MedicationStatement", names.LINE)] == [
            item.strand for item in one.items
        ]
        assert len(resources(found, "MedicationRequest", names.ORDER)) == layers["intended"]
        assert (
            len(resources(found, "MedicationStatement", names.STATEMENT)) == layers["prescribed"] + layers["reported"]
        )
        assert len(resources(found, "MedicationDispense")) == layers["dispensed"]
        assert len(resources(found, "MedicationAdministration")) == layers["given"]
        assert [text(r, RECORD) for r in resources(found, "MedicationRequest", names.PRESCRIPTION)] == [
            standing.record for item in one.items for standing in item.prescriptions
        ]
        assert [text(r, names.FINDING_KEY) for r in resources(found, "DetectedIssue")] == [f.key for f in one.findings]
        assert len(resources(found, "Provenance")) == 1 + len(one.items)


@pytest.mark.parametrize("where", WHERE_FROM)
def test_every_fact_and_rule_of_a_line_stands_in_its_provenance(where: str) -> None:
    """A reader of the Bundle can trace each field as far as a reader of the list."""
    for one in lists_from(where):
        provenances = resources(bundle(one), "Provenance")[1:]

        for item, provenance in zip(one.items, provenances, strict=True):
            facts = tuple(entity["what"]["identifier"]["value"] for entity in provenance.get("entity", []))
            reasons = {
                extension_value(reason, "field"): (
                    extension_value(reason, "rule"),
                    tuple(part["valueId"] for part in reason["extension"] if part["url"] == "fact"),
                )
                for reason in provenance.get("extension", [])
            }
            assert facts == item.facts
            assert reasons == {field: (because.rule, because.facts) for field, because in item.because.items()}


@pytest.mark.parametrize("where", WHERE_FROM)
def test_the_person_number_stands_in_the_patient_only(where: str) -> None:
    """Everything else refers to the patient by an address that is made from the pseudonym."""
    for one in lists_from(where):
        assert one.person is not None
        found = bundle(one)

        rest = [entry for entry in found["entry"] if entry["resource"]["resourceType"] != "Patient"]

        assert one.person.value.encode() not in write_json(rest)
        assert text(resources(found, "Patient")[0], one.person.system) == one.person.value


def test_the_same_list_and_edition_give_the_same_bytes() -> None:
    """However the list came here: made anew, or read from its bytes."""
    for one in lists_from("recordings"):
        read = decode_list(encode_list(one))
        assert write_json(regional_bundle(one, edition(one))) == write_json(regional_bundle(read, edition(read)))


def test_the_bundle_of_one_list_is_the_golden() -> None:
    """What consumers build on changes only on purpose: ``python -m tests.mappings.fhir.regional.golden`` writes it anew."""
    assert golden.FILE.read_text(encoding="utf-8") == golden.text()


def test_decimals_keep_their_digits() -> None:
    """``2.50`` is not ``2.5``: who wrote the zero measured it."""
    dose = DailyDose(status="computed", value=Decimal("2.50"), unit="mg")

    written = write_json(bundle(the_list(line(daily_dose=dose))))

    assert b'"value":2.50,' in written


def test_an_unknown_time_is_marked_as_unknown() -> None:
    """R4 demands a time of a Provenance; nobody invents one."""
    found = bundle(story(), put_out_at=None)

    assert "timestamp" not in found
    assert "date" not in resources(found, "List")[0]
    for provenance in resources(found, "Provenance"):
        assert "recorded" not in provenance
        assert extension_value(provenance["_recorded"], names.DATA_ABSENT) == "unknown"


def test_the_edition_names_the_list_and_its_time() -> None:
    """The version is the hash of the list's bytes; the time is the record's."""
    one = story()

    found = bundle(one)

    assert found["identifier"] == {"system": names.LIST_VERSION, "value": list_version(encode_list(one))}
    assert found["timestamp"] == "2026-03-09T09:00:00+01:00"
    assert PUT_OUT_AT.isoformat() == "2026-03-09T08:00:00+00:00"
    assert re.fullmatch("[0-9a-f]{64}", found["identifier"]["value"])


def test_a_product_that_nobody_names_is_marked_as_unknown() -> None:
    """R4 demands a product; nobody invents one."""
    (found,) = resources(bundle(the_list(line(product=None))), "MedicationStatement", names.LINE)

    assert found["medicationCodeableConcept"] == {
        "extension": [{"url": names.DATA_ABSENT, "valueCode": "unknown"}],
    }


def test_a_half_open_end_is_the_last_day_that_belongs() -> None:
    """FHIR's periods are inclusive."""
    period = Period(
        start=msgspec.convert("2026-03-01T23:00:00Z", datetime),
        end=msgspec.convert("2026-03-08T23:00:00Z", datetime),
    )
    item = line(start=period.start, end=period.end, layers={"intended": Layer(state="active", period=period)})

    found = bundle(the_list(item))

    (shown,) = resources(found, "MedicationStatement", names.LINE)
    (order,) = resources(found, "MedicationRequest", names.ORDER)
    assert shown["effectivePeriod"] == {"start": "2026-03-02", "end": "2026-03-08"}
    bounds = child(order["dosageInstruction"][0], "timing", "repeat", "boundsPeriod")
    assert bounds == {"start": "2026-03-02", "end": "2026-03-08"}


@pytest.mark.parametrize(
    ("layer", "status"),
    [
        (Layer(count=3, not_given=1, last_at=PUT_OUT_AT, last_outcome="refused"), "completed"),
        (Layer(count=0, not_given=2, last_outcome="asleep"), "not-done"),
        (Layer(count=0, not_given=0), "unknown"),
    ],
)
def test_the_given_layer_is_the_last_dose_that_was_given(layer: Layer, status: str) -> None:
    """A refusal after it does not make it undone; where nothing was given there is no time."""
    (found,) = resources(bundle(the_list(line(layers={"given": layer}))), "MedicationAdministration")

    assert found["status"] == status
    assert ("effectiveDateTime" in found) == (status == "completed")


def test_a_finding_speaks_swedish_and_english() -> None:
    """The words are the catalogue's; whether a person must settle it, and about which lines, is there too."""
    one = next(one for one in simulated(SIMULATED) if one.findings)
    finding = one.findings[0]

    (found, *_) = resources(bundle(one), "DetectedIssue")

    translation = found["code"]["_text"]["extension"][0]
    assert found["code"]["text"] == FINDINGS[finding.code].sv
    assert extension_value(translation, "content") == FINDINGS[finding.code].en
    assert extension_value(found, names.NEEDS_DECISION) is finding.conflict
    assert len(found.get("implicated", [])) == len(finding.items)


def test_a_prescription_keeps_what_nll_would_refuse() -> None:
    """Toward NLL words are demanded; the regional list shows what the source said all the same."""
    rx = standing(dosage=msgspec.structs.replace(standing().content.dosage, text=None))

    (found,) = resources(bundle(the_list(line(rx))), "MedicationRequest", names.PRESCRIPTION)

    assert "patientInstruction" not in found["dosageInstruction"][0]
    assert child(found["dosageInstruction"][0]["doseAndRate"][0], "doseQuantity")["value"] == 1


def test_every_state_has_a_status_in_both_resources() -> None:
    """A state without one would be a crash on a patient."""
    assert set(get_args(ItemState)) == names.STATEMENT_STATUS.keys() == names.REQUEST_STATUS.keys()


def test_a_list_without_a_number_has_the_pseudonym_alone() -> None:
    """Nothing stands in for the number."""
    (patient,) = resources(bundle(the_list(person=None)), "Patient")

    assert patient["identifier"] == [{"system": names.PSEUDONYM, "value": the_list().patient}]


def test_another_number_is_no_other_patient() -> None:
    """The address of a patient comes from the pseudonym, so it stays when a number is corrected."""
    other = Identifier(system="urn:oid:1.2.752.97.3.1.3", value="99AB")

    first, second = bundle(the_list()), bundle(the_list(person=other))

    assert first["entry"][0]["fullUrl"] == second["entry"][0]["fullUrl"]


def text(resource: JsonObject, system: str) -> str | None:
    """The value of the first identifier of a system."""
    found = [one["value"] for one in resource["identifier"] if one["system"] == system]
    return found[0] if found else None


def test_exact_numbers_survive_being_read() -> None:
    """The reader of these tests keeps decimals, so that the test above can fail."""
    assert read_json(b'{"value":2.50}') == {"value": Decimal("2.50")}
    assert str(read_json(b"2.50")) == "2.50"
