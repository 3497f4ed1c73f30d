"""Recordings of primary care are messages that the published service contract allows."""

from pathlib import Path

import pytest
from lxml import etree

from tests.mappings.recordings import ROOT, message_file

SCHEMA = (
    Path(__file__).resolve().parents[3].parent
    / "shared/schemas/rivta/clinicalprocess/activityprescription/actoutcome/interactions"
    / "GetMedicationHistoryInteraction/GetMedicationHistoryResponder_2.0.xsd"
)
NOT_VALID_BY_INTENTION = {"a-record-with-six-problems-names-all-six", "cut-off-in-the-middle"}
VALID = [folder for folder in sorted((ROOT / "primary_care").iterdir()) if folder.name not in NOT_VALID_BY_INTENTION]


@pytest.mark.skipif(not SCHEMA.exists(), reason="schemas not beside the clone")
def test_recordings_are_valid_against_the_service_contract() -> None:
    """Every recording but the deliberately invalid ones validates against GetMedicationHistory 2.0."""
    parser = etree.XMLParser(no_network=True, resolve_entities=False, load_dtd=False)
    schema = etree.XMLSchema(etree.parse(str(SCHEMA), parser))

    errors = {
        folder.name: str(schema.error_log)
        for folder in VALID
        if not schema.validate(etree.parse(str(message_file(folder)), parser))
    }

    assert VALID
    assert errors == {}
