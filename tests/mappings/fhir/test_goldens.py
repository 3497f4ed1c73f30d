"""Every golden case: our record and the resource that becomes of it, to the letter, and base FHIR R4."""

from pathlib import Path

import pytest

from mappings.fhir.content import content_of, differences
from mappings.fhir.exact_json import read_json
from mappings.fhir.validation import fhir_problems
from tests.mappings.fhir.golden import cases, mapped, written

CASES = cases()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_mapping_gives_the_golden(case: Path) -> None:
    """What is written is what the case says, decimals to the letter."""
    name, text = written(mapped(case))

    assert (case / name).read_text(encoding="utf-8") == text
    assert {"resource.json", "problems.json"} & {path.name for path in case.iterdir()} == {name}


@pytest.mark.parametrize("path", sorted(p / "resource.json" for p in CASES), ids=lambda path: path.parent.name)
def test_every_golden_resource_is_base_fhir(path: Path) -> None:
    """Another implementation of R4 reads it without a complaint."""
    if path.exists():
        assert fhir_problems(read_json(path.read_bytes())) == ()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_resource_does_not_differ_from_itself(case: Path) -> None:
    """Written and read back, the content is the same: otherwise it would be sent again for ever."""
    result = mapped(case)
    if isinstance(result, dict) and result["resourceType"] == "MedicationRequest":
        read = read_json(written(result)[1].encode())
        assert differences(content_of(result), content_of(read)) == ()


def test_there_are_cases_of_both_kinds() -> None:
    """The discovery finds what it is for."""
    names = {path.name for case in CASES for path in case.iterdir()}

    assert {"resource.json", "problems.json", "prescription.json", "dispense.json"} <= names
