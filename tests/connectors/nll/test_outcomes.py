"""What an answer means."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.nll.outcomes import (
    Accepted,
    Outcome,
    Refused,
    Rejected,
    Stale,
    Unavailable,
    Unknown,
    outcome_of,
    retry_after_seconds,
)
from mappings.fhir.exact_json import write_json

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


def outcome(*codes: str, severity: str = "error") -> bytes:
    """An OperationOutcome with these codes."""
    issues = [
        {
            "severity": severity,
            "code": "business-rule",
            "details": {"coding": [{"code": code}], "text": "191212121212 is not allowed"},
            "expression": ["subject"],
        }
        for code in codes
    ]
    return write_json({"resourceType": "OperationOutcome", "issue": issues})


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (409, outcome("version-stale"), Stale((Refused("version-stale", "subject"),))),
        (412, b"", Stale()),
        (422, outcome("U.011"), Stale((Refused("U.011", "subject"),))),
        (422, outcome("G.008", "F.001"), Rejected(422, (Refused("F.001", "subject"), Refused("G.008", "subject")))),
        (422, b"<html>", Rejected(422, (Refused("http-422"),))),
        (404, outcome("unknown-resource"), Rejected(404, (Refused("unknown-resource", "subject"),))),
        (400, outcome("note", severity="warning"), Rejected(400, (Refused("http-400"),))),
        (302, b"", Rejected(302, (Refused("http-302"),))),
        (401, b"", Unavailable(reason="http-401")),
        (500, outcome("bug"), Unavailable(reason="http-500")),
        (599, b"", Unavailable(reason="http-599")),
        (408, b"", Unknown("http-408")),
        (200, b"{", Unknown("body-unreadable")),
        (204, b"", Accepted()),
    ],
)
def test_an_answer_means_one_thing(status: int, body: bytes, expected: Outcome) -> None:
    """By its status, and by the codes of its OperationOutcome."""
    assert outcome_of(status, {}, body, NOW) == expected


def test_an_accepted_write_tells_id_version_and_list_version() -> None:
    """From the headers; from the resource where they are missing."""
    headers = {
        "location": "https://nll.example/fhir/MedicationRequest/f-7/_history/2",
        "etag": 'W/"2"',
        "x-medicationlist-version": "11",
    }
    body = write_json({"resourceType": "MedicationRequest", "id": "f-7", "meta": {"versionId": "2"}})

    by_headers = outcome_of(201, headers, b"", NOW)
    by_body = outcome_of(200, {}, body, NOW)

    assert isinstance(by_headers, Accepted)
    assert isinstance(by_body, Accepted)
    assert (by_headers.id, by_headers.version, by_headers.list_version) == ("f-7", "2", 11)
    assert (by_body.id, by_body.version, by_body.list_version) == ("f-7", "2", None)


def test_the_servers_words_are_not_kept() -> None:
    """They may quote what is personal; code and place are enough."""
    told = outcome_of(422, {}, outcome("F.001"), NOW)

    assert "191212121212" not in repr(told)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("7", 7.0),
        ("Mon, 02 Mar 2026 09:00:30 GMT", 30.0),
        ("Mon, 02 Mar 2026 08:00:00 GMT", 0.0),
        ("soon", None),
        ("-5", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str | None, seconds: float | None) -> None:
    """RFC 9110; a date that has passed is now, and what cannot be read asks for nothing."""
    assert retry_after_seconds(value, NOW) == seconds


@given(st.integers(100, 999), st.binary(max_size=200))
def test_no_answer_is_a_bug_of_ours(status: int, body: bytes) -> None:
    """Whatever a server sends has a meaning."""
    assert isinstance(outcome_of(status, {"etag": '"', "location": "/"}, body, NOW), Outcome)
