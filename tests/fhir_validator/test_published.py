"""What is collected of the suite's publishing is validated; it can fail."""

from pathlib import Path

import pytest

from mappings.fhir.exact_json import JsonObject, write_json
from tests.contracts.fhir.good import REQUEST, nll, regional
from tests.fhir_validator.validator import FhirValidator
from tests.published import Collector, collected, main, wrong

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def noted(directory: Path, *resources: JsonObject) -> list[JsonObject]:
    """What is collected of these."""
    collector = Collector(directory)
    for one in resources:
        collector.note(write_json(one))
    return list(collected(directory))


def test_what_is_good_is_not_told(tmp_path: Path, fhir_validator: FhirValidator) -> None:
    """Also inside a transaction."""
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [{"resource": nll(REQUEST)}]}

    good = noted(tmp_path, nll(REQUEST), bundle, regional())

    assert len(good) == 3
    assert wrong(good, fhir_validator) == []


@pytest.mark.parametrize("planted", ["alone", "in a transaction", "in a list"])
def test_one_that_is_wrong_is_told(tmp_path: Path, fhir_validator: FhirValidator, planted: str) -> None:
    """Among good ones, with its problems."""
    bad = nll(REQUEST)
    bad.pop("status")
    places: dict[str, JsonObject] = {
        "alone": bad,
        "in a transaction": {"resourceType": "Bundle", "type": "transaction", "entry": [{"resource": bad}]},
        "in a list": regional() | {"type": "document"},
    }

    (one,) = wrong(noted(tmp_path, nll(REQUEST), places[planted]), fhir_validator)

    assert one.problems


def test_what_nobody_says_what_it_is_is_wrong(tmp_path: Path, fhir_validator: FhirValidator) -> None:
    """A kind that we were not known to publish needs a profile first."""
    (one,) = wrong(noted(tmp_path, {"resourceType": "Observation"}), fhir_validator)

    assert one.problems == ("nobody says what it should be",)


def test_the_same_is_kept_once(tmp_path: Path) -> None:
    """Ids and versions make no other resource; a status does."""
    other = nll(REQUEST) | {"id": "f-2", "meta": {"versionId": "9"}}

    assert len(noted(tmp_path, nll(REQUEST), other, nll(REQUEST) | {"status": "stopped"})) == 2


def test_a_run_that_collected_nothing_fails(tmp_path: Path) -> None:
    """Or a collector that broke would never be noticed."""
    assert main(tmp_path) == 1
